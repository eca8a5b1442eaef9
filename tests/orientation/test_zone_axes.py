"""Directions of the beam: every one, or an equivalent one, is near to one of those given."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.orientation.symmetry import proper_operators
from napari_kikuchi.orientation.zone_axes import tilted, tilts, zone_axes


@pytest.mark.parametrize("name", ["cu", "ti", "trigonal", "monoclinic", "triclinic"])
def test_equivalent_directions_are_covered_once(name, crystals, random_rotations):
    step = 4.0
    operators = proper_operators(crystals[name].laue_group)
    rotations = zone_axes(crystals[name].laue_group, step)
    torch.testing.assert_close(
        rotations @ rotations.mT, torch.eye(3, dtype=torch.float64).expand_as(rotations)
    )
    assert (torch.linalg.det(rotations) > 0).all()
    # The sphere has 41,253 square degrees, and each operator of the Laue group its share.
    expected = 41_253 / step**2 / (2 * len(operators))
    # On borders there are some more.
    assert 0.98 * expected < len(rotations) < expected + 2 * expected**0.5

    directions = torch.as_tensor(random_rotations(2000, 3)[:, :, 2])
    equivalent = directions @ operators.mT
    cosine = (equivalent @ rotations[:, :, 2].T).abs().amax((0, 2))
    assert torch.rad2deg(cosine.clamp(max=1).acos()).max() < 0.85 * step


@pytest.mark.parametrize("step", [0, 0.05, 31, float("nan")])
def test_steps_are_those_of_templates(step):
    with pytest.raises(ValueError, match=r"expected a step from 0\.1 to 30 degrees, found"):
        zone_axes(Crystal.built_in("cu").laue_group, step)


def test_tilts_fill_a_circle():
    found = np.rad2deg(tilts(1.0, 0.5).numpy())
    expected = [
        (x, y) for x in np.arange(-2, 3) / 2 for y in np.arange(-2, 3) / 2 if x * x + y * y <= 1
    ]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_tilts_move_the_beam_and_do_not_turn_about_it(random_rotations):
    rotations = torch.as_tensor(random_rotations(3, 4))
    tilt = torch.tensor([[0.02, -0.03], [0.0, 0.0], [-0.5, 0.2]], dtype=torch.float64)
    # About the axis across the beam and the way it goes.
    axis = torch.stack([-tilt[:, 1], tilt[:, 0], torch.zeros(3)], dim=1)
    expected = rotations.numpy() @ Rotation.from_rotvec(axis.numpy()).as_matrix()
    np.testing.assert_allclose(tilted(rotations, tilt), expected, atol=1e-12)
