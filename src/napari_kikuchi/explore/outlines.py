"""Outlines drawn on maps, and the positions that lie in them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.shapes import corners, encloses

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Outline:
    """A shape on a map.

    Attributes
    ----------
    kind
        ``"polygon"``, ``"rectangle"``, ``"ellipse"``, ``"line"`` or ``"path"``.
    vertices
        Row and column of each, not rounded, of shape (n, 2); of an ellipse the four corners of the
        rectangle around it.
    """

    kind: str
    vertices: NDArray[np.floating]

    @property
    def encloses(self) -> bool:
        """Whether it has an inside, as a line has not."""
        return encloses(self.kind)

    def positions(self, shape: tuple[int, ...]) -> NDArray[np.intp]:
        """Positions of a map inside the outline.

        Parameters
        ----------
        shape
            Rows and columns of the map.

        Returns
        -------
        numpy.ndarray
            Row and column of each position whose centre lies inside, or of those along a line, of
            shape (n, 2), in scan order. Where an outline crosses itself, what it goes round twice
            is outside.
        """
        if not self.encloses:
            return _along(self.vertices, shape)
        return _inside(corners(self.kind, self.vertices), shape)

    def count_everywhere(self) -> int:
        """How many positions would lie inside, if the map went on beyond its border."""
        polygon = corners(self.kind, self.vertices)
        low, high = np.floor(polygon[:, 0].min()), np.ceil(polygon[:, 0].max())
        row, at = _crossings(polygon, np.arange(low, high + 1))
        first = np.ceil(at[np.lexsort((at, row))])
        # From outside to inside and back.
        return int((first[1::2] - first[::2]).sum())


def _inside(polygon: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.intp]:
    """Positions inside a polygon.

    In each row, sides of the polygon are crossed from outside to inside and back. This takes
    milliseconds where asking for each of a million positions takes up to a second.
    """
    low = np.clip(np.floor(polygon.min(axis=0)), 0, shape).astype(np.intp)
    high = np.clip(np.ceil(polygon.max(axis=0)) + 1, 0, shape).astype(np.intp)
    height, width = np.maximum(high - low, 0)
    row, at = _crossings(polygon, np.arange(low[0], low[0] + height))
    first = np.clip(np.ceil(at - low[1]), 0, width).astype(np.intp)
    crossings = np.zeros((height, width + 1), np.int32)
    np.add.at(crossings, (row, first), 1)
    inside = np.cumsum(crossings[:, :-1], axis=1) % 2 == 1
    return np.argwhere(inside) + low


def _crossings(
    polygon: NDArray[np.float64], rows: NDArray[np.number]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Where the sides of a polygon cross rows: the index of the row, and the column, of each."""
    start, stop = polygon, np.roll(polygon, -1, axis=0)
    # A vertex on a row belongs to the side that goes down from it, and so is counted once.
    crossed = (start[:, 0] <= rows[:, None]) != (stop[:, 0] <= rows[:, None])
    row, side = np.nonzero(crossed)
    (y0, x0), (y1, x1) = start[side].T, stop[side].T
    return row, x0 + (rows[row] - y0) / (y1 - y0) * (x1 - x0)


def _along(vertices: NDArray[np.floating], shape: tuple[int, ...]) -> NDArray[np.intp]:
    from skimage.draw import line

    nearest = np.rint(vertices).astype(int)
    parts = [np.stack(line(*start, *stop), axis=1) for start, stop in pairwise(nearest)]
    if not parts:
        return np.empty((0, 2), np.intp)
    found = np.unique(np.concatenate(parts), axis=0).astype(np.intp)
    return found[((found >= 0) & (found < shape)).all(axis=1)]
