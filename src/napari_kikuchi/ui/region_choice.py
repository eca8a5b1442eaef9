"""Which part of the maps is meant: none, one that labels mark, or one that is drawn now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Labels
from qtpy.QtWidgets import QComboBox, QPushButton, QVBoxLayout, QWidget

from napari_kikuchi.ui.label_layer import LabelLayer
from napari_kikuchi.ui.listening import listen
from napari_kikuchi.ui.narrow_choice import may_be_narrow
from napari_kikuchi.ui.oriented_stacks import NO_ORIENTATIONS

if TYPE_CHECKING:
    from napari.layers import Image
    from numpy.typing import NDArray

    from napari_kikuchi.ui.session import Session

_LAYER, _COLOUR, _OPACITY = "to fill in", "#ffb000", 0.6
_NONE = "only what was not indexed"
_TIP = (
    "What labels mark is made anew, too, although it was measured:\nscratches, dust, charging, a "
    "grain that you do not trust.\nAny labels layer of the size of the maps is offered"
)
_DRAW = "Paint on the maps with the mouse; the eraser of the layer takes away again"
# Of the shorter side of the map, one dab.
_BRUSH = 1 / 12


class RegionChoice(QWidget):
    """Offers the labels layers of the size of the maps, and to draw one.

    Parameters
    ----------
    session
        Of the viewer.

    Attributes
    ----------
    choice
        Names of the layers; the first is of none.
    draw_button
        Lets the mouse paint.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._viewer = session.viewer
        self._drawn = LabelLayer(session.viewer, _LAYER, {1: _COLOUR}, _OPACITY)
        self._over: Image | None = None
        self._offered: list[Labels | None] = [None]
        self.choice = QComboBox()
        self.choice.addItem(_NONE)
        may_be_narrow(self.choice)
        self.draw_button = QPushButton("Draw a region")
        self.draw_button.clicked.connect(lambda: self.draw())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.choice)
        layout.addWidget(self.draw_button)
        listen(self, [], self._drawn.close)

    @property
    def layer(self) -> Labels | None:
        """The layer that is meant, if any."""
        return self._offered[self.choice.currentIndex()]

    def marked(self) -> NDArray[np.bool_] | None:
        """What is marked now, of shape (rows, columns); None where no region is meant."""
        layer = self.layer
        return None if layer is None else np.asarray(layer.data) > 0

    def collect(self, over: Image | None) -> None:
        """Offer the labels that there are now.

        Parameters
        ----------
        over
            A map; None where there is none.
        """
        meant, self._over = self.layer, over
        found = [
            layer
            for layer in reversed(self._viewer.layers)
            if isinstance(layer, Labels)
            and over is not None
            and layer.data.shape == over.data.shape
        ]
        self._offered = [None, *found]
        self.choice.clear()
        self.choice.addItems([_NONE, *(layer.name for layer in found)])
        self._choose(meant)
        why = NO_ORIENTATIONS if over is None else ""
        for widget, tip in ((self.choice, _TIP), (self.draw_button, _DRAW)):
            widget.setEnabled(not why)
            widget.setToolTip(why or tip)

    def draw(self) -> None:
        """Let the mouse paint a region over the maps, and choose it."""
        if self._over is None:
            return
        known = self._drawn.layer
        layer = self._drawn.fitting(self._over)
        if layer is not known:
            layer.brush_size = max(1, round(_BRUSH * min(layer.data.shape)))
        self._drawn.paint(1, self._over)
        self.collect(self._over)
        self._choose(layer)

    def _choose(self, layer: Labels | None) -> None:
        self.choice.setCurrentIndex(self._offered.index(layer) if layer in self._offered else 0)
