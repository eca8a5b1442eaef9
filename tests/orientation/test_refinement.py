"""Refinement against known orientations, of thin and of thick crystals."""

import numpy as np
import pytest
import torch

from napari_kikuchi.jobs import finish
from napari_kikuchi.orientation.degrade import Degradation, degrade
from napari_kikuchi.orientation.dynamical import DynamicalSpots
from napari_kikuchi.orientation.kinematical import KinematicalSpots
from napari_kikuchi.orientation.matching import Matcher
from napari_kikuchi.orientation.refinement import Refiner
from napari_kikuchi.orientation.spots import Spots
from napari_kikuchi.orientation.symmetry import disorientation_angles
from napari_kikuchi.orientation.templates import dynamical_library, kinematical_library

K_MAX = 1.8
THICKNESSES = tuple(range(100, 401, 50))
CALIBRATION = Degradation(
    weakest=0.0, missed=0.05, spurious=1.0, k_max=K_MAX, jitter=0.005, intensity_noise=0.2
)


@pytest.fixture(scope="module")
def thin(crystals):
    return finish(kinematical_library(crystals["cu"], k_max=K_MAX, fine_step=0.4))


@pytest.fixture(scope="module")
def thick(crystals):
    return finish(
        dynamical_library(crystals["cu"], k_max=K_MAX, fine_step=0.75, thicknesses=THICKNESSES)
    )


@pytest.fixture(scope="module")
def of_thick_crystals(crystals, random_rotations):
    rotations = random_rotations(300, 31)
    simulate = DynamicalSpots(crystals["cu"], k_max=K_MAX)
    lists = [
        simulate(rotation, thickness).lists()[0]
        for rotation, thickness in zip(rotations, np.linspace(100, 400, 300), strict=True)
    ]
    return rotations, Spots.from_lists(lists)


def errors(hypotheses, rotations, library):
    """Of the best hypotheses, in degrees."""
    truth = torch.as_tensor(rotations)
    best = hypotheses.rotations[:, 0]
    return torch.rad2deg(disorientation_angles(best, truth, library.operators))


@pytest.mark.parametrize("degraded", [False, True])
def test_thin_crystals_are_found_to_fractions_of_a_degree(
    crystals, thin, degraded, random_rotations
):
    rotations = random_rotations(300, 32)
    spots = KinematicalSpots(crystals["cu"], k_max=K_MAX)(rotations)
    if degraded:
        spots = degrade(spots, CALIBRATION, torch.Generator().manual_seed(1))
    spots = Spots(spots.numpy())
    matched = Matcher(thin)(spots)
    found = Refiner(thin)(spots, matched)
    before, after = errors(matched, rotations, thin), errors(found, rotations, thin)
    assert after.median() < (0.4 if degraded else 0.25)
    assert after.median() < 0.5 * before.median()
    assert (after < 5).float().mean() > (0.7 if degraded else 0.8)


def test_bloch_waves_tell_thick_crystals_better(thin, thick, of_thick_crystals):
    rotations, spots = of_thick_crystals
    by_kinematical = Refiner(thin)(spots, Matcher(thin)(spots))
    by_dynamical = Refiner(thick)(spots, Matcher(thick)(spots))
    worse, better = errors(by_kinematical, rotations, thin), errors(by_dynamical, rotations, thick)
    assert better.median() < 0.6
    assert (better < 5).float().mean() > 0.8
    assert (better < 2).float().mean() > (worse < 2).float().mean()


def test_hypotheses_of_one_library_can_be_refined_by_another(thin, thick, of_thick_crystals):
    rotations, spots = of_thick_crystals
    found = Refiner(thick)(spots, Matcher(thin)(spots))
    assert errors(found, rotations, thick).median() < 0.6


def test_the_in_plane_angle_is_that_of_the_spots(thin, crystals):
    """Hypotheses that are off by up to a degree are turned to where the spots are."""
    library = thin
    cells = torch.arange(0, len(library.rotations), 5)
    rotations = library.rotations[cells]
    spots = Spots(KinematicalSpots(crystals["cu"], k_max=K_MAX)(rotations).numpy())
    matched = Matcher(library)(spots)
    matched.angles.add_(torch.deg2rad(torch.linspace(-1, 1, len(cells)))[:, None])
    found = Refiner(library)(spots, matched)
    same = (found.cells[:, 0] == cells) & ~found.mirrored[:, 0]
    assert same.float().mean() > 0.5
    angles = torch.rad2deg(found.angles[same, 0]).abs()
    # Along axes of symmetry others are as right.
    assert (angles > 45).float().mean() < 0.1
    assert angles[angles < 45].max() < 0.1


def test_patterns_without_spots_have_no_orientation(thin):
    spots = Spots(np.zeros((2, 4, 3), np.float32))
    found = Refiner(thin)(spots, Matcher(thin)(spots))
    assert (found.scores == 0).all()
    assert found.rotations.isnan().all()
    none = Spots(np.zeros((0, 4, 3), np.float32))
    assert len(Refiner(thin)(none, Matcher(thin)(none))) == 0


def test_scores_are_shares_and_batches_do_not_change_them(thin, of_thick_crystals, monkeypatch):
    _, spots = of_thick_crystals
    matched = Matcher(thin)(spots)
    expected = Refiner(thin)(spots, matched)
    assert expected.scores.dtype == torch.float32
    assert (expected.scores.diff(dim=1) <= 0).all()
    assert 0 < expected.scores[:, 0].min() < expected.scores.max() <= 1
    monkeypatch.setattr("napari_kikuchi.orientation.refinement._BATCH", {"cpu": 2**17})
    found = Refiner(thin)(spots, matched)
    torch.testing.assert_close(found.scores, expected.scores)


def test_the_best_keep_their_evidence(thin, of_thick_crystals):
    spots = of_thick_crystals[1][:20]
    whole = Refiner(thin).refine(spots, Matcher(thin, hypotheses=6)(spots))
    some = whole.best(2)
    assert whole.best(6) is whole
    order = np.argsort(-whole.hypotheses.scores.numpy(), axis=1, kind="stable")[:, :2]
    for one, part in ((whole.hypotheses.rotations, some.hypotheses.rotations),
                      (whole.evidence, some.evidence)):  # fmt: skip
        each = order.reshape(20, 2, *[1] * (one.ndim - 2))
        np.testing.assert_array_equal(part, np.take_along_axis(one.numpy(), each, axis=1))


def test_hypotheses_must_be_of_these_patterns_and_cells(crystals, thin, of_thick_crystals):
    _, spots = of_thick_crystals
    matched = Matcher(thin)(spots)
    with pytest.raises(ValueError, match="expected hypotheses of 3 patterns, found those of 300"):
        Refiner(thin)(spots[:3], matched)
    few = finish(kinematical_library(crystals["cu"], k_max=K_MAX, step=10, fine_step=5))
    with pytest.raises(ValueError, match="they are of another one"):
        Refiner(few)(spots, matched)
