"""Strokes painted on a map: what is looked for, and what it is to be told from."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.ui.label_layer import LabelLayer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from numpy.typing import NDArray

NOWHERE = np.empty((0, 2), np.intp)


class Stroke(IntEnum):
    """What a stroke marks; its number in the labels."""

    THIS = 1
    OTHER = 2


COLOURS = {Stroke.THIS: "#ffd400", Stroke.OTHER: "#00b7ff"}


class Strokes(LabelLayer):
    """A layer of strokes.

    Parameters
    ----------
    viewer
        Gets the layer.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__(viewer, "strokes", {int(one): colour for one, colour in COLOURS.items()})

    def places(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Positions (n, 2) under the strokes of each kind; empty where there are none."""
        layer = self.layer
        if layer is None:
            return NOWHERE, NOWHERE
        this, other = (np.argwhere(np.asarray(layer.data) == stroke) for stroke in Stroke)
        return this, other
