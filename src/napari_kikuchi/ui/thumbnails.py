"""Small pictures of all the maps of a stack, made one after another."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from napari.utils.colormaps import ensure_colormap
from qtpy.QtGui import QImage, QPixmap

from napari_kikuchi.jobs import Job, Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.maps import MapStack

SIDE = 72


@dataclass(frozen=True, eq=False)
class Thumbnail(Progress):
    """A picture that is ready.

    Attributes
    ----------
    stack, channel
        Of which map.
    colours
        Of shape (height, width, 4), from 0 to 255; 72 pixels along the longer side at most.
    """

    stack: MapStack | None = None
    channel: int = 0
    colours: NDArray[np.uint8] | None = None


def thumbnails(stack: MapStack, order: list[int]) -> Job[None]:
    """Make a picture of each map, in an order.

    Yields
    ------
    Thumbnail
        One for each map.
    """
    stride = max(1, math.ceil(max(stack.map_shape) / SIDE))
    for done, channel in enumerate(order):
        values = np.asarray(stack.values[channel, ::stride, ::stride])
        low, high = stack.channels[channel].contrast(values)
        toned = np.clip((values - low) / (high - low), 0, 1)
        colormap = ensure_colormap(stack.channels[channel].colormap)
        colours = colormap.map(toned.ravel()).reshape(*values.shape, 4)
        picture = (255 * colours).astype(np.uint8)
        yield Thumbnail(done + 1, len(order), "Making thumbnails", stack, channel, picture)


def pixmap(colours: NDArray[np.uint8]) -> QPixmap:
    """A picture as Qt shows it, as large as all others are."""
    height, width = colours.shape[:2]
    image = QImage(
        np.ascontiguousarray(colours).data, width, height, 4 * width, QImage.Format.Format_RGBA8888
    )
    factor = SIDE / max(height, width)
    return QPixmap.fromImage(image.scaled(round(width * factor), round(height * factor)))
