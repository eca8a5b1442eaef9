"""Neighbours decide between orientations that a pattern does not tell apart."""

import numpy as np
import pytest
import torch
from orix.quaternion import Misorientation, Orientation, Rotation
from scipy.spatial.transform import Rotation as Scipy

from napari_kikuchi.orientation.settling import AGREEMENT, settle


def random_rotations(count, seed):
    matrices = Scipy.random(count, rng=np.random.default_rng(seed)).as_matrix()
    return Rotation.from_matrix(matrices)


def quaternions(rotations, shape):
    return torch.as_tensor(rotations.data).reshape(*shape, 4)


@pytest.fixture(scope="module")
def doubtful(crystals):
    """Two grains side by side, whose right solution is the second of most positions."""
    rng = np.random.default_rng(0)
    symmetry = crystals["cu"].laue_group
    shape = (12, 12)
    grains = random_rotations(2, 1)
    truth = torch.as_tensor(grains.data)[(torch.arange(12) >= 6).long()].expand(12, 12, 4)
    # Another name of the same orientation at each position, and half a degree off.
    operators = Rotation(symmetry.laue_proper_subgroup.data)
    chosen = operators[rng.integers(24, size=144)]
    off = Rotation.from_axes_angles(rng.normal(size=(144, 3)), np.deg2rad(0.5))
    right = quaternions(chosen * Rotation(truth.reshape(-1, 4).numpy()) * off, shape)
    wrong = quaternions(random_rotations(144, 2), shape)
    return symmetry, right, wrong


def test_right_solutions_win_where_neighbours_have_them(doubtful):
    symmetry, right, wrong = doubtful
    shape = right.shape[:2]
    probabilities = torch.tensor([0.5, 0.4]).expand(*shape, 2)
    phases = torch.zeros(*shape, 2, dtype=torch.int64)
    settled = settle(probabilities, phases, torch.stack([wrong, right], dim=2), [symmetry])
    assert settled.shape == (*shape, 2)
    assert (settled[..., 1] > 0.55).all()
    assert (settled.sum(-1) <= 1 + 1e-5).all()


def test_a_grain_of_its_own_stays(doubtful):
    """A position that is sure of itself is not outvoted."""
    symmetry, right, wrong = doubtful
    shape = right.shape[:2]
    probabilities = torch.tensor([0.95, 0.01]).repeat(*shape, 1)
    solutions = torch.stack([right, wrong], dim=2)
    solutions[5, 3, 0] = wrong[5, 3]
    probabilities[5, 3] = torch.tensor([0.995, 0.0])
    phases = torch.zeros(*shape, 2, dtype=torch.int64)
    settled = settle(probabilities, phases, solutions, [symmetry])
    assert settled[5, 3, 0] > 0.5
    assert (settled[..., 0] > 0.5).all()


def test_equal_doubts_stay_equal(doubtful):
    """Neighbours that do not know either say nothing."""
    symmetry, right, _ = doubtful
    other = quaternions(Rotation(right.reshape(-1, 4).numpy()) * Rotation([0, 0, 0, 1]), (12, 12))
    probabilities = torch.full((12, 12, 2), 0.45)
    phases = torch.zeros(12, 12, 2, dtype=torch.int64)
    settled = settle(probabilities, phases, torch.stack([right, other], dim=2), [symmetry])
    np.testing.assert_allclose(settled[..., 0], settled[..., 1], atol=1e-5)


def test_phases_do_not_speak_for_each_other(doubtful, crystals):
    symmetry, right, wrong = doubtful
    shape = right.shape[:2]
    probabilities = torch.tensor([0.5, 0.4]).expand(*shape, 2)
    # The right orientation everywhere, but of either phase in turn.
    rows, cols = np.indices(shape)
    phases = torch.zeros(*shape, 2, dtype=torch.int64)
    phases[..., 1] = torch.from_numpy((rows + cols) % 2)
    settled = settle(
        probabilities,
        phases,
        torch.stack([wrong, right], dim=2),
        [symmetry, crystals["cu"].laue_group],
    )
    assert (settled[..., 1] < 0.55).all()


def test_empty_places_stay_empty(doubtful):
    symmetry, _, wrong = doubtful
    probabilities = torch.zeros(12, 12, 1)
    probabilities[3, 3] = 0.2
    phases = torch.full((12, 12, 1), -1)
    phases[3, 3] = 0
    places = torch.where((phases >= 0)[..., None], wrong[..., None, :], torch.nan)
    settled = settle(probabilities, phases, places, [symmetry])
    torch.testing.assert_close(settled, probabilities)


def test_agreement_is_that_of_orix(doubtful):
    """Two neighbours agree as far as their disorientation is below the limit."""
    symmetry, _, _ = doubtful
    rng = np.random.default_rng(3)
    first = random_rotations(200, 3)
    axes = rng.normal(size=(200, 3))
    turns = Rotation.from_axes_angles(axes, np.deg2rad(rng.uniform(1, 8, 200)))
    second = turns * first
    apart = Misorientation(
        (Orientation(second) * ~Orientation(first)).data, symmetry=(symmetry, symmetry)
    ).reduce()
    angles = np.rad2deg(apart.angle)
    pairs = torch.stack([torch.as_tensor(one.data) for one in (first, second)], dim=1)
    settled = settle(
        torch.full((200, 2, 1), 0.5),
        torch.zeros(200, 2, 1, dtype=torch.int64),
        pairs[:, :, None],
        [symmetry],
    )
    # Rows of two columns; rows are of random orientations, and do not agree.
    agreed = (settled[:, :, 0] > settled[:, :, 0].median()).all(1).numpy()
    assert 20 < (angles < AGREEMENT).sum() < 180
    np.testing.assert_array_equal(agreed, angles < AGREEMENT)
