"""Positions whose patterns are most like that of a given position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.explore.features import latent_channels
from napari_kikuchi.jobs import Job, Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.maps import MapStack


@dataclass(frozen=True, eq=False)
class Nearest:
    """What is near a position in the space of the latent features.

    Attributes
    ----------
    distances
        Of every position to that one, in the unit of the features, of shape (rows, columns); NaN
        where there is no vector.
    positions
        The nearest ones, the nearest first, of shape (n, 2).
    """

    distances: NDArray[np.float32]
    positions: NDArray[np.intp]


def nearest_positions(
    stack: MapStack, position: tuple[int, int], count: int = 10, apart: int = 5
) -> Job[Nearest]:
    """Find the positions whose latent vectors are nearest to that of a position.

    Parameters
    ----------
    stack
        May be on disk; one map at a time is read.
    position
        Row and column.
    count
        How many to find at most.
    apart
        By how many rows or columns those found differ from the position, and from each other, at
        least: else they would all lie beside it.

    Yields
    ------
    Progress
        Maps looked at.

    Raises
    ------
    ValueError
        If the position lies outside the maps, or has no latent vector.
    """
    rows, cols = stack.map_shape
    row, col = position
    if not (0 <= row < rows and 0 <= col < cols):
        raise ValueError(
            f"row {row}, column {col} lies outside the maps, which have {rows} x {cols} positions"
        )
    squares = np.zeros((rows, cols), np.float32)
    channels = latent_channels(stack)
    for done, channel in enumerate(channels, 1):
        values = stack.map(channel).astype(np.float32, copy=False)
        if not np.isfinite(values[row, col]):
            raise ValueError(
                f"row {row}, column {col} has no value of {stack.names[channel]}: choose a "
                "position that has a pattern"
            )
        squares += np.square(values - values[row, col])
        yield Progress(done, len(channels), "Comparing latent vectors")
    distances = np.sqrt(squares)
    return Nearest(distances, _smallest(distances, position, count, apart))


def _smallest(
    distances: NDArray[np.float32], position: tuple[int, int], count: int, apart: int
) -> NDArray[np.intp]:
    left = np.where(np.isfinite(distances), distances, np.inf)
    found: list[tuple[int, int]] = []
    row, col = position
    while len(found) < count:
        left[max(row - apart + 1, 0) : row + apart, max(col - apart + 1, 0) : col + apart] = np.inf
        row, col = (int(index) for index in np.unravel_index(left.argmin(), left.shape))
        if not np.isfinite(left[row, col]):
            break
        found.append((row, col))
    return np.array(found, np.intp).reshape(-1, 2)
