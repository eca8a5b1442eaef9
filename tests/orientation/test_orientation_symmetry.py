"""Symmetry against orix, in all Laue groups."""

import numpy as np
import pytest
import torch
from orix.quaternion import Orientation, Rotation, symmetry

from napari_kikuchi.orientation.symmetry import (
    disorientation_angles,
    proper_operators,
    reduced,
    rotation_angles,
)

LAUE_GROUPS = ["Ci", "C2h", "D2h", "S6", "D3d", "C4h", "D4h", "C6h", "D6h", "Th", "Oh"]
# Degrees.
CLOSE = 1e-4


@pytest.fixture(params=LAUE_GROUPS)
def laue_group(request):
    return getattr(symmetry, request.param)


def orientations(rotations, group):
    return Orientation.from_matrix(rotations, symmetry=group)


def about_x(angle, dtype=torch.float64):
    angle = torch.as_tensor(angle, dtype=dtype)
    zero, one = torch.zeros_like(angle), torch.ones_like(angle)
    rows = [one, zero, zero, zero, angle.cos(), -angle.sin(), zero, angle.sin(), angle.cos()]
    return torch.stack(rows, dim=-1).reshape(*angle.shape, 3, 3)


def test_disorientations_are_those_of_orix(laue_group, random_rotations):
    first, second = random_rotations(500, 1), random_rotations(500, 2)
    expected = orientations(first, laue_group).angle_with(
        orientations(second, laue_group), degrees=True
    )
    found = disorientation_angles(
        torch.tensor(first), torch.tensor(second), proper_operators(laue_group)
    )
    np.testing.assert_allclose(torch.rad2deg(found), expected, atol=CLOSE)


def test_reduced_orientations_are_those_of_orix(laue_group, random_rotations):
    rotations = random_rotations(500, 3)
    expected = orientations(rotations, laue_group).reduce().to_matrix()
    found = reduced(torch.tensor(rotations), proper_operators(laue_group))
    apart = rotation_angles(found @ torch.tensor(expected).mT)
    np.testing.assert_allclose(torch.rad2deg(apart), 0, atol=CLOSE)


def test_equivalent_orientations_are_one(laue_group, random_rotations):
    operators = proper_operators(laue_group)
    rotations = torch.tensor(random_rotations(50, 4))
    equivalent = operators[:, None] @ rotations
    angles = disorientation_angles(equivalent, rotations, operators)
    assert angles.shape == equivalent.shape[:2]
    np.testing.assert_allclose(angles, 0, atol=1e-7)


def test_operators_are_rotations_that_make_a_group(laue_group):
    operators = proper_operators(laue_group)
    np.testing.assert_allclose(torch.linalg.det(operators), 1)
    products = (operators[:, None] @ operators).reshape(-1, 1, 9)
    away = (products - operators.reshape(1, -1, 9)).abs().amax(-1).amin(1)
    np.testing.assert_allclose(away, 0, atol=1e-12)


def test_matrices_turn_the_frame_of_the_sample_into_the_crystals(random_rotations):
    """The convention of orix: an operator of the crystal acts on what the matrix gives."""
    matrix = random_rotations(1)
    operators = proper_operators(symmetry.Oh)
    turned = torch.tensor(matrix) @ about_x(np.pi / 2)
    angle = disorientation_angles(operators[5] @ torch.tensor(matrix), turned, operators)
    expected = orientations(matrix, symmetry.Oh).angle_with(
        orientations(turned.numpy(), symmetry.Oh)
    )
    np.testing.assert_allclose(angle, expected, atol=1e-6)
    vector = [1.0, 2.0, 3.0]
    np.testing.assert_allclose(
        (Rotation.from_matrix(matrix) * symmetry.Vector3d(vector)).data[0], matrix[0] @ vector
    )


@pytest.mark.parametrize(
    ("dtype", "close"), [(torch.float32, 1e-6), (torch.float64, 1e-15)], ids=["single", "double"]
)
@pytest.mark.parametrize("at", [0.0, np.pi])
def test_angles_are_exact_near_nought_and_pi(dtype, close, at):
    away = torch.tensor([0.0, 1e-6, 1e-4, 1e-2], dtype=torch.float64)
    angles = (away - at).abs()
    found = rotation_angles(about_x(angles).to(dtype))
    np.testing.assert_allclose(found, angles, atol=close)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("angle", [0.0, 1e-6, 1e-3, 0.5, np.pi - 1e-6, np.pi])
def test_gradients_are_finite_everywhere(dtype, angle):
    rotation = about_x(torch.tensor([angle], dtype=torch.float64)).to(dtype).requires_grad_()
    identity = torch.eye(3, dtype=dtype)
    for group in (symmetry.Ci, symmetry.Oh):
        operators = proper_operators(group, dtype=dtype)
        loss = disorientation_angles(rotation, identity, operators).sum()
        (gradient,) = torch.autograd.grad(loss, rotation)
        assert torch.isfinite(gradient).all()


def test_gradient_of_an_angle_is_one():
    angle = torch.tensor([1e-4, 0.3], dtype=torch.float64, requires_grad=True)
    operators = proper_operators(symmetry.Oh)
    identity = torch.eye(3, dtype=torch.float64)
    disorientation_angles(about_x_of(angle), identity, operators).sum().backward()
    np.testing.assert_allclose(angle.grad, 1, rtol=1e-6)


def about_x_of(angle):
    generator = torch.tensor([[0.0, 0, 0], [0, 0, -1], [0, 1, 0]], dtype=angle.dtype)
    return torch.linalg.matrix_exp(angle[:, None, None] * generator)
