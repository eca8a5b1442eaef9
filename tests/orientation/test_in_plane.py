"""Turned and mirrored patterns are those of the orientations that come with them."""

import numpy as np
import pytest
import torch

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.orientation.dynamical import DynamicalSpots
from napari_kikuchi.orientation.in_plane import mirrored, turned


@pytest.fixture(scope="module", params=["cu", "ti"])
def simulate(request):
    solver = DynamicalSpots(Crystal.built_in(request.param), k_max=1.2)
    return lambda rotations: torch.tensor(solver(rotations, 300.0, min_intensity=0.01).values)


@pytest.fixture(scope="module")
def rotations(random_rotations):
    return torch.tensor(random_rotations(6, 10))


def assert_same(one, other):
    """Spots that are equally strong may change places."""
    for first, second in zip(one, other, strict=True):
        first, second = first[first[:, 2] > 0], second[second[:, 2] > 0]
        apart = torch.cdist(first[:, :2], second[:, :2])
        nearest = apart.argmin(1)
        assert len(first) == len(second) > 0
        assert apart.amin(1).max() < 1e-5
        torch.testing.assert_close(first[:, 2], second[nearest, 2], atol=1e-6, rtol=1e-4)


def test_turned_patterns(simulate, rotations):
    angles = torch.linspace(-3, 3, len(rotations), dtype=torch.float64)
    spots, orientations = turned(simulate(rotations), rotations, angles)
    assert_same(spots, simulate(orientations))


def test_patterns_turn_from_x_towards_y():
    spots, _ = turned(torch.tensor([[[1.0, 0, 5]]]), torch.eye(3)[None], torch.tensor([np.pi / 2]))
    torch.testing.assert_close(spots, torch.tensor([[[0.0, 1, 5]]]))


def test_mirrored_patterns(simulate, rotations):
    spots, orientations = mirrored(simulate(rotations), rotations)
    np.testing.assert_allclose(torch.linalg.det(orientations), 1)
    assert_same(spots, simulate(orientations))
