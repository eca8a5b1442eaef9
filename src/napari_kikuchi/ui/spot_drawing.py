"""Spots over a pattern: those that were found as circles, those that are simulated as crosses."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QPointF, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap

from napari_kikuchi.orientation.rings import written
from napari_kikuchi.ui.pattern_overlay import REACH, Drawing, outline
from napari_kikuchi.ui.ring_drawing import COLOUR as SIMULATED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.ui.pattern_frame import Frame

FOUND = QColor("#7dff6b")
# Half the size of the weakest and the strongest spot, in pixels of the screen: a cross stands
# within the circle of the same spot.
_CIRCLES, _CROSSES = (6.0, 13.0), (3.5, 8.0)
_OF_ICON = 5.0
# Around a marker, for the width of its line.
_MARGIN = 2.0


class SpotDrawing(Drawing):
    """Spots of one kind, larger the stronger they are.

    Parameters
    ----------
    found
        Whether they were found in the pattern, and not simulated.
    """

    def __init__(self, found: bool) -> None:
        self._found = found
        self._pictures: dict[tuple[float, float], QPixmap] = {}
        self.set_spots(np.empty((0, 3)))

    def set_spots(self, spots: NDArray, hkl: NDArray | None = None) -> None:
        """Draw these.

        Parameters
        ----------
        spots
            Column and row in pixels of the pattern, and intensity, of shape (n, 3).
        hkl
            Miller indices, of shape (n, 3).
        """
        self._spots = spots
        self._hkl = hkl
        strongest = spots[:, 2].max(initial=0)
        # The area of a spot is as its intensity.
        share = np.sqrt(spots[:, 2] / strongest) if strongest > 0 else np.zeros(len(spots))
        least, most = _CIRCLES if self._found else _CROSSES
        self._sizes = (least + (most - least) * share).tolist()
        self._places = [(float(row), float(col)) for col, row in spots[:, :2]]

    @property
    def count(self) -> int:
        """How many are drawn."""
        return len(self._places)

    def paint(self, painter: QPainter, frame: Frame) -> None:
        """Draw them all."""
        # Qt takes a fifth of the time that it takes to draw circles and crosses themselves.
        ratio = painter.device().devicePixelRatioF()
        for place, size in zip(self._places, self._sizes, strict=True):
            picture = self._picture(size, ratio)
            half = QPointF(picture.width(), picture.height()) / (2 * ratio)
            painter.drawPixmap(frame.to_screen(place) - half, picture)

    def words_at(self, point: QPointF, frame: Frame) -> str:
        """What is known of the spot below the mouse."""
        away = [point - frame.to_screen(place) for place in self._places]
        distances = [math.hypot(one.x(), one.y()) for one in away]
        nearest = int(np.argmin(distances)) if distances else -1
        if nearest < 0 or distances[nearest] > max(REACH, self._sizes[nearest]):
            return ""
        intensity = f"{self._spots[nearest, 2]:.3g}"
        if self._hkl is None:
            return f"spot of intensity {intensity}"
        return f"{written([int(one) for one in self._hkl[nearest]])}  ·  intensity {intensity}"

    def _picture(self, size: float, ratio: float) -> QPixmap:
        size = round(2 * size) / 2
        if (size, ratio) not in self._pictures:
            self._pictures[size, ratio] = _picture(self._found, size, ratio)
        return self._pictures[size, ratio]


def marker_icon(found: bool) -> QIcon:
    """What spots of a kind look like, for the box that shows them."""
    return QIcon(_picture(found, _OF_ICON, 2.0))


def _picture(found: bool, size: float, ratio: float) -> QPixmap:
    """A circle or a cross of some half size, for a screen with so many pixels to one of Qt's."""
    side = 2 * math.ceil(size + _MARGIN)
    pixmap = QPixmap(round(side * ratio), round(side * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    middle = QPointF(side / 2, side / 2)
    arm = size / math.sqrt(2)
    for halo in (True, False):
        outline(painter, FOUND if found else SIMULATED, 1.6, halo=halo)
        if found:
            painter.drawEllipse(middle, size, size)
        else:
            for way in (QPointF(arm, arm), QPointF(arm, -arm)):
                painter.drawLine(middle - way, middle + way)
    painter.end()
    return pixmap
