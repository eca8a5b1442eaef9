"""What a map of orientations shows: grains, misorientations within them, inverse pole figures.

Orientations are unit quaternions, scalar first, that turn the sample's frame into the crystal's;
NaN where there is none. Symmetries are point groups of orix, of which the rotations of their Laue
group count: patterns do not tell a crystal from its inverse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_kikuchi.graphs import connected

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# Neighbours further apart than this belong to another grain, and do not count in the KAM.
GRAIN_THRESHOLD = 5.0
KAM_LIMIT = 5.0

# Pairs whose symmetries are compared at a time.
_BATCH = 2**15
# By then the mean of a grain moves no more than the rounding errors.
_MEAN_ITERATIONS = 3


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
    rotations = _rotations(symmetry)
    out = np.empty(len(first))
    for start in range(0, len(first), _BATCH):
        part = slice(start, start + _BATCH)
        between = _product(first[part], _inverse(second[part]))
        turned, _ = _nearest_to_identity(between, rotations)
        # The arc tangent keeps the digits of small angles, which the arc cosine loses.
        sine = np.linalg.norm(turned[:, 1:], axis=1)
        out[part] = np.rad2deg(2 * np.arctan2(sine, np.abs(turned[:, 0])))
    return out


def kernel_average_misorientation(
    quaternions: NDArray,
    symmetry: Any,
    *,
    limit: float = KAM_LIMIT,
    grid: Literal["square", "hexagonal"] = "square",
) -> NDArray[np.float64]:
    """Mean misorientation of each position to its nearest neighbours (KAM).

    Parameters
    ----------
    quaternions
        Of shape (rows, columns, 4).
    symmetry
        Point group of the crystal.
    limit
        Neighbours above this angle, in degrees, do not count: they belong to another grain.
    grid
        Four neighbours on a ``"square"`` grid, six on a ``"hexagonal"`` one.

    Returns
    -------
    numpy.ndarray
        In degrees, of shape (rows, columns); NaN where no neighbour counts.
    """
    rows, cols, _ = quaternions.shape
    pairs, angles = _neighbour_angles(quaternions, symmetry, grid)
    counted = angles <= limit  # Not a NaN.
    ends = pairs[counted].T.ravel()
    total = np.bincount(ends, np.tile(angles[counted], 2), minlength=rows * cols)
    count = np.bincount(ends, minlength=rows * cols)
    mean = np.divide(total, count, out=np.full(rows * cols, np.nan), where=count > 0)
    return mean.reshape(rows, cols)


def find_grains(
    quaternions: NDArray,
    symmetry: Any,
    *,
    threshold: float = GRAIN_THRESHOLD,
    grid: Literal["square", "hexagonal"] = "square",
) -> NDArray[np.int32]:
    """Number the grains: positions that neighbours lead to, each within the threshold of the next.

    Parameters
    ----------
    quaternions
        Of shape (rows, columns, 4).
    symmetry
        Point group of the crystal.
    threshold
        Misorientation in degrees above which two neighbours belong to different grains.
    grid
        Four neighbours on a ``"square"`` grid, six on a ``"hexagonal"`` one.

    Returns
    -------
    numpy.ndarray
        Numbers from 1, in the order of the grains' first positions, of shape (rows, columns);
        0 where there is no orientation.
    """
    rows, cols, _ = quaternions.shape
    pairs, angles = _neighbour_angles(quaternions, symmetry, grid)
    one, other = pairs[angles <= threshold].T
    component = connected(one, other, rows * cols)
    known = np.isfinite(quaternions).all(axis=-1).ravel()
    grain = np.zeros(rows * cols, np.int32)
    _, first, inverse = np.unique(component[known], return_index=True, return_inverse=True)
    order = np.empty(len(first), np.int32)
    order[np.argsort(first)] = np.arange(1, len(first) + 1)
    grain[known] = order[inverse]
    return grain.reshape(rows, cols)


def grain_mean_orientations(
    quaternions: NDArray, grain: NDArray[np.integer], symmetry: Any
) -> NDArray[np.float64]:
    """Mean orientation of each grain.

    The orientations of a grain are brought, by the symmetry, next to each other before they are
    averaged; the mean is the eigenvector of Markley et al. (2007), Averaging quaternions,
    10.2514/1.28949.

    Parameters
    ----------
    quaternions
        Of shape (rows, columns, 4).
    grain
        Numbers from 1 without gaps, 0 for no grain, of shape (rows, columns).
    symmetry
        Point group of the crystal.

    Returns
    -------
    numpy.ndarray
        Quaternions of shape (grains, 4), that of grain 1 first.
    """
    inside = grain.ravel() > 0
    own = quaternions.reshape(-1, 4)[inside].astype(np.float64)
    _, first, index = np.unique(grain.ravel()[inside], return_index=True, return_inverse=True)
    mean = own[first]
    rotations = _rotations(symmetry)
    for _ in range(_MEAN_ITERATIONS):
        moments = np.zeros((len(mean), 4, 4))
        for start in range(0, len(own), _BATCH):
            part = slice(start, start + _BATCH)
            between = _product(own[part], _inverse(mean[index[part]]))
            _, chosen = _nearest_to_identity(between, rotations)
            near = _product(rotations[chosen], own[part])
            np.add.at(moments, index[part], near[:, :, None] * near[:, None, :])
        mean = np.linalg.eigh(moments)[1][..., -1]
    return mean


def grain_reference_orientation_deviation(
    quaternions: NDArray, grain: NDArray[np.integer], symmetry: Any
) -> NDArray[np.float64]:
    """Misorientation of each position to the mean orientation of its grain (GROD).

    Parameters
    ----------
    quaternions
        Of shape (rows, columns, 4).
    grain
        As :func:`find_grains` numbers them.
    symmetry
        Point group of the crystal.

    Returns
    -------
    numpy.ndarray
        In degrees, of shape (rows, columns); NaN where there is no grain.
    """
    out = np.full(grain.shape, np.nan)
    inside = grain > 0
    mean = grain_mean_orientations(quaternions, grain, symmetry)
    out[inside] = misorientation_angles(quaternions[inside], mean[grain[inside] - 1], symmetry)
    return out


def ipf_colours(quaternions: NDArray, symmetry: Any) -> NDArray[np.float64]:
    """Colour of the crystal direction that lies along the surface's normal (ND).

    The colours are those of the usual inverse pole figure key (TSL), as orix has it.

    Parameters
    ----------
    quaternions
        Of shape (rows, columns, 4).
    symmetry
        Point group of the crystal.

    Returns
    -------
    numpy.ndarray
        Red, green and blue between 0 and 1, of shape (3, rows, columns); NaN where there is no
        orientation.
    """
    from orix.plot import IPFColorKeyTSL
    from orix.quaternion import Orientation

    known = np.isfinite(quaternions).all(axis=-1)
    out = np.full((*known.shape, 3), np.nan)
    if known.any():
        orientations = Orientation(quaternions[known], symmetry=symmetry.laue)
        out[known] = IPFColorKeyTSL(symmetry.laue).orientation2color(orientations)
    return np.moveaxis(out, -1, 0)


def neighbours(
    map_shape: tuple[int, int], grid: Literal["square", "hexagonal"] = "square"
) -> NDArray[np.intp]:
    """All pairs of nearest neighbours, once each, as flat indices of shape (pairs, 2)."""
    index = np.arange(map_shape[0] * map_shape[1]).reshape(map_shape)
    beside = [(index[:, :-1], index[:, 1:]), (index[:-1], index[1:])]
    if grid == "hexagonal":
        # Odd rows lie half a step to the right: their second neighbour below is one further
        # right, that of the others one further left.
        beside += [(index[1:-1:2, :-1], index[2::2, 1:]), (index[:-1:2, 1:], index[1::2, :-1])]
    return np.concatenate([np.stack([a.ravel(), b.ravel()], axis=1) for a, b in beside])


def _neighbour_angles(
    quaternions: NDArray, symmetry: Any, grid: Literal["square", "hexagonal"]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Each pair of neighbours, and the angle between the two in degrees."""
    rows, cols, _ = quaternions.shape
    pairs = neighbours((rows, cols), grid)
    flat = quaternions.reshape(-1, 4)
    return pairs, misorientation_angles(flat[pairs[:, 0]], flat[pairs[:, 1]], symmetry)


def _rotations(symmetry: Any) -> NDArray[np.float64]:
    return np.asarray(symmetry.laue_proper_subgroup.data, np.float64)


def _nearest_to_identity(
    quaternions: NDArray[np.float64], rotations: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """The equivalent of each quaternion with the smallest angle, and the rotation that gives it.

    One symmetry suffices: the angle of s1 m s2 is that of (s2 s1) m, and s2 s1 is in the group.
    """
    scalar = quaternions @ _inverse(rotations).T
    chosen = np.argmax(np.abs(scalar), axis=1)
    return _product(rotations[chosen], quaternions), chosen


def _inverse(quaternions: NDArray[np.float64]) -> NDArray[np.float64]:
    return quaternions * [1, -1, -1, -1]


def _product(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
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
