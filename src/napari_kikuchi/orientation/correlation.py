"""Over which distances zone axes stay alike: their two-point correlation in a map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.explore.orientations import OrientationMap

if TYPE_CHECKING:
    from numpy.typing import NDArray

# In no plane and on no axis of a point group: of equivalent axes the nearest to it is taken.
_GENERIC = (0.323, 0.117, 0.939)
_BATCH = 2**16


@dataclass(frozen=True, eq=False)
class AxisCorrelation:
    """How alike the zone axes of two positions are, over what lies between these.

    Attributes
    ----------
    values
        Mean cosine of the angle between the two axes, for each offset of the second position from
        the first, of shape (2 rows - 1, 2 columns - 1) with no offset in the middle; NaN where no
        pair has it.
    pairs
        How many pairs have it.
    unrelated
        The mean cosine if axes were shuffled among the positions of their phases.
    """

    values: NDArray[np.float64]
    pairs: NDArray[np.float64]
    unrelated: float

    def over_distance(self, step: tuple[float, float]) -> dict[str, NDArray[np.float64]]:
        """The mean over all directions.

        Parameters
        ----------
        step
            Distance between rows and between columns, in µm.

        Returns
        -------
        dict
            Columns of a table, a row for each distance of a multiple of the smaller step: the mean
            distance in µm; the mean cosine; the same so that it is 1 for equal axes and 0 for
            unrelated ones; the number of pairs.
        """
        rows, cols = ((size + 1) // 2 for size in self.values.shape)
        y, x = np.ogrid[1 - rows : rows, 1 - cols : cols]
        distance = np.hypot(y * step[0], x * step[1])
        bins = np.rint(distance / min(step)).astype(np.intp).ravel()
        weight = self.pairs.ravel()
        count = np.bincount(bins, weight).astype(np.float64)
        there = count > 0
        count = count[there]
        mean_distance = np.bincount(bins, weight * distance.ravel())[there] / count
        total = np.bincount(bins, weight * np.nan_to_num(self.values).ravel())[there]
        cosine = total / count
        with np.errstate(invalid="ignore", divide="ignore"):  # All axes of a map may be one.
            relative = (cosine - self.unrelated) / (1 - self.unrelated)
        return {
            "distance (µm)": mean_distance,
            "mean cosine": cosine,
            "correlation": relative,
            "pairs": count,
        }


def half_distance(table: Mapping[str, NDArray[np.float64]]) -> float:
    """Distance in µm at which the correlation first falls to one half; NaN if it never does.

    Parameters
    ----------
    table
        As :meth:`AxisCorrelation.over_distance` gives it.
    """
    distance, correlation = table["distance (µm)"], table["correlation"]
    below = np.flatnonzero(correlation <= 0.5)
    if not below.size or not below[0]:
        return float("nan")
    part = slice(below[0] - 1, below[0] + 1)
    return float(np.interp(-0.5, -correlation[part], distance[part]))


def axis_correlation(
    first: OrientationMap, second: OrientationMap | None = None
) -> AxisCorrelation:
    """Two-point correlation of the zone axes of a map, or of two maps of one scan.

    The zone axis of a position is the direction of its crystal along the beam. Of all that the
    Laue group makes equivalent one is taken, so that the angle between two of them is that between
    the two families: the smallest that there is for mmm, 4/mmm, 6/mmm and m-3m, of which mirrors
    make up the group; for others it may be larger. After Je et al. (2026), arXiv 2602.12420, who
    show it for grains of copper.

    Pairs of different phases, and positions without an orientation, do not count; nor is the map
    continued beyond its edges.

    Parameters
    ----------
    first, second
        On a square grid; None: the correlation of the first with itself.

    Raises
    ------
    ValueError
        If a grid is hexagonal, the maps differ in shape or number of phases, or no position has an
        orientation in both.
    """
    second = first if second is None else second
    _check(first, second)
    shape = first.map_shape
    total, pairs = np.zeros(_full(shape)), np.zeros(_full(shape))
    expected, possible = 0.0, 0.0
    axes_of_first, axes_of_second = _axes(first), _axes(second)
    for number in range(1, len(first.symmetries) + 1):
        one, other = first.numbers == number, second.numbers == number
        if not (one.any() and other.any()):
            continue
        means = []
        pairs += _correlated(one.astype(float), other.astype(float))
        for part in range(3):
            weighted = [
                np.where(mask, axes[..., part], 0)
                for mask, axes in ((one, axes_of_first), (other, axes_of_second))
            ]
            total += _correlated(*weighted)
            means.append(weighted[0].sum() * weighted[1].sum())
        expected += sum(means)
        possible += one.sum() * other.sum()
    if not possible:
        raise ValueError(
            "expected positions of one phase to correlate the zone axes of, found no orientation"
        )
    pairs = np.rint(pairs)
    values = np.divide(total, pairs, out=np.full_like(total, np.nan), where=pairs > 0)
    return AxisCorrelation(values, pairs, expected / possible)


def zone_axis_of(quaternions: NDArray, symmetry: Any) -> NDArray[np.float64]:
    """The direction of crystals along the beam, one of all that are equivalent.

    Parameters
    ----------
    quaternions
        Of shape (n, 4), from the sample's frame into the crystal's.
    symmetry
        Point group of the crystal.

    Returns
    -------
    numpy.ndarray
        Unit vectors of shape (n, 3), in the crystal's frame.
    """
    a, b, c, d = np.asarray(quaternions, np.float64).T
    # The last column of the rotation matrix.
    axes = np.stack([2 * (b * d + a * c), 2 * (c * d - a * b), a**2 - b**2 - c**2 + d**2], axis=1)
    operators = symmetry.laue_proper_subgroup.to_matrix()
    toward = operators.transpose(0, 2, 1) @ _GENERIC
    out = np.empty_like(axes)
    for start in range(0, len(axes), _BATCH):
        part = slice(start, start + _BATCH)
        # The opposite direction is equivalent, too.
        near = axes[part] @ toward.T
        best = np.abs(near).argmax(axis=1)
        sign = np.sign(np.take_along_axis(near, best[:, None], axis=1))
        out[part] = sign * (operators[best] @ axes[part, :, None])[..., 0]
    return out


def _axes(orientations: OrientationMap) -> NDArray[np.float64]:
    axes = np.zeros((*orientations.map_shape, 3))
    for symmetry, inside in orientations.each_phase():
        axes[inside] = zone_axis_of(orientations.quaternions[inside], symmetry)
    return axes


def _correlated(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums over all positions of the one map times the other at each offset from there."""
    from scipy.fft import irfft2, next_fast_len, rfft2

    full = _full(one.shape)
    # Room enough that what leaves at one edge does not come in at the other.
    padded = [next_fast_len(size, real=True) for size in full]
    product = np.conj(rfft2(one, padded)) * rfft2(other, padded)
    return np.roll(irfft2(product, padded), [size // 2 for size in full], (0, 1))[
        : full[0], : full[1]
    ]


def _full(shape: tuple[int, ...]) -> tuple[int, int]:
    rows, cols = shape
    return 2 * rows - 1, 2 * cols - 1


def _check(first: OrientationMap, second: OrientationMap) -> None:
    if "hexagonal" in (first.grid, second.grid):
        raise ValueError("expected orientations on a square grid, found a hexagonal one")
    if first.map_shape != second.map_shape or len(first.symmetries) != len(second.symmetries):
        raise ValueError(
            "expected two maps of one scan with the same phases, found "
            f"{first.map_shape} positions of {len(first.symmetries)} phases and "
            f"{second.map_shape} of {len(second.symmetries)}"
        )
