"""A labels layer over a map, made when it is first needed, that tells when it is painted on."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap
from qtpy.QtCore import QObject, QTimer, Signal

from napari_kikuchi.jobs import Job, Progress

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Layer

# After the last dab, so that a stroke is one change.
_SETTLED_MS = 120


def compile_colours() -> Job[None]:
    """Let napari compile what colours labels: it takes seconds, in which the window would stand."""
    yield Progress(0, 0, "Compiling")
    Labels(np.zeros((2, 2), np.uint8), colormap=few_colours({1: "white"}))
    Labels(np.zeros((2, 2), np.int32))


def few_colours(colours: Mapping[int, str]) -> DirectLabelColormap:
    """A colour for each of a few labels; all others are not seen."""
    transparent: dict[Any, Any] = {None: "transparent", 0: "transparent"}
    return DirectLabelColormap(color_dict=transparent | dict(colours))


def placed_as(layer: Layer) -> dict[str, Any]:
    """Attributes that put another layer where this one lies."""
    names = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")
    return {name: getattr(layer, name) for name in names}


class LabelLayer(QObject):
    """A labels layer to paint on.

    Parameters
    ----------
    viewer
        Gets the layer.
    name
        Of the layer.
    colours
        Of each label.
    opacity
        Of the layer.
    """

    changed = Signal()
    """Something has been painted or erased."""

    def __init__(
        self, viewer: ViewerModel, name: str, colours: Mapping[int, str], opacity: float = 1
    ) -> None:
        super().__init__()
        self._viewer = viewer
        self._name = name
        self._colours = dict(colours)
        self._opacity = opacity
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

    def paint(self, label: int, over: Image) -> None:
        """Let the mouse paint a label over a map."""
        layer = self.fitting(over)
        layer.selected_label = int(label)
        layer.visible = True
        layer.mode = "paint"
        self._viewer.layers.selection = {layer}

    def rest(self) -> None:
        """Put the brush away: the mouse paints no more."""
        if self.layer is not None:
            self.layer.mode = "pan_zoom"

    def clear(self) -> None:
        """Take all labels away."""
        if self.layer is not None:
            self.layer.data = np.zeros_like(self.layer.data)

    def close(self) -> None:
        """Hear no more of the layer, which stays."""
        with suppress(RuntimeError):  # Qt may have taken the timer down before.
            self._settling.stop()
        if self._layer is not None:
            for signal in _signals(self._layer):
                signal.disconnect(self._on_paint)
        self._layer = None

    def fitting(self, over: Image) -> Labels:
        """The layer if it lies as the map does, else a new one."""
        layer = self.layer
        if layer is not None and lie_alike(layer, over):
            return layer
        self.close()
        layer = Labels(
            np.zeros(over.data.shape, np.uint8),
            name=self._name,
            opacity=self._opacity,
            colormap=few_colours(self._colours),
            **placed_as(over),
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


def lie_alike(one: Layer, other: Layer) -> bool:
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
