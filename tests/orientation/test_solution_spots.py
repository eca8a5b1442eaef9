"""Spots simulated of maps, against the truth of a scan and a simulator of their own kind."""

import numpy as np
import pytest

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.explore.orientations import OrientationMap
from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.orientation.kinematical import KinematicalSpots
from napari_kikuchi.orientation.map_solutions import quaternions_of
from napari_kikuchi.orientation.simulated_scan import simulate_spot_scan
from napari_kikuchi.orientation.solution_spots import SolutionSpots


@pytest.fixture(scope="module")
def truth():
    crystals = [Crystal.built_in("cu"), Crystal.built_in("ti")]
    return simulate_spot_scan((8, 9), crystals, seed=1)[1]


@pytest.fixture(scope="module")
def solutions(truth):
    symmetries = [one.laue_group for one in truth.crystals]
    found = OrientationMap(quaternions_of(truth.rotations), symmetries, truth.phases + 1)
    told = {
        "phases": [one.settings() for one in truth.crystals],
        "library": {"voltage": truth.voltage},
    }
    stack = MapStack(np.zeros((1, 8, 9)), [Channel("x")], provenance={"indexing": told})
    return SolutionSpots.of(stack, found)


def test_spots_are_those_of_the_crystal_as_it_lies(truth, solutions):
    seen = set()
    for row, col in np.argwhere(truth.phases >= 0):
        phase = truth.phases[row, col]
        simulate = KinematicalSpots(truth.crystals[phase], voltage=300, thickness=100)
        expected = simulate(truth.rotations[row, col][None])[0].numpy()
        found = solutions.at(row, col)
        count = len(found.values)
        assert 0 < count <= 100
        np.testing.assert_allclose(found.values[:, 2], expected[:count, 2], rtol=1e-4)
        # Equally strong ones come in any order.
        apart = np.abs(found.values[:, None, :2] - expected[None, :, :2]).sum(axis=2)
        assert apart.min(axis=1).max() < 1e-4
        vectors = found.hkl @ truth.crystals[phase].reciprocal_base @ truth.rotations[row, col]
        np.testing.assert_allclose(vectors[:, :2], found.values[:, :2], atol=1e-5)
        seen.add(phase)
    assert seen == {0, 1}


def test_where_no_crystal_was_found_there_are_none(truth, solutions):
    row, col = np.argwhere(truth.phases < 0)[0]
    assert solutions.at(row, col) is None
