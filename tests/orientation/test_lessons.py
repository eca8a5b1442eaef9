"""Patterns to learn from."""

import numpy as np
import pytest
import torch

from napari_kikuchi.crystals.beam import Beam
from napari_kikuchi.jobs import finish
from napari_kikuchi.orientation.degrade import Degradation
from napari_kikuchi.orientation.lessons import spot_lessons

K_MAX = 1.2


@pytest.mark.parametrize("kinematical", [False, True])
def test_spots_lie_where_the_orientations_put_reflections(crystals, kinematical):
    crystal = crystals["cu"]
    lessons = finish(
        spot_lessons(crystal, 6, thicknesses=2, k_max=K_MAX, most_spots=20, kinematical=kinematical)
    )
    assert lessons.spots.shape == (12, 20, 3)
    reflections = crystal.reflections(K_MAX).vectors
    for spots, rotation in zip(lessons.spots, lessons.rotations, strict=True):
        in_sample = reflections @ rotation
        near = np.abs(Beam(300.0).excitation_errors(in_sample)) < 0.1
        found = spots[spots[:, 2] > 0]
        apart = np.linalg.norm(found[:, None, :2] - in_sample[near, :2], axis=2)
        assert apart.min(axis=1, initial=9).max(initial=0) < 1e-5
    assert (lessons.spots[..., 2] > 0).sum() > 30
    # Each orientation comes as often as it has thicknesses, and these differ.
    np.testing.assert_array_equal(lessons.rotations[::2], lessons.rotations[1::2])
    assert (lessons.spots[::2] != lessons.spots[1::2]).any(axis=(1, 2)).all()


def test_seeds_share_no_orientation_and_repeat(crystals):
    once, again, other = (
        finish(spot_lessons(crystals["cu"], 5, thicknesses=1, k_max=K_MAX, seed=seed))
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(once.spots, again.spots)
    assert np.abs(once.rotations[:, None] - other.rotations).max(axis=(2, 3)).min() > 1e-3


def test_a_degradation_is_scaled_but_for_the_detector():
    scaled = Degradation(k_max=1.5).scaled(0.5)
    assert (scaled.k_max, scaled.missed, scaled.spurious) == (1.5, 0.025, 0.5)
    assert torch.tensor(scaled.saturation) == 0.15
