"""One map made of maps of several scans."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.jobs import Job, Progress

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# A mosaic of more positions fills memory; places in another unit would ask for it.
_LARGEST = 10**8
# Part of a step below which two places are one: µm have no exact binary fractions.
_ALIKE = 1e-6
# Rows laid down at once.
_ROWS = 32


@dataclass(frozen=True, eq=False)
class Mosaic:
    """One map made of several.

    Attributes
    ----------
    values
        Of shape (rows, columns); NaN where no map has a value.
    step
        Distance between rows and between columns, in µm.
    origin
        Place of the centre of the first position, in µm: down and right.
    """

    values: NDArray[np.float32]
    step: tuple[float, float]
    origin: tuple[float, float]


def side_by_side(
    shapes: Sequence[tuple[int, int]], steps: Sequence[tuple[float, float]], gap: float
) -> list[tuple[float, float]]:
    """Places that lay maps in a row from left to right, their first rows side by side.

    Parameters
    ----------
    shapes
        Rows and columns of each map.
    steps
        Distance between rows and between columns of each, in µm.
    gap
        At least so many µm from the last column of a map to the first of the next. It is widened
        to whole columns of the finest step, so that a mosaic of maps of one step moves no value.

    Returns
    -------
    list of tuple of float
        Origins for :func:`mosaic`.
    """
    finest = min(right for _, right in steps)
    origins, place = [], 0.0
    for (_, cols), (_, right) in zip(shapes, steps, strict=True):
        column = math.ceil(place / finest - _ALIKE)
        origins.append((0.0, column * finest))
        place = column * finest + (cols - 1) * right + gap
    return origins


def mosaic(
    maps: Sequence[ArrayLike],
    steps: Sequence[tuple[float, float]],
    origins: Sequence[tuple[float, float]],
    *,
    step: tuple[float, float] | None = None,
) -> Job[Mosaic]:
    """Make one map of several that have places and steps of their own.

    A position is the point in its centre: a map reaches from the centre of its first position to
    that of its last, and nothing is moved by half a step. Values between positions are
    interpolated linearly, which numbers of grains or cells do not bear.

    Parameters
    ----------
    maps
        Of shape (rows, columns); NaN where there is no value. Where maps overlap, the later one is
        seen, as far as it has values.
    steps
        Distance between rows and between columns of each map, in µm.
    origins
        Place of the centre of the first position of each map, in µm: down and right.
    step
        Of the mosaic; None: the finest there is. A coarser one leaves values out.

    Yields
    ------
    Progress
        Rows of maps laid down.

    Returns
    -------
    Mosaic
        Begins at the place of the topmost row and the leftmost column.

    Raises
    ------
    ValueError
        If there is no map, their numbers differ from those of steps and origins, or the mosaic
        would have more than a hundred million positions.
    """
    images = [np.asarray(values, np.float32) for values in maps]
    if not images or not len(images) == len(steps) == len(origins):
        raise ValueError(
            f"expected a step and an origin for each of at least one map, found {len(images)} "
            f"maps, {len(steps)} steps and {len(origins)} origins"
        )
    finest = min(down for down, _ in steps), min(right for _, right in steps)
    common = finest if step is None else step
    begin = min(down for down, _ in origins), min(right for _, right in origins)
    places = [
        [_Side.of(*side) for side in zip(image.shape, own, origin, common, begin, strict=True)]
        for image, own, origin in zip(images, steps, origins, strict=True)
    ]
    rows, cols = (max(side.stop for side in sides) for sides in zip(*places, strict=True))
    if rows * cols > _LARGEST:
        raise ValueError(
            f"a mosaic of {rows} x {cols} positions is too large: expected at most {_LARGEST:,}. "
            f"Check that places and steps are in µm, or give a coarser step than {common[0]:g} x "
            f"{common[1]:g} µm"
        )
    values = np.full((rows, cols), np.nan, np.float32)
    done, total = 0, sum(max(0, down.stop - down.start) for down, _ in places)
    for image, (down, right) in zip(images, places, strict=True):
        part = values[down.start : down.stop, right.start : right.stop]
        known = np.isfinite(image)
        weighted = np.where(known, image, 0), known.astype(np.float32)
        # Between two positions of a coarse mosaic there may be no room for a row of a small map.
        for row in range(0, len(part), _ROWS):
            block = part[row : row + _ROWS]
            found = _resampled(*weighted, down.after(row), right, block.shape)
            np.copyto(block, found, where=np.isfinite(found))
            done += len(block)
            yield Progress(done, total, "Laying maps together")
    return Mosaic(values, common, begin)


@dataclass(frozen=True)
class _Side:
    """Rows or columns of a mosaic that lie between the first and the last of a map.

    Attributes
    ----------
    start, stop
        The first of them, and the one after the last.
    ratio
        Of their step to that of the map.
    offset
        Of the first of them from that of the map, in steps of the map.
    """

    start: int
    stop: int
    ratio: float
    offset: float

    @classmethod
    def of(cls, count: int, step: float, origin: float, common: float, begin: float) -> _Side:
        """Those of a map of ``count`` positions in a mosaic of a common step."""
        first = (origin - begin) / common
        start = math.ceil(first - _ALIKE)
        stop = math.floor(first + (count - 1) * step / common + _ALIKE) + 1
        return cls(start, stop, common / step, round((start - first) * common / step, 6))

    def after(self, count: int) -> _Side:
        """All but the first of them."""
        return replace(self, start=self.start + count, offset=self.offset + count * self.ratio)


def _resampled(
    image: NDArray[np.float32],
    weight: NDArray[np.float32],
    down: _Side,
    right: _Side,
    shape: tuple[int, ...],
) -> NDArray[np.float32]:
    """A map on positions of a mosaic; NaN where less than half of what counts there is known."""
    from scipy.ndimage import affine_transform

    total, count = (
        affine_transform(
            part,
            np.diag([down.ratio, right.ratio]),
            (down.offset, right.offset),
            shape,
            order=1,
            mode="nearest",
        )
        for part in (image, weight)
    )
    return np.divide(total, count, out=np.full(shape, np.nan, np.float32), where=count >= 0.5)
