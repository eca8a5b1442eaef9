"""Strokes painted on a map: what is looked for, and what it is to be told from."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap
from qtpy.QtCore import QObject, QTimer, Signal

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Layer
    from numpy.typing import NDArray

NOWHERE = np.empty((0, 2), np.intp)
_NAME = "strokes"
# After the last dab, so that a stroke is one change.
_SETTLED_MS = 120


class Stroke(IntEnum):
    """What a stroke marks; its number in the labels."""

    THIS = 1
    OTHER = 2


COLOURS = {Stroke.THIS: "#ffd400", Stroke.OTHER: "#00b7ff"}


class Strokes(QObject):
    """A labels layer to paint on, made when it is first needed.

    Parameters
    ----------
    viewer
        Gets the layer.
    """

    changed = Signal()
    """Strokes have been painted or erased."""

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self._layer: Labels | None = None
        self._settling = QTimer(self)
        self._settling.setSingleShot(True)
        self._settling.setInterval(_SETTLED_MS)
        self._settling.timeout.connect(self._settle)
        self._told: bytes | None = None

    @property
    def layer(self) -> Labels | None:
        """The layer, unless there is none or it was removed."""
        return self._layer if self._layer in self._viewer.layers else None

    def paint(self, stroke: Stroke, over: Image) -> None:
        """Let the mouse paint strokes of a kind over a map."""
        layer = self._fitting(over)
        layer.selected_label = int(stroke)
        layer.visible = True
        layer.mode = "paint"
        self._viewer.layers.selection = {layer}

    def places(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Positions (n, 2) under the strokes of each kind; empty where there are none."""
        layer = self.layer
        if layer is None:
            return NOWHERE, NOWHERE
        this, other = (np.argwhere(np.asarray(layer.data) == stroke) for stroke in Stroke)
        return this, other

    def clear(self) -> None:
        """Take all strokes away."""
        if self.layer is not None:
            self.layer.data = np.zeros_like(self.layer.data)

    def close(self) -> None:
        """Hear no more of the layer, which stays."""
        self._settling.stop()
        if self._layer is not None:
            for signal in _signals(self._layer):
                signal.disconnect(self._on_paint)
        self._layer = None

    def _fitting(self, over: Image) -> Labels:
        """The layer if it lies as the map does, else a new one."""
        layer = self.layer
        if layer is not None and _lie_alike(layer, over):
            return layer
        self.close()
        colours: dict[Any, Any] = {None: "transparent", 0: "transparent"}
        colours |= {int(stroke): colour for stroke, colour in COLOURS.items()}
        layer = Labels(
            np.zeros(over.data.shape, np.uint8),
            name=_NAME,
            opacity=1,
            colormap=DirectLabelColormap(color_dict=colours),
            scale=over.scale,
            translate=over.translate,
            rotate=over.rotate,
            shear=over.shear,
            affine=over.affine,
            units=over.units,
            axis_labels=over.axis_labels,
        )
        layer.brush_size = 1
        for signal in _signals(layer):
            signal.connect(self._on_paint)
        self._viewer.layers.append(layer)
        self._layer = layer
        return layer

    def _on_paint(self, *_: Any) -> None:
        self._settling.start()

    def _settle(self) -> None:
        """Tell of a change: napari draws the labels anew for other reasons, too."""
        layer = self.layer
        now = None if layer is None else np.asarray(layer.data).tobytes()
        if now != self._told:
            self._told = now
            self.changed.emit()


def _lie_alike(one: Layer, other: Layer) -> bool:
    """Whether positions of two layers coincide."""
    if one.data.shape != other.data.shape:
        return False
    corners = np.array([[0, 0], [1, 0], [0, 1]])
    return all(
        np.allclose(one.data_to_world(corner), other.data_to_world(corner)) for corner in corners
    )


def _signals(layer: Labels) -> list[Any]:
    # Undoing is told by the second alone, data that is exchanged while hidden by the third.
    return [layer.events.paint, layer.events.set_data, layer.events.data]
