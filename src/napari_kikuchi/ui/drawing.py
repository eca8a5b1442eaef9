"""Buttons with which lines and regions are drawn on maps."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Shapes
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QWidget

from napari_kikuchi.jobs import Job, Progress

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_kikuchi.ui.session import Session

_NAME = "regions"
_EDGE_PIXELS = 2
_TOOLS = (
    ("Line", "add_line", "Draw a line across a wall, or several: press, drag and release"),
    ("Path", "add_polyline", "Draw a path of several lines: click each corner, Escape ends it"),
    ("Box", "add_rectangle", "Draw a rectangle around a region"),
    ("Lasso", "add_polygon_lasso", "Draw around a region by hand"),
)
_NO_MAP = "Open a scan or its maps first: there is nothing to draw on"


class DrawingTools(QWidget):
    """Lets the mouse draw on a layer for regions, made when it is first needed.

    Parameters
    ----------
    session
        Of the viewer.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.buttons: dict[str, QPushButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for text, mode, _ in _TOOLS:
            button = QPushButton(text)
            button.clicked.connect(partial(self.draw, mode))
            row.addWidget(button)
            self.buttons[text] = button
        self._enable()
        session.start(_compile_shapes())

    def watch(self) -> None:
        """Offer to draw where there is something to draw on, from now on."""
        for signal in self._of_layers():
            signal.connect(self._enable)
        self._enable()

    def look_away(self) -> None:
        """Look at the layers no more."""
        for signal in self._of_layers():
            signal.disconnect(self._enable)

    def _of_layers(self) -> list[Any]:
        events = self._session.viewer.layers.events
        return [events.inserted, events.removed]

    def _enable(self, *ignored: object) -> None:
        there = any(isinstance(layer, Image) for layer, _ in self._session.links())
        for text, _, tip in _TOOLS:
            self.buttons[text].setEnabled(there)
            self.buttons[text].setToolTip(tip if there else _NO_MAP)

    def draw(self, mode: str) -> None:
        """Let the mouse draw: one of napari's modes of a shapes layer."""
        viewer = self._session.viewer
        shapes = _regions(viewer)
        shapes.visible = True
        viewer.layers.selection.active = shapes
        shapes.mode = mode


def _regions(viewer: ViewerModel) -> Shapes:
    """The layer that is selected if it is one of shapes, else the topmost such, else a new one."""
    active = viewer.layers.selection.active
    if isinstance(active, Shapes):
        return active
    there = [layer for layer in viewer.layers if isinstance(layer, Shapes)]
    if there:
        return there[-1]
    below = next(layer for layer in reversed(viewer.layers) if isinstance(layer, Image))
    return viewer.add_shapes(
        name=_NAME,
        ndim=2,
        face_color="transparent",
        edge_color="yellow",
        edge_width=_EDGE_PIXELS / viewer.scene.camera.zoom,
        units=below.units[-2:],
        axis_labels=below.axis_labels[-2:],
    )


def _compile_shapes() -> Job[None]:
    """Let napari compile what draws lines and regions, for which the window would stand."""
    yield Progress(0, 0, "Compiling")
    corners = np.array([[0, 0], [0, 1], [1, 1]])
    for count, kind in ((2, "line"), (3, "path"), (3, "polygon")):
        Shapes([corners[:count]], shape_type=kind)
