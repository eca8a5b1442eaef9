"""Parts of a picture that hold all that is unknown of it, each small enough for a network.

What a generator makes of a hole hangs on what lies around it, not on the far end of the map: holes
are filled in in crops, and the rest of the map costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Box = tuple[slice, slice]

# In pictures as large as those that the network has learned from: up to so many pixels a map is
# not worth dividing, and beyond so many a crop takes too much memory.
_SMALL, _LARGE = 4, 64
# Share of the map from which on crops save nothing.
_MOST_OF_IT = 0.5


class Crop(NamedTuple):
    """A part of a picture.

    Attributes
    ----------
    core
        Rows and columns whose unknown pixels are filled in.
    view
        Rows and columns that the network sees for it: the core and what lies around.
    """

    core: Box
    view: Box

    @property
    def core_in_view(self) -> Box:
        """The core, counted from the first row and column of the view."""
        (rows, cols), (top, left) = self.core, self.view
        return (
            slice(rows.start - top.start, rows.stop - top.start),
            slice(cols.start - left.start, cols.stop - left.start),
        )


def whole(shape: tuple[int, ...]) -> Crop:
    """All of a picture of so many rows and columns."""
    box = slice(0, shape[0]), slice(0, shape[1])
    return Crop(box, box)


def crops(unknown: NDArray[np.bool_], size: int, multiple: int) -> list[Crop]:
    """Divide what is unknown of a picture.

    Holes with the pixels around them, half a picture of those that were learned from, are boxes;
    boxes that touch are one. A box that is too large for the memory is divided into tiles, to be
    filled in one after another: each sees those before it.

    Parameters
    ----------
    unknown
        Of shape (rows, columns); somewhere at least.
    size
        Rows and columns of the pictures that the network has learned from.
    multiple
        Of which views start at multiples and, unless they end with the picture, have sides that
        are multiples.

    Returns
    -------
    list of Crop
        Their cores hold all that is unknown and do not overlap; one crop of everything where the
        picture is small, or unknown nearly everywhere.
    """
    shape = unknown.shape
    if unknown.size <= _SMALL * size**2:
        return [whole(shape)]
    margin = -(-size // (2 * multiple))
    cells = _cells(unknown, multiple)
    boxes = _apart(_boxes(cells, margin))
    most = _LARGE * size**2 / multiple**2
    if sum(_area(box) for box in boxes) > _MOST_OF_IT * cells.size:
        boxes = [whole(cells.shape).core]
    found = []
    for box in boxes:
        if _area(box) <= most:
            found.append(Crop(box, box))
            continue
        side = max(1, int(most**0.5) - 2 * margin)
        cores = _tiles(cells, box, side)
        found += [Crop(core, _widened(core, margin, cells.shape)) for core in cores]
    return [Crop(*(_in_pixels(box, multiple, shape) for box in crop)) for crop in found]


def _cells(unknown: NDArray[np.bool_], multiple: int) -> NDArray[np.bool_]:
    """Squares of pixels, those at the end cut off: whether any pixel is unknown."""
    for axis, side in enumerate(unknown.shape):
        unknown = np.logical_or.reduceat(unknown, range(0, side, multiple), axis=axis)
    return unknown


def _boxes(cells: NDArray[np.bool_], margin: int) -> list[Box]:
    """A box around each group of cells, and so many cells around it."""
    from scipy.ndimage import find_objects, label

    return [_widened(box, margin, cells.shape) for box in find_objects(label(cells)[0])]


def _apart(boxes: list[Box]) -> list[Box]:
    """Boxes around those that overlap or touch, until none do."""
    from scipy.ndimage import find_objects, label

    ends = np.array([[side.stop for side in box] for box in boxes]).max(axis=0)
    while True:
        covered = np.zeros(ends, bool)
        for box in boxes:
            covered[box] = True
        joined = find_objects(label(covered)[0])
        if sum(_area(box) for box in joined) == covered.sum():
            return joined
        boxes = joined


def _tiles(cells: NDArray[np.bool_], box: Box, side: int) -> list[Box]:
    """Parts of a box of so many cells at most along a side, without what holds nothing unknown."""
    found = []
    for top in range(box[0].start, box[0].stop, side):
        for left in range(box[1].start, box[1].stop, side):
            tile = cells[top : min(top + side, box[0].stop), left : min(left + side, box[1].stop)]
            rows, cols = (np.flatnonzero(tile.any(axis=axis)) for axis in (1, 0))
            if len(rows):
                found.append(
                    (
                        slice(top + int(rows[0]), top + int(rows[-1]) + 1),
                        slice(left + int(cols[0]), left + int(cols[-1]) + 1),
                    )
                )
    return found


def _widened(box: Box, margin: int, shape: tuple[int, ...]) -> Box:
    rows, cols = (
        slice(max(0, part.start - margin), min(side, part.stop + margin))
        for part, side in zip(box, shape, strict=True)
    )
    return rows, cols


def _in_pixels(box: Box, multiple: int, shape: tuple[int, ...]) -> Box:
    rows, cols = (
        slice(multiple * part.start, min(multiple * part.stop, side))
        for part, side in zip(box, shape, strict=True)
    )
    return rows, cols


def _area(box: Box) -> int:
    return (box[0].stop - box[0].start) * (box[1].stop - box[1].start)
