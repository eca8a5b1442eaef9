"""Positions of a map that are selected: painted, encircled in a plot, or inside what is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_kikuchi.ui.inspected import Inspection
from napari_kikuchi.ui.label_layer import LabelLayer
from napari_kikuchi.ui.strokes import NOWHERE

if TYPE_CHECKING:
    from napari.layers import Image
    from numpy.typing import NDArray

    from napari_kikuchi.ui.session import Session

SELECTED, DRAWN = "#ff8c1a", "#00d5ff"
_LABEL = 1


class Selection(QObject):
    """A labels layer of what is selected, and the region that is drawn.

    Parameters
    ----------
    session
        Of the viewer that gets the layer.
    """

    changed = Signal()
    """Other positions are selected, or lie in what is drawn."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.labels = LabelLayer(session.viewer, "selection", {_LABEL: SELECTED}, opacity=0.6)
        self._inspection = Inspection(session)
        self._inspection.open()
        for signal in (self.labels.changed, self._inspection.changed):
            signal.connect(self.changed)

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
        inspected = self._inspection.current
        if inspected is None or not inspected.enclosed:
            return NOWHERE
        return inspected.shapes[0].positions(over)

    def close(self) -> None:
        """Hear no more; the layer stays."""
        self.labels.close()
        self._inspection.close()
