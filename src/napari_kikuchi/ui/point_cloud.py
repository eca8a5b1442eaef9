"""Latent vectors as a cloud of points, drawn as a picture: any number of them, in no time of Qt's.

Points are discs in the picture, however many there are: where they overlap, their colours are
averaged or their number counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.explore.embedding import principal_components, umap
from napari_kikuchi.explore.features import latent_vectors
from napari_kikuchi.jobs import Job, Progress

if TYPE_CHECKING:
    from napari.utils import Colormap
    from numpy.typing import NDArray

    from napari_kikuchi.explore.embedding import Embedding
    from napari_kikuchi.explore.features import Vectors
    from napari_kikuchi.maps import MapStack

# Left, right, bottom and top.
Extent = tuple[float, float, float, float]

# Pixels along each side of the picture.
_SIDE = 480
_MARGIN = 0.04
# Radius of a disc in pixels, and up to how many points it is that large.
_RADII = ((4, 2_000), (3, 12_000), (2, 60_000))
# In the fewest points that overlap anywhere; the most are opaque.
_FAINTEST = 0.25
# Points looked at between two moments at which one can cancel.
_BLOCK = 65_536
_COMPONENTS = 6


class Method(StrEnum):
    """How vectors are laid out."""

    COMPONENTS = "principal components"
    UMAP = "UMAP"


@dataclass(frozen=True, eq=False)
class Cloud:
    """Vectors laid out as points.

    Attributes
    ----------
    coordinates
        Of shape (n, dimensions).
    names
        Of the dimensions.
    positions
        Of the vectors on the map, of shape (n, 2).
    index
        Of the vector of each position, of shape (rows, columns); -1 where there is none.
    """

    coordinates: NDArray[np.float32]
    names: tuple[str, ...]
    positions: NDArray[np.intp]
    index: NDArray[np.int32]

    @classmethod
    def of(cls, vectors: Vectors, embedding: Embedding) -> Cloud:
        """The points of some vectors."""
        index = np.full(vectors.map_shape, -1, np.int32)
        index[tuple(vectors.positions.T)] = np.arange(len(vectors))
        return cls(embedding.coordinates, embedding.names, vectors.positions, index)

    def view(self, across: int, up: int) -> View:
        """Two of the dimensions, as they are seen."""
        points = np.ascontiguousarray(self.coordinates[:, [across, up]])
        low, high = points.min(axis=0), points.max(axis=0)
        margin = np.maximum(_MARGIN * (high - low), 1e-6)
        (left, bottom), (right, top) = (low - margin).tolist(), (high + margin).tolist()
        return View(self, points, (left, right, bottom, top))


@dataclass(frozen=True, eq=False)
class View:
    """A cloud seen along two of its dimensions.

    Attributes
    ----------
    cloud
        The cloud.
    points
        Across and up, of shape (n, 2).
    extent
        What the picture covers.
    """

    cloud: Cloud
    points: NDArray[np.float32]
    extent: Extent

    def at(self, row: int, col: int) -> tuple[float, float] | None:
        """Where the vector of a position lies; None if it has none."""
        rows, cols = self.cloud.index.shape
        if not (0 <= row < rows and 0 <= col < cols) or self.cloud.index[row, col] < 0:
            return None
        across, up = self.points[self.cloud.index[row, col]].tolist()
        return across, up


def lay_out(stack: MapStack, method: Method) -> Job[Cloud]:
    """Lay the latent vectors of a stack out."""
    vectors = yield from latent_vectors(stack)
    if method is Method.UMAP:
        return Cloud.of(vectors, (yield from umap(vectors)))
    return Cloud.of(vectors, (yield from principal_components(vectors, _COMPONENTS)))


@dataclass(frozen=True, eq=False)
class Tones:
    """By what points are coloured.

    Attributes
    ----------
    values
        A map, of shape (rows, columns).
    limits, colormap
        As it is shown.
    """

    values: NDArray
    limits: tuple[float, float]
    colormap: Colormap


def density_picture(view: View, colour: tuple[float, ...]) -> Job[NDArray[np.uint8]]:
    """How many points there are, in one colour: of shape (height, width, 4), the top row first."""
    count, _ = yield from _stamp(view, np.arange(len(view.points)))
    picture = np.zeros((*count.shape, 4), np.float32)
    picture[..., :3] = colour[:3]
    strength = np.log1p(count) / np.log1p(max(count.max(), 1))
    picture[..., 3] = np.where(count > 0, _FAINTEST + (1 - _FAINTEST) * strength, 0)
    return (255 * picture).astype(np.uint8)


def toned_picture(view: View, tones: Tones) -> Job[NDArray[np.uint8]]:
    """The mean of a map's values where points overlap, in the colours of the map."""
    of_points = tones.values[tuple(view.cloud.positions.T)].astype(np.float32)
    known = np.flatnonzero(np.isfinite(of_points))
    count, total = yield from _stamp(view, known, of_points[known])
    low, high = tones.limits
    toned = np.clip((total / np.maximum(count, 1) - low) / (high - low), 0, 1)
    colours = np.asarray(tones.colormap.map(toned.ravel())).reshape(*toned.shape, 4)
    colours[count == 0] = 0
    return (255 * colours).astype(np.uint8)


def lit_picture(
    view: View, lit: NDArray[np.intp], colour: tuple[float, ...]
) -> Job[NDArray[np.uint8]]:
    """The points of some positions (n, 2), in one colour."""
    index = view.cloud.index[tuple(lit.T)]
    count, _ = yield from _stamp(view, index[index >= 0])
    picture = np.zeros((*count.shape, 4), np.uint8)
    picture[count > 0] = np.round(255 * np.array([*colour[:3], 1]))
    return picture


def positions_within(view: View, outline: NDArray[np.floating]) -> Job[NDArray[np.intp]]:
    """Positions (n, 2) whose points an outline (m, 2) encloses."""
    from matplotlib.path import Path

    path, inside = Path(outline), np.zeros(len(view.points), bool)
    for start in range(0, len(view.points), _BLOCK):
        block = slice(start, start + _BLOCK)
        inside[block] = path.contains_points(view.points[block])
        yield Progress(start, len(view.points), "Looking into the outline")
    return view.cloud.positions[inside]


def _stamp(
    view: View, which: NDArray[np.integer], values: NDArray[np.float32] | None = None
) -> Job[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """How many points lie in each pixel of the picture, and the sum of their values."""
    left, right, bottom, top = view.extent
    shape = (_SIDE, _SIDE)
    count, total = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for start in range(0, len(which), _BLOCK):
        block = slice(start, start + _BLOCK)
        across, up = view.points[which[block]].T
        col = ((across - left) / (right - left) * _SIDE).astype(np.intp)
        row = ((top - up) / (top - bottom) * _SIDE).astype(np.intp)
        pixel = np.clip(row, 0, _SIDE - 1) * _SIDE + np.clip(col, 0, _SIDE - 1)
        count += np.bincount(pixel, minlength=count.size).reshape(shape)
        if values is not None:
            total += np.bincount(pixel, values[block], count.size).reshape(shape)
        yield Progress(start, len(which), "Drawing points")
    # As large as suits the whole cloud: those that light up lie on their own discs.
    radius = next((radius for radius, limit in _RADII if len(view.points) <= limit), 1)
    return _discs(count, radius), _discs(total, radius)


def _discs(pixels: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    """Each pixel spread over a disc."""
    padded = np.pad(pixels, radius)
    spread = np.zeros_like(pixels)
    rows, cols = pixels.shape
    for down, right in product(range(2 * radius + 1), repeat=2):
        if (down - radius) ** 2 + (right - radius) ** 2 <= (radius - 0.5) ** 2 + 0.5:
            spread += padded[down : down + rows, right : right + cols]
    return spread
