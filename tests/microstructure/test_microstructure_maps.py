from dataclasses import replace

import numpy as np
import pytest
import torch
from orix.quaternion.symmetry import Oh

from napari_kikuchi.explore.orientations import OrientationMap
from napari_kikuchi.io.export import export_maps
from napari_kikuchi.io.indexed import PHASE, QUATERNION, NoOrientationsError, read_indexed
from napari_kikuchi.io.map_store import read_maps, write_maps
from napari_kikuchi.jobs import finish
from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.microstructure.generator import MicrostructureGenerator
from napari_kikuchi.microstructure.maps import (
    FILLED_IN,
    cubic_phases,
    grain_maps,
    polycrystal_orientations,
)
from napari_kikuchi.microstructure.network import GeneratorArchitecture, GeneratorNetwork
from napari_kikuchi.microstructure.polycrystal import PolycrystalSettings, Volume
from napari_kikuchi.microstructure.scan_filling import fill_maps


@pytest.fixture(scope="module")
def generator():
    torch.manual_seed(0)
    return MicrostructureGenerator(GeneratorNetwork(GeneratorArchitecture((8, 16), block=2)).eval())


@pytest.fixture(scope="module")
def truth():
    return polycrystal_orientations(Volume(PolycrystalSettings(diameter=8), 32, 3).slice(2, 0.5))


@pytest.fixture
def stack(truth):
    quaternions = truth.quaternions.copy()
    quaternions[5:9, 20:26] = np.nan
    holed = OrientationMap(quaternions, truth.symmetries, truth.phases)
    return grain_maps(holed, cubic_phases(), {"method": "test"}, step=(0.5, 0.25))


def test_maps_hold_grains_that_others_can_read(truth, tmp_path):
    made = grain_maps(truth, cubic_phases(), {}, step=(0.2, 0.2))
    write_maps(tmp_path / "made.zarr", made)
    found = read_indexed(read_maps(tmp_path / "made.zarr"))
    np.testing.assert_allclose(found.quaternions, truth.quaternions, atol=1e-6)
    np.testing.assert_array_equal(found.numbers, truth.numbers)
    assert [phase.space_group.number for phase in found.phases] == [225, 225]
    for name in ("made.ctf", "made.ang"):
        written = finish(export_maps(tmp_path / name, [made]))
        assert len(written.read_text().splitlines()) > 32 * 32


def test_what_was_measured_stays_and_holes_are_told(generator, stack, truth):
    filled = finish(fill_maps(generator, stack, steps=2))
    assert filled.map_shape == (32, 32)
    assert filled.step == (0.5, 0.25)
    told = filled.map(filled.names.index(FILLED_IN)) > 0
    hole = np.zeros((32, 32), bool)
    hole[5:9, 20:26] = True
    np.testing.assert_array_equal(told, hole)
    found = read_indexed(filled)
    np.testing.assert_allclose(found.quaternions[~hole], truth.quaternions[~hole], atol=1e-6)
    np.testing.assert_array_equal(found.numbers[~hole], truth.numbers[~hole])
    assert (found.numbers > 0).all()
    for name in (PHASE, *QUATERNION):
        own, theirs = (one.map(one.names.index(name)) for one in (filled, stack))
        np.testing.assert_array_equal(own[~hole], theirs[~hole])
    settings = filled.provenance["microstructure"]
    assert (settings["made"], settings["seed"]) == ("filled in", 0)


def test_measured_places_can_be_made_anew_and_maps_go_on(generator, stack):
    holes = np.zeros((32, 32), bool)
    holes[:3] = True
    filled = finish(fill_maps(generator, stack, holes=holes, margins=(0, 4, 2, 0), steps=2))
    assert filled.map_shape == (36, 34)
    told = filled.map(filled.names.index(FILLED_IN)) > 0
    expected = np.ones((36, 34), bool)
    expected[3:32, 2:] = False
    expected[5:9, 22:28] = True
    np.testing.assert_array_equal(told, expected)
    assert np.isfinite(filled.values[:5]).all()
    measured = np.ones((32, 32), bool)
    measured[:3] = measured[5:9, 20:26] = False
    for name in QUATERNION:
        own, theirs = (one.map(one.names.index(name)) for one in (filled, stack))
        np.testing.assert_array_equal(own[:32, 2:][measured], theirs[measured])
    assert filled.provenance["microstructure"]["made"] == "extended"


def test_maps_that_cannot_be_filled_are_told(generator, stack):
    with pytest.raises(ValueError, match="map's shape"):
        finish(fill_maps(generator, stack, holes=np.zeros((3, 3), bool)))
    with pytest.raises(ValueError, match="margins of 0 or more"):
        finish(fill_maps(generator, stack, margins=(0, 0, 0, -2)))
    hexagonal = replace(stack, provenance={**stack.provenance, "scan": {"grid": "hexagonal"}})
    with pytest.raises(ValueError, match="found a hexagonal one"):
        finish(fill_maps(generator, hexagonal))
    with pytest.raises(NoOrientationsError):
        finish(fill_maps(generator, MapStack(np.zeros((1, 4, 4)), [Channel("map")])))


def test_maps_of_one_phase_stay_of_one(generator, truth):
    alone = OrientationMap(truth.quaternions, [Oh])
    made = grain_maps(alone, cubic_phases(1), {})
    filled = finish(fill_maps(generator, made, margins=(4, 0, 0, 0), steps=2))
    assert (read_indexed(filled).numbers == 1).all()
