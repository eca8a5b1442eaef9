"""What a map of orientations shows: grains, and misorientations within them.

Two positions of different phases have no misorientation: they are never of one grain.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_kikuchi.explore.misorientations import (
    BATCH,
    inverse,
    misorientation_angles,
    nearest_to_identity,
    product,
    proper_rotations,
)
from napari_kikuchi.graphs import connected
from napari_kikuchi.io.indexed import IndexedMaps, laue_group, read_indexed

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_kikuchi.maps import MapStack

# Neighbours further apart than this belong to another grain, and do not count in the KAM.
GRAIN_THRESHOLD = 5.0
KAM_LIMIT = 5.0

# By then the mean of a grain moves no more than the rounding errors.
_MEAN_ITERATIONS = 3


@dataclass(frozen=True, eq=False)
class OrientationMap:
    """Orientations on the positions of a scan.

    Attributes
    ----------
    quaternions
        As :mod:`~napari_kikuchi.explore.misorientations` has them, of shape (rows, columns, 4).
    symmetries
        Point group of each phase.
    phases
        Number of the phase of each position, from 1 in the order of the symmetries, of shape
        (rows, columns); 0 or NaN where there is none. None: all are of one phase.
    grid
        Four nearest neighbours on a ``"square"`` grid, six on a ``"hexagonal"`` one.
    """

    quaternions: NDArray
    symmetries: Sequence[Any]
    phases: ArrayLike | None = None
    grid: Literal["square", "hexagonal"] = "square"

    @property
    def map_shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, cols, _ = self.quaternions.shape
        return rows, cols

    @cached_property
    def numbers(self) -> NDArray[np.int32]:
        """Number of the phase, of shape (rows, columns); 0 where there is no orientation."""
        known = np.isfinite(self.quaternions).all(axis=-1)
        numbers = 1.0 if self.phases is None else np.nan_to_num(np.asarray(self.phases, np.float64))
        return np.where(known, numbers, 0).astype(np.int32)

    def each_phase(self) -> Iterator[tuple[Any, NDArray[np.bool_]]]:
        """The symmetry of each phase that is there, and where it is."""
        for number, symmetry in enumerate(self.symmetries, 1):
            inside = self.numbers == number
            if inside.any():
                yield symmetry, inside

    def angles(self, pairs: NDArray[np.intp]) -> NDArray[np.float64]:
        """Misorientations of pairs of positions.

        Parameters
        ----------
        pairs
            Flat indices of shape (n, 2).

        Returns
        -------
        numpy.ndarray
            In degrees, of shape (n,); NaN for pairs of different phases or without orientations.
        """
        out = np.full(len(pairs), np.nan)
        flat = self.quaternions.reshape(-1, 4)
        for symmetry, inside in self.each_phase():
            both = np.flatnonzero(inside.ravel()[pairs].all(axis=1))
            for start in range(0, len(both), BATCH):
                part = both[start : start + BATCH]
                one, other = pairs[part].T
                out[part] = misorientation_angles(flat[one], flat[other], symmetry)
        return out


def orientations_in(stack: MapStack) -> OrientationMap:
    """The orientations that maps hold.

    Raises
    ------
    NoOrientationsError
        If there are none.
    """
    return orientations_of(read_indexed(stack), stack)


def orientations_of(found: IndexedMaps, stack: MapStack) -> OrientationMap:
    """The orientations that were read of maps already."""
    hexagonal = (stack.provenance.get("scan") or {}).get("grid") == "hexagonal"
    return OrientationMap(
        found.quaternions,
        [laue_group(phase) for phase in found.phases],
        found.numbers,
        "hexagonal" if hexagonal else "square",
    )


def kernel_average_misorientation(
    orientations: OrientationMap, *, limit: float = KAM_LIMIT
) -> NDArray[np.float64]:
    """Mean misorientation of each position to its nearest neighbours (KAM).

    Parameters
    ----------
    orientations
        Of the scan.
    limit
        Neighbours above this angle, in degrees, do not count: they belong to another grain.

    Returns
    -------
    numpy.ndarray
        In degrees, of shape (rows, columns); NaN where no neighbour counts.
    """
    pairs, angles = _neighbour_angles(orientations)
    counted = angles <= limit  # Not a NaN.
    ends, size = pairs[counted].T.ravel(), orientations.numbers.size
    total = np.bincount(ends, np.tile(angles[counted], 2), minlength=size)
    count = np.bincount(ends, minlength=size)
    mean = np.divide(total, count, out=np.full(size, np.nan), where=count > 0)
    return mean.reshape(orientations.map_shape)


def find_grains(
    orientations: OrientationMap, *, threshold: float = GRAIN_THRESHOLD
) -> NDArray[np.int32]:
    """Number the grains: positions that neighbours lead to, each within the threshold of the next.

    Parameters
    ----------
    orientations
        Of the scan.
    threshold
        Misorientation in degrees above which two neighbours belong to different grains.

    Returns
    -------
    numpy.ndarray
        Numbers from 1, in the order of the grains' first positions, of shape (rows, columns);
        0 where there is no orientation.
    """
    pairs, angles = _neighbour_angles(orientations)
    one, other = pairs[angles <= threshold].T
    known = (orientations.numbers > 0).ravel()
    component = connected(one, other, known.size)
    grain = np.zeros(known.size, np.int32)
    _, first, index = np.unique(component[known], return_index=True, return_inverse=True)
    order = np.empty(len(first), np.int32)
    order[np.argsort(first)] = np.arange(1, len(first) + 1)
    grain[known] = order[index]
    return grain.reshape(orientations.map_shape)


def grain_mean_orientations(
    orientations: OrientationMap, grain: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Mean orientation of each grain.

    The orientations of a grain are brought, by the symmetry, next to each other before they are
    averaged; the mean is the eigenvector of Markley et al. (2007), Averaging quaternions,
    10.2514/1.28949.

    Parameters
    ----------
    orientations
        Of the scan.
    grain
        Numbers from 1 without gaps, 0 for no grain, of shape (rows, columns); each of one phase.

    Returns
    -------
    numpy.ndarray
        Quaternions of shape (grains, 4), that of grain 1 first.
    """
    means = np.full((grain.max(initial=0), 4), np.nan)
    for symmetry, of_phase in orientations.each_phase():
        inside = of_phase & (grain > 0)
        own = orientations.quaternions[inside].astype(np.float64)
        numbers, first, index = np.unique(grain[inside], return_index=True, return_inverse=True)
        means[numbers - 1] = _means(own, own[first], index, proper_rotations(symmetry))
    return means


def grain_reference_orientation_deviation(
    orientations: OrientationMap, grain: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Misorientation of each position to the mean orientation of its grain (GROD).

    Parameters
    ----------
    orientations
        Of the scan.
    grain
        As :func:`find_grains` numbers them.

    Returns
    -------
    numpy.ndarray
        In degrees, of shape (rows, columns); NaN where there is no grain.
    """
    out = np.full(grain.shape, np.nan)
    means = grain_mean_orientations(orientations, grain)
    for symmetry, of_phase in orientations.each_phase():
        inside = of_phase & (grain > 0)
        own, of_grain = orientations.quaternions[inside], means[grain[inside] - 1]
        out[inside] = misorientation_angles(own, of_grain, symmetry)
    return out


def misorientation_to(orientations: OrientationMap, row: int, col: int) -> NDArray[np.float64]:
    """Misorientation of each position to one of them.

    Parameters
    ----------
    orientations
        Of the scan.
    row, col
        The position.

    Returns
    -------
    numpy.ndarray
        In degrees, of shape (rows, columns); NaN where there is another phase or no orientation,
        and everywhere if the position itself has none.
    """
    everywhere = np.arange(orientations.numbers.size)
    here = np.full_like(everywhere, np.ravel_multi_index((row, col), orientations.map_shape))
    angles = orientations.angles(np.stack([everywhere, here], axis=1))
    return angles.reshape(orientations.map_shape)


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
    orientations: OrientationMap,
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Each pair of neighbours, and the angle between the two in degrees."""
    pairs = neighbours(orientations.map_shape, orientations.grid)
    return pairs, orientations.angles(pairs)


def _means(
    quaternions: NDArray[np.float64],
    start: NDArray[np.float64],
    index: NDArray[np.intp],
    rotations: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Mean of the quaternions of each index, from one of them on."""
    mean = start
    for _ in range(_MEAN_ITERATIONS):
        moments = np.zeros((len(mean), 4, 4))
        for first in range(0, len(quaternions), BATCH):
            part = slice(first, first + BATCH)
            between = product(quaternions[part], inverse(mean[index[part]]))
            _, chosen = nearest_to_identity(between, rotations)
            near = product(rotations[chosen], quaternions[part])
            np.add.at(moments, index[part], near[:, :, None] * near[:, None, :])
        mean = np.linalg.eigh(moments)[1][..., -1]
    return mean
