"""Detector space: a napari canvas of its own with the views of one pattern side by side."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image
from napari.qt import QtViewer
from qtpy.QtCore import QRectF, QSize
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from napari_kikuchi.ui.pattern_frame import Frame
from napari_kikuchi.ui.pattern_views import View

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from qtpy.QtGui import QResizeEvent

_DIVERGING = "PiYG"
_TITLE_POINTS = 8
_SIDE = 400
_LEAST_HEIGHT = 120


class PatternPanes(QWidget):
    """Shows some views of a pattern, each with its title, zoomed and moved together.

    Attributes
    ----------
    model
        The canvas's own viewer, in pixels of the recorded pattern.
    """

    def __init__(self) -> None:
        super().__init__()
        self.model = ViewerModel(title="patterns")
        self.canvas = QtViewer(self.model)
        # Files dropped here would be opened among the patterns.
        self.canvas.setAcceptDrops(False)
        self.model.canvas.grid.enabled = True
        self._panes: dict[View, Image] = {}
        self._colormap = "gray"
        self._gamma = 1.0
        self._pattern_shape = (1, 1)
        # Other docks below would leave no room for the patterns; more, and a low screen has none.
        self.setMinimumHeight(_LEAST_HEIGHT)
        # Else napari would put empty room below all that is in the dock.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.canvas)

    @property
    def shown(self) -> list[View]:
        """The views on the canvas, in their order."""
        return [view for view, pane in self._panes.items() if pane.visible]

    def image(self, view: View) -> NDArray[np.float32]:
        """What a view shows, within [0, 1]."""
        return self._panes[view].data

    def show_images(
        self,
        images: Mapping[View, NDArray[np.float32]],
        pattern_shape: tuple[int, int],
        words: Mapping[View, str] | None = None,
    ) -> None:
        """Show these views and no others.

        Parameters
        ----------
        images
            Each within [0, 1], of any shape.
        pattern_shape
            Height and width of the recorded pattern, to which all are scaled.
        words
            To stand below the titles of some: why there is nothing to be seen.
        """
        before = self.shown
        self._pattern_shape = pattern_shape
        for view, image in images.items():
            self._show(view, image, pattern_shape)
            title = "\n".join(filter(None, (str(view), (words or {}).get(view))))
            if self._panes[view].name != title:
                self._panes[view].name = title
        for view, pane in self._panes.items():
            # Telling napari what it knows would cost more than drawing.
            if pane.visible != (view in images):
                pane.visible = view in images
        if self.shown != before:
            self.arrange()

    def set_colormap(self, colormap: str) -> None:
        """Choose the colours of all views but the difference, whose zero has its own."""
        self._colormap = colormap
        for view, pane in self._panes.items():
            if view is not View.DIFFERENCE:
                pane.colormap = colormap

    def set_gamma(self, gamma: float) -> None:
        """Choose the gamma of all views but the difference, which would become lopsided."""
        self._gamma = gamma
        for view, pane in self._panes.items():
            if view is not View.DIFFERENCE:
                pane.gamma = gamma

    def arrange(self) -> None:
        """Use the space so that patterns are as large as can be, and show them whole."""
        count = len(self.shown)
        if count:
            rows, cols = best_grid(count, self.canvas.height(), self.canvas.width())
            self.model.canvas.grid.shape = (rows, cols)
            self.model.reset_view(margin=0.02)

    def frames(self) -> list[Frame]:
        """Where on the canvas each view lies that is shown, in their order."""
        count = len(self.shown)
        if not count:
            return []
        rows, cols = self.model.canvas.grid.shape
        width, height = self.canvas.canvas.native.width(), self.canvas.canvas.native.height()
        camera = self.model.scene.camera
        middle = (float(camera.center[-2]), float(camera.center[-1]))
        boxes = (
            QRectF(col * width / cols, row * height / rows, width / cols, height / rows)
            for row in range(rows)
            for col in range(cols)
        )
        zoom = float(camera.zoom)
        return [Frame(box, middle, zoom, self._pattern_shape) for box in islice(boxes, count)]

    def sizeHint(self) -> QSize:
        """Leave most of the window to the maps."""
        return QSize(_SIDE, _SIDE)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Arrange anew in the new space."""
        super().resizeEvent(event)
        self.arrange()

    def _show(self, view: View, image: NDArray[np.float32], pattern_shape: tuple[int, int]) -> None:
        pane = self._panes.get(view)
        scale = np.divide(pattern_shape, image.shape)
        if pane is None or pane.data.shape != image.shape or not np.allclose(pane.scale, scale):
            self._place(view, image, scale)
        else:
            # In place: a new array would cost napari twice the time.
            pane.data[...] = image
            pane.refresh(extent=False, thumbnail=False, highlight=False)

    def _place(self, view: View, image: NDArray[np.float32], scale: NDArray) -> None:
        # The first pixel's centre lies half a pixel of its own from the edge.
        translate = (scale - 1) / 2
        if view in self._panes:
            pane = self._panes[view]
            pane.data, pane.scale, pane.translate = image, scale, translate
            self.arrange()
            return
        diverging = view is View.DIFFERENCE
        pane = Image(
            image,
            name=str(view),
            contrast_limits=(0, 1),
            colormap=_DIVERGING if diverging else self._colormap,
            gamma=1 if diverging else self._gamma,
            scale=scale,
            translate=translate,
        )
        pane.name_overlay.visible = True
        pane.name_overlay.font_size = _TITLE_POINTS
        self._panes[view] = pane
        self._panes = {view: self._panes[view] for view in View if view in self._panes}
        self.model.layers.insert(list(self._panes).index(view), pane)


def best_grid(count: int, height: int, width: int) -> tuple[int, int]:
    """Rows and columns in which square panes fill a space best."""

    def side(cols: int) -> float:
        rows = -(-count // cols)
        return min(width / cols, height / rows)

    cols = max(range(1, count + 1), key=side)
    return -(-count // cols), cols
