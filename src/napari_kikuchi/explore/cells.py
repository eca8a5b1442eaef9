"""Cells: what ridges of a map enclose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.explore.ranking import NEIGHBOURS

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# Of Otsu's threshold. Walls between narrow cells are lower, as their lines run askew and short; a
# tenth less neither loses nor adds cells on simulated maps.
_LENIENT = 0.9


def divide_into_cells(
    height: NDArray[np.floating], known: NDArray[np.bool_], borders: ArrayLike | None = None
) -> NDArray[np.int32]:
    """Divide a map into the cells that its ridges enclose.

    Each minimum has a basin (watershed). The lines between basins are high where they run along a
    wall, and low where noise has drawn them; Otsu's threshold of their mean heights tells the two
    apart. Basins are merged over their lowest lines first, until walls alone are left. The mean
    over a line bridges the gaps of a wall, where the lowest point of the line would not.

    Parameters
    ----------
    height
        A smoothed map that is high in walls, of shape (rows, columns), all finite.
    known
        Where the map has values.
    borders
        Labels of grains or domains, of the same shape: a cell ends where they change, be there a
        wall or not.

    Returns
    -------
    numpy.ndarray
        Number of the cell of each position, from 1, up to the middle of its walls; 0 where the map
        has no value.
    """
    from skimage.filters import threshold_otsu
    from skimage.measure import label
    from skimage.segmentation import relabel_sequential, watershed

    # Walls one position wide may run diagonally, so corners connect minima.
    basins = watershed(height, mask=known, connectivity=2)
    lines = _lines_between(basins, height)
    if len(lines.height):
        wall = _LENIENT * threshold_otsu(np.repeat(lines.height, lines.length))
    else:
        wall = np.inf
    domains = np.zeros(basins.shape, np.intp)
    if borders is not None:
        domains = np.unique(borders, return_inverse=True)[1].reshape(basins.shape)
        parts = np.where(known, basins * (domains.max() + 1) + domains, 0)
        basins = label(parts, background=0, connectivity=1)
    return relabel_sequential(_merge(basins, height, domains, wall))[0].astype(np.int32)


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
) -> NDArray[np.integer]:
    """Merge basins of a domain over each one's lowest line, round by round, if that is no wall.

    A basin that lies as high as a wall all over is a dent in a wall, and none of its lines counts.
    """
    from scipy import ndimage
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    while True:
        numbers = np.arange(int(basins.max()) + 1)
        domain = np.zeros(len(numbers), np.intp)
        domain[basins] = domains
        dent = ndimage.minimum(height, basins, numbers) >= wall
        lines = _lines_between(basins, height)
        within = domain[lines.one] == domain[lines.other]
        one, other, mean = lines.one[within], lines.other[within], lines.height[within]
        lowest = np.full(len(numbers), np.inf)
        np.minimum.at(lowest, one, mean)
        np.minimum.at(lowest, other, mean)
        open_from = [(mean == lowest[side]) & ((mean < wall) | dent[side]) for side in (one, other)]
        merged = open_from[0] | open_from[1]
        if not merged.any():
            return basins
        ones = np.ones(np.count_nonzero(merged))
        graph = coo_array((ones, (one[merged], other[merged])), shape=(len(numbers),) * 2)
        # Number 0, where there is no value, is joined to none and comes first.
        basins = connected_components(graph, directed=False)[1][basins]
