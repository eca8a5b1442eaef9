"""A scan of spot patterns whose truth is known, and what a hand does over its patterns."""

import numpy as np
from pattern_window import Window
from qtpy.QtCore import QPointF, Qt

from napari_kikuchi.calibration import Calibration
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.scan import Scan
from napari_kikuchi.ui.reader import navigator_layer

SHAPE = (64, 72)
CENTRE = (30.0, 34.0)
# 1/Å per pixel.
SCALE = 0.025
IN_NM = Calibration((10 * SCALE, 10 * SCALE), "1/nm")
BEAM = 3.0
# Of the direct beam and the two spots to its left and right, so many columns away.
COUNTS, SPOT, AWAY = 900, 60, 20


def spot_patterns(rows=6, cols=8):
    """The direct beam and two spots, the right one brighter from column to column."""
    y, x = np.indices(SHAPE)
    pattern = np.zeros((rows, cols, *SHAPE), np.uint16)
    pattern[:, :, np.hypot(y - CENTRE[0], x - CENTRE[1]) <= BEAM] = COUNTS
    for side in (-1, 1):
        within = np.hypot(y - CENTRE[0], x - CENTRE[1] - side * AWAY) <= BEAM
        pattern[:, :, within] = SPOT
    right = np.hypot(y - CENTRE[0], x - CENTRE[1] - AWAY) <= BEAM
    pattern[:, :, right] += np.arange(cols, dtype=np.uint16)[None, :, None]
    return pattern


def spot_scan(calibration=IN_NM, **options):
    return Scan(
        ArraySource(spot_patterns()),
        step=(0.01, 0.01),
        name="spots",
        technique="4D-STEM",
        calibration=calibration,
        **options,
    )


class SpotWindow(Window):
    """A window over such a scan."""

    @property
    def tools(self):
        return self.patterns.tools

    @property
    def pattern_canvas(self):
        return self.patterns.panes.canvas.canvas.native

    def show(self, scan):
        data, attributes, _ = navigator_layer(scan)
        self.viewer.add_image(data, **attributes)
        self.wait_for("row 3, column 4")
        self.qtbot.waitUntil(lambda: self.patterns.panes.shown != [])
        self.qtbot.wait(50)

    def at(self, row, col, pane=0):
        """Where on the canvas of the patterns a place of one is."""
        point = self.patterns.panes.frames()[pane].to_screen((row, col))
        return QPointF(point).toPoint()

    def point(self, row, col):
        self.qtbot.mouseMove(self.pattern_canvas, self.at(row, col))

    def drag(self, start, end):
        canvas, left = self.pattern_canvas, Qt.MouseButton.LeftButton
        self.point(*start)
        self.qtbot.mousePress(canvas, left, pos=self.at(*start))
        middle = np.mean([start, end], axis=0)
        for place in (middle, end):
            self.point(*place)
        self.qtbot.mouseRelease(canvas, left, pos=self.at(*end))
