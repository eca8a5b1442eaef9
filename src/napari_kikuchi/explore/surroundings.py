"""What is around the positions of a map: their neighbours, and the map less its local median."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.jobs import Job, Progress, finish

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

LOCAL_SIZE = 9

# A map less its first row or column, and less its last.
NEIGHBOURS = ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1]))

# Rows of a map whose medians are worked out at once.
_ROWS = 32


def local_difference(values: ArrayLike) -> NDArray[np.float32]:
    """A map less its local median: what is finer than grains, such as cell walls.

    Parameters
    ----------
    values
        Of shape (rows, columns); NaN where there is no value.

    Returns
    -------
    numpy.ndarray
        Of the same shape, NaN where the map has no value.
    """
    return finish(less_surroundings(values, (LOCAL_SIZE, LOCAL_SIZE)))


def less_surroundings(values: ArrayLike, size: tuple[int, int]) -> Job[NDArray[np.float32]]:
    """A map less its median over a rectangle around each position.

    Parameters
    ----------
    values
        Of shape (rows, columns); NaN where there is no value.
    size
        Rows and columns of the rectangle, both odd. Of a side of eighteen or more, every second or
        third position tells the median.

    Yields
    ------
    Progress
        Rows done.

    Returns
    -------
    numpy.ndarray
        Of the same shape, NaN where the map has no value.
    """
    from scipy import ndimage

    values = np.asarray(values, np.float32)
    around, margin = filled(values), size[0] // 2
    footprint = np.logical_and.outer(*map(_spread, size))
    found = np.empty_like(values)
    for start in range(0, len(values), _ROWS):
        stop, low = min(start + _ROWS, len(values)), max(start - margin, 0)
        part = around[low : stop + margin]
        median = ndimage.median_filter(part, footprint=footprint, mode="nearest")
        found[start:stop] = values[start:stop] - median[start - low : stop - low]
        yield Progress(stop, len(values), "Taking the surroundings from the map")
    return found


def _spread(length: int) -> NDArray[np.bool_]:
    """Positions along a side that count: the middle, and what is spread evenly about it."""
    from_middle = np.arange(length) - length // 2
    return from_middle % max(1, length // LOCAL_SIZE) == 0


def filled(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The map with each missing value replaced by the nearest that there is."""
    from scipy import ndimage

    missing = ~np.isfinite(values)
    if not missing.any() or missing.all():
        return values
    nearest = ndimage.distance_transform_edt(missing, return_distances=False, return_indices=True)
    return values[tuple(nearest)]
