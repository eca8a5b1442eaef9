"""Positions of a map that are selected: painted, encircled in a plot, or inside what is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_kikuchi.ui.drawn_watch import DrawnWatch
from napari_kikuchi.ui.label_layer import LabelLayer
from napari_kikuchi.ui.regions import drawn
from napari_kikuchi.ui.strokes import NOWHERE

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image
    from numpy.typing import NDArray

SELECTED, DRAWN = "#ff8c1a", "#00d5ff"
_LABEL = 1


class Selection(QObject):
    """A labels layer of what is selected, and the region that is drawn.

    Parameters
    ----------
    viewer
        Gets the layer.
    """

    changed = Signal()
    """Other positions are selected, or lie in what is drawn."""

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self.labels = LabelLayer(viewer, "selection", {_LABEL: SELECTED}, opacity=0.6)
        self._watch = DrawnWatch(viewer)
        self._told: tuple[object, ...] = ()
        self.labels.changed.connect(self.changed)
        self._watch.changed.connect(self._on_drawn)

    def select(self, positions: NDArray[np.intp], over: Image) -> None:
        """Select positions (n, 2) of a map, and no others."""
        layer = self.labels.fitting(over)
        data = np.zeros_like(layer.data)
        data[tuple(positions.T)] = _LABEL
        layer.data = data
        layer.visible = True

    def paint(self, over: Image) -> None:
        """Let the mouse paint what is selected."""
        self.labels.paint(_LABEL, over)

    def selected(self, over: Image) -> NDArray[np.intp]:
        """Positions (n, 2) of a map that are selected."""
        layer = self.labels.layer
        if layer is None or layer.data.shape != over.data.shape:
            return NOWHERE
        return np.argwhere(np.asarray(layer.data) == _LABEL)

    def inside_drawn(self, over: Image) -> NDArray[np.intp]:
        """Positions (n, 2) of a map inside the shape that is selected, or was drawn last."""
        shapes = drawn(self._viewer)
        if not shapes or not shapes[-1].encloses:
            return NOWHERE
        return shapes[-1].positions(over)

    def _on_drawn(self) -> None:
        """Tell of another shape: layers come and go, and the mouse passes over what is drawn."""
        now = tuple(
            (id(shape.shapes), shape.kind, shape.shapes.data[shape.index].tobytes())
            for shape in drawn(self._viewer)[-1:]
        )
        if now != self._told:
            self._told = now
            self.changed.emit()

    def collect(self) -> None:
        """Layers came or went."""
        self._watch.collect()

    def close(self) -> None:
        """Hear no more; the layer stays."""
        self.labels.close()
        self._watch.close()
