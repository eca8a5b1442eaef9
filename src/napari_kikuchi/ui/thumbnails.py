"""Small pictures of all the maps of a stack, made one after another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from napari.utils.colormaps import ensure_colormap
from qtpy.QtGui import QImage, QPixmap

from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.ui.layers import miniature

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
        Of shape (height, width, 4), from 0 to 255; 72 pixels along the longer side.
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
    for done, index in enumerate(order):
        values, channel = stack.map(index), stack.channels[index]
        colormap = ensure_colormap(channel.colormap)
        colours = 255 * miniature(values, channel.contrast(values), colormap, SIDE)
        picture = colours.astype(np.uint8)
        yield Thumbnail(done + 1, len(order), "Making thumbnails", stack, index, picture)


def pixmap(colours: NDArray[np.uint8]) -> QPixmap:
    """A picture as Qt shows it."""
    height, width = colours.shape[:2]
    image = QImage(colours.data, width, height, 4 * width, QImage.Format.Format_RGBA8888)
    return QPixmap.fromImage(image)
