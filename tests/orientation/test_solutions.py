"""Orientations and phases, and how sure they are."""

import numpy as np
import pytest
import torch

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.jobs import finish
from napari_kikuchi.orientation.degrade import Degradation, degrade
from napari_kikuchi.orientation.indexing import Indexer
from napari_kikuchi.orientation.kinematical import KinematicalSpots
from napari_kikuchi.orientation.lessons import spot_lessons
from napari_kikuchi.orientation.spot_calibration import SpotCalibration
from napari_kikuchi.orientation.spots import Spots
from napari_kikuchi.orientation.symmetry import disorientation_angles
from napari_kikuchi.orientation.templates import dynamical_library

K_MAX = 1.8
NAMES = ("cu", "fe", "ti")
COUNT = 150
# As after a calibration.
NOISE = Degradation(k_max=K_MAX).scaled(0.3)


@pytest.fixture(scope="module")
def libraries():
    return [
        finish(
            dynamical_library(
                Crystal.built_in(name), k_max=K_MAX, step=3, fine_step=0.75,
                thicknesses=range(100, 801, 100),
            )
        )
        for name in NAMES
    ]  # fmt: skip


@pytest.fixture(scope="module")
def measured():
    """Noisy patterns of each crystal by Bloch waves."""
    generator = torch.Generator().manual_seed(4)
    lessons = [
        finish(spot_lessons(Crystal.built_in(name), COUNT, thicknesses=1, k_max=K_MAX, seed=11))
        for name in NAMES
    ]
    spots = torch.cat([torch.from_numpy(one.spots) for one in lessons])
    return (
        Spots(degrade(spots, NOISE, generator).numpy()),
        torch.from_numpy(np.concatenate([one.rotations for one in lessons])),
        torch.arange(len(NAMES)).repeat_interleave(COUNT),
    )


@pytest.fixture(scope="module")
def found(libraries, measured):
    return Indexer(libraries)(measured[0])


def test_phases_and_orientations_are_found(found, measured, libraries):
    _, truth, phases = measured
    right = found.phases[:, 0] == phases
    assert right.double().mean() > 0.93
    for phase, library in enumerate(libraries):
        of_phase = right & (phases == phase)
        angles = disorientation_angles(
            found.rotations[of_phase, 0], truth[of_phase], library.operators
        ).rad2deg()
        assert angles.median() < 1


def test_probabilities_come_true(found, measured, libraries):
    """As often as they say, up to what so few patterns allow."""
    _, truth, phases = measured
    apart = torch.stack(
        [disorientation_angles(found.rotations[:, 0], truth, one.operators) for one in libraries]
    ).rad2deg()
    near = apart.gather(0, phases[None])[0] < 2
    came_true = (near & (found.phases[:, 0] == phases)).double()
    told = found.probabilities[:, 0].double()
    assert abs(came_true.mean() - told.mean()) < 0.05
    assert came_true[told > 0.9].mean() > 0.9
    assert came_true[told < 0.6].mean() < 0.7


def test_solutions_are_apart_and_add_up(found, libraries):
    probabilities = found.probabilities
    assert (probabilities.diff(dim=1) <= 1e-6).all()
    assert (probabilities.sum(1) <= 1 + 1e-4).all()
    there = found.phases >= 0
    np.testing.assert_array_equal(there, probabilities > 0)
    np.testing.assert_array_equal(there, found.rotations.isfinite().all(-1).all(-1))
    for phase, library in enumerate(libraries):
        both = (found.phases[:, :2] == phase).all(1)
        angles = disorientation_angles(
            found.rotations[both, 0], found.rotations[both, 1], library.operators
        )
        assert angles.rad2deg().min() > 2


def test_no_spots_and_no_pattern_are_not_indexed(libraries):
    random = np.random.default_rng(5)
    angle = random.uniform(0, 2 * np.pi, (40, 15))
    radius = K_MAX * np.sqrt(random.random((40, 15)))
    spots = np.stack([radius * np.cos(angle), radius * np.sin(angle), np.ones_like(angle)], -1)
    spots = spots.astype(np.float32)
    spots[:20, :, 2] = 0
    found = Indexer(libraries)(Spots(spots))
    assert (found.phases[:20] == -1).all()
    assert (found.probabilities[:20] == 0).all()
    assert found.probabilities[20:].sum(1).median() < 0.3
    assert len(Indexer(libraries)(Spots(spots[:0]))) == 0


def test_of_two_orientations_with_the_same_spots_both_are_told(libraries):
    """Along <111> but for a small tilt, a half turn about the axis gives the same spots."""
    copper = Crystal.built_in("cu")
    z = np.array([1, 1, 1]) / np.sqrt(3)
    x = np.array([1, -1, 0]) / np.sqrt(2)
    rotation = np.stack([x, np.cross(z, x), z], axis=1)
    spots = KinematicalSpots(copper, k_max=K_MAX, max_excitation_error=0.03)(rotation[None])
    found = Indexer(libraries[:1])(Spots(spots.numpy()))
    assert found.probabilities[0, :2].min() > 0.2
    turned = rotation @ np.diag([-1.0, -1, 1])
    both = torch.as_tensor(np.stack([rotation, turned]))
    angles = disorientation_angles(
        found.rotations[0, :2, None], both, libraries[0].operators
    ).rad2deg()
    assert angles.amin(1).max() < 2
    assert angles.amin(0).max() < 2


def test_spots_beyond_the_templates_do_not_count(libraries, measured):
    spots = measured[0][:40]
    within = [library.within(1.4) for library in libraries]
    index = Indexer(within)
    assert index.k_max == 1.4
    found, expected = index(spots), index(spots.within(1.4))
    torch.testing.assert_close(found.probabilities, expected.probabilities)
    # Of fewer spots still many are found.
    angles = disorientation_angles(
        found.rotations[:, 0], measured[1][:40], libraries[0].operators
    ).rad2deg()
    assert (angles < 5).double().mean() > 0.5


@pytest.mark.parametrize("centre", [(20.0, 45.0), (4.0, 45.0)], ids=["wide", "at the edge"])
def test_what_a_detector_does_not_show_is_not_missing(libraries, measured, centre):
    """A detector of which the direct beam is nearer to one pair of edges, or to one edge."""
    window = SpotCalibration(centre, 0.04).window((41, 91))
    spots, truth = (part[:COUNT] for part in measured[:2])
    shown = window.shows(spots.kx, spots.ky)
    seen = Spots(np.where(shown[..., None], spots.values, np.float32(0)))
    found = {}
    for name, known in (("told", window), ("not told", None)):
        solutions = Indexer(libraries[:1], window=known)(seen)
        angles = disorientation_angles(solutions.rotations[:, 0], truth, libraries[0].operators)
        found[name] = float((angles.rad2deg() < 5).double().mean())
    assert found["told"] > 0.5
    assert found["told"] > found["not told"] + 0.02
