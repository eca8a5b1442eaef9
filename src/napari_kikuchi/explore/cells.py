"""Cells: what ridges of a map enclose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.explore.ridges import least_height
from napari_kikuchi.explore.surroundings import NEIGHBOURS
from napari_kikuchi.graphs import connected
from napari_kikuchi.jobs import Job, Progress

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# Of a cell. Where walls or borders meet, smaller pieces are left over.
_LEAST_POSITIONS = 5
_MESSAGE = "Dividing the map into cells"


def divide_into_cells(
    height: NDArray[np.floating], known: NDArray[np.bool_], borders: ArrayLike | None = None
) -> Job[NDArray[np.int32]]:
    """Divide a map into the cells that its ridges enclose.

    Each minimum has a basin (watershed). The lines between basins are high where they run along a
    wall, and low where noise has drawn them; their mean heights tell the two apart, see
    :func:`~napari_kikuchi.explore.ridges.least_height`. Basins are merged over their lowest lines
    first, until walls alone are left. The mean over a line bridges the gaps of a wall, where the
    lowest point of the line would not. Pieces of fewer than five positions are no cells.

    Parameters
    ----------
    height
        A smoothed map that is high in walls, of shape (rows, columns), all finite.
    known
        Where the map has values.
    borders
        Labels of grains or domains, of the same shape: a cell ends where they change, be there a
        wall or not.

    Yields
    ------
    Progress
        Rounds of merging; their number is not known before.

    Returns
    -------
    numpy.ndarray
        Number of the cell of each position, from 1, up to the middle of its walls; 0 where the map
        has no value.
    """
    from skimage.measure import label
    from skimage.segmentation import relabel_sequential, watershed

    yield Progress(0, 0, _MESSAGE)
    # What is not known is a wall all around, so that each island has a minimum.
    height = np.where(known, height, height.max() + 1)
    # Walls one position wide may run diagonally, so corners connect minima.
    basins = watershed(height, mask=known, connectivity=2)
    if not basins.any():  # A flat map has no minimum.
        basins = known.astype(basins.dtype)
    lines = _lines_between(basins, height)
    wall = least_height(np.repeat(lines.height, lines.length)) if len(lines.height) else np.inf
    domains = np.zeros(basins.shape, np.intp)
    if borders is not None:
        domains = np.unique(borders, return_inverse=True)[1].reshape(basins.shape)
        parts = np.where(known, basins * (domains.max() + 1) + domains, 0)
        basins = label(parts, background=0, connectivity=2)
    merged = yield from _merge(basins, height, domains, wall)
    return relabel_sequential(merged)[0].astype(np.int32)


def cut_cells(cells: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Which cells are cut by the border of the map, or by positions without a value.

    Parameters
    ----------
    cells
        Number of the cell of each position; 0 where the map has no value.

    Returns
    -------
    numpy.ndarray
        For each number, 0 included.
    """
    outside = np.pad(cells == 0, 1, constant_values=True)
    beside = outside[:-2, 1:-1] | outside[2:, 1:-1] | outside[1:-1, :-2] | outside[1:-1, 2:]
    cut = np.zeros(int(cells.max()) + 1, bool)
    cut[cells[beside]] = True
    return cut


@dataclass(frozen=True, eq=False)
class _Lines:
    """Where two basins meet: which two, the mean height there, and how many positions long."""

    one: NDArray[np.intp]
    other: NDArray[np.intp]
    height: NDArray[np.float64]
    length: NDArray[np.intp]


def _lines_between(basins: NDArray[np.integer], height: NDArray[np.floating]) -> _Lines:
    pairs, heights = [], []
    for one, other in NEIGHBOURS:
        meet = (basins[one] != basins[other]) & (basins[one] > 0) & (basins[other] > 0)
        pairs.append(np.sort([basins[one][meet], basins[other][meet]], axis=0))
        heights.append(np.maximum(height[one], height[other])[meet])
    count = int(basins.max()) + 1
    low, high = np.concatenate(pairs, axis=1).astype(np.intp)
    line, which, length = np.unique(low * count + high, return_inverse=True, return_counts=True)
    mean = np.bincount(which, np.concatenate(heights), len(line)) / length
    return _Lines(line // count, line % count, mean, length)


def _merge(
    basins: NDArray[np.integer],
    height: NDArray[np.floating],
    domains: NDArray[np.intp],
    wall: float,
) -> Job[NDArray[np.integer]]:
    """Merge basins of a domain over each one's lowest line, round by round, if that is no wall.

    A small basin, or one that lies as high as a wall all over, is no cell: its lowest line goes,
    wall or not.
    """
    from scipy import ndimage

    while True:
        yield Progress(0, 0, _MESSAGE)
        numbers = np.arange(int(basins.max()) + 1)
        domain = np.zeros(len(numbers), np.intp)
        domain[basins] = domains
        none = ndimage.minimum(height, basins, numbers) >= wall
        none |= np.bincount(basins.ravel()) < _LEAST_POSITIONS
        lines = _lines_between(basins, height)
        within = domain[lines.one] == domain[lines.other]
        one, other, mean = lines.one[within], lines.other[within], lines.height[within]
        # The lowest line of each basin: the first in which it turns up, lowest lines first.
        order = np.argsort(mean, kind="stable")
        ends = np.stack([one, other], axis=1)[order].ravel()
        basin, first = np.unique(ends, return_index=True)
        lowest = order[first // 2]
        merged = lowest[(mean[lowest] < wall) | none[basin]]
        if not len(merged):
            return basins
        # Number 0, where there is no value, is joined to none and comes first.
        basins = connected(one[merged], other[merged], len(numbers))[basins]
