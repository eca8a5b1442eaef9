"""Rotation matrices under a crystal's symmetry, in torch: in batches, on any device.

The matrix of an orientation turns vectors of the sample's frame into the crystal's, as orix's
``Orientation.to_matrix`` does; an operator of the crystal stands to its left. Patterns do not tell
a crystal from its inverse, so symmetries are those of Laue groups, and of these the rotations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from torch import Tensor


def proper_operators(
    symmetry: Any,
    *,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str = "cpu",
) -> Tensor:
    """The rotations of the Laue group of a point group.

    Parameters
    ----------
    symmetry
        orix's ``Symmetry``, as :attr:`Crystal.laue_group` gives it.
    dtype, device
        Of the matrices.

    Returns
    -------
    torch.Tensor
        Of shape (operators, 3, 3).
    """
    return torch.as_tensor(symmetry.laue_proper_subgroup.to_matrix(), dtype=dtype, device=device)


def rotation_angles(rotations: Tensor) -> Tensor:
    """Angles of rotations, from 0 to π, exact at both ends.

    The gradient is that of the angle, and 0 where it has none, at 0 and π.

    Parameters
    ----------
    rotations
        Rotation matrices of shape (..., 3, 3).

    Returns
    -------
    torch.Tensor
        In radians, of shape (...).
    """
    twice_sine = torch.stack(
        [
            rotations[..., 2, 1] - rotations[..., 1, 2],
            rotations[..., 0, 2] - rotations[..., 2, 0],
            rotations[..., 1, 0] - rotations[..., 0, 1],
        ],
        dim=-1,
    )
    twice_cosine = rotations.diagonal(dim1=-2, dim2=-1).sum(-1) - 1
    # The arc tangent keeps the digits of small angles, which the arc cosine loses, and torch's
    # norm has a gradient of 0 at 0.
    return torch.atan2(torch.linalg.vector_norm(twice_sine, dim=-1), twice_cosine)


def disorientation_angles(first: Tensor, second: Tensor, operators: Tensor) -> Tensor:
    """Smallest angle between orientations, over all equivalent ones; fit to be a loss.

    Parameters
    ----------
    first, second
        Rotation matrices of shape (..., 3, 3), that broadcast against each other.
    operators
        As :func:`proper_operators` gives them, of the same dtype.

    Returns
    -------
    torch.Tensor
        In radians, of shape (...).
    """
    return rotation_angles(_nearest_to_identity(first @ second.mT, operators))


def reduced(rotations: Tensor, operators: Tensor) -> Tensor:
    """The equivalent orientation in the fundamental zone: that with the smallest angle.

    Parameters
    ----------
    rotations
        Rotation matrices of shape (..., 3, 3).
    operators
        As :func:`proper_operators` gives them, of the same dtype.

    Returns
    -------
    torch.Tensor
        Of the same shape.
    """
    return _nearest_to_identity(rotations, operators)


def _nearest_to_identity(rotations: Tensor, operators: Tensor) -> Tensor:
    """The one of the rotations S R with the largest trace, for each R.

    One symmetry suffices between two orientations: the angle of S M T is that of (T S) M, and T S
    is in the group.
    """
    # tr(S R) is the sum of the products of S and R transposed.
    traces = rotations.mT.flatten(-2) @ operators.flatten(1).T
    return operators[traces.argmax(-1)] @ rotations
