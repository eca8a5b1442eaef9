"""Angles between orientations, over all that a crystal's symmetry makes equivalent.

Orientations are unit quaternions, scalar first, that turn the sample's frame into the crystal's;
NaN where there is none. Symmetries are point groups of orix, of which the rotations of their Laue
group count: patterns do not tell a crystal from its inverse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# Pairs whose symmetries are compared at a time.
BATCH = 2**15


def misorientation_angles(
    first: ArrayLike, second: ArrayLike, symmetry: Any
) -> NDArray[np.float64]:
    """Smallest angle between the orientations of each pair, over all equivalent ones.

    Parameters
    ----------
    first, second
        Quaternions of shape (n, 4).
    symmetry
        Point group of both crystals.

    Returns
    -------
    numpy.ndarray
        In degrees, of shape (n,); NaN where one of the two is.
    """
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    rotations = proper_rotations(symmetry)
    out = np.empty(len(first))
    for start in range(0, len(first), BATCH):
        part = slice(start, start + BATCH)
        between = product(first[part], inverse(second[part]))
        turned, _ = nearest_to_identity(between, rotations)
        # The arc tangent keeps the digits of small angles, which the arc cosine loses.
        sine = np.linalg.norm(turned[:, 1:], axis=1)
        out[part] = np.rad2deg(2 * np.arctan2(sine, np.abs(turned[:, 0])))
    return out


def proper_rotations(symmetry: Any) -> NDArray[np.float64]:
    """The rotations of the Laue group of a point group, as quaternions of shape (n, 4)."""
    return np.asarray(symmetry.laue_proper_subgroup.data, np.float64)


def nearest_to_identity(
    quaternions: NDArray[np.float64], rotations: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """The equivalent of each quaternion with the smallest angle, and the rotation that gives it.

    One symmetry suffices: the angle of s1 m s2 is that of (s2 s1) m, and s2 s1 is in the group.
    """
    scalar = quaternions @ inverse(rotations).T
    chosen = np.argmax(np.abs(scalar), axis=1)
    return product(rotations[chosen], quaternions), chosen


def inverse(quaternions: NDArray[np.float64]) -> NDArray[np.float64]:
    """The opposite rotations of unit quaternions, of the same shape."""
    return quaternions * [1, -1, -1, -1]


def product(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hamilton's product of the quaternions of two arrays of shape (n, 4)."""
    a, b, c, d = left.T
    e, f, g, h = right.T
    return np.stack(
        [
            a * e - b * f - c * g - d * h,
            a * f + b * e + c * h - d * g,
            a * g - b * h + c * e + d * f,
            a * h + b * g - c * f + d * e,
        ],
        axis=1,
    )
