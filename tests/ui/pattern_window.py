"""A real window with a scan, and what a hand does in it."""

import numpy as np
from qtpy.QtCore import QPoint, Qt

from napari_kikuchi.ui.pattern_viewer import PatternViewer
from napari_kikuchi.ui.pattern_views import tone, view_limits
from napari_kikuchi.ui.session import session_of

PLUGIN = "napari-kikuchi"


class Window:
    """A viewer with a scan in it, and what a hand does there."""

    def __init__(self, viewer, qtbot):
        self.viewer = viewer
        self.qtbot = qtbot
        self.session = session_of(viewer)
        self.canvas = viewer.window._qt_viewer.canvas

    @property
    def patterns(self):
        widgets = self.viewer.window.dock_widgets.values()
        return next(widget for widget in widgets if isinstance(widget, PatternViewer))

    def place(self, row, col):
        """Where on the canvas a scan position is."""
        layer = self.viewer.layers[0]
        world = np.array(layer.data_to_world((row, col)))
        offset = (world - self.viewer.scene.camera.center[-2:]) * self.viewer.scene.camera.zoom
        size = self.canvas.native.size()
        return QPoint(round(size.width() / 2 + offset[1]), round(size.height() / 2 + offset[0]))

    def move(self, row, col):
        self.qtbot.mouseMove(self.canvas.native, self.place(row, col))

    def click(self, row, col):
        self.move(row, col)
        self.qtbot.mouseClick(
            self.canvas.native, Qt.MouseButton.LeftButton, pos=self.place(row, col)
        )

    def key(self, key, modifier=Qt.KeyboardModifier.NoModifier):
        self.qtbot.keyClick(self.canvas.native, key, modifier)

    def wait_for(self, text):
        self.qtbot.waitUntil(lambda: text in self.patterns.position.text(), timeout=10_000)

    def wait_for_views(self, *views):
        self.qtbot.waitUntil(lambda: self.patterns.panes.shown == list(views), timeout=10_000)


def toned(view, values):
    return tone(values, view_limits(view, values))
