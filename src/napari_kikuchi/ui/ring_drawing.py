"""The direct beam and the rings of a crystal over a pattern, moved by hand until they fit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QObject, QPointF, QRectF, QSizeF, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPolygonF

from napari_kikuchi.ui.pattern_overlay import REACH, Drawing, Handle, outline, write
from napari_kikuchi.ui.pattern_scale import k_length

if TYPE_CHECKING:
    from napari_kikuchi.orientation.rings import Ring
    from napari_kikuchi.orientation.spot_calibration import SpotCalibration
    from napari_kikuchi.ui.pattern_frame import Frame, Place

COLOUR = QColor("#5ad1ff")
_CENTRE = QColor("white")
# Half the length of the cross, and what is left open in its middle, in pixels of the screen.
_ARM, _GAP = 13.0, 4.0
# Steps of the arrow keys, in pixels of the pattern.
NUDGE = 0.2
# Nearer than this, in pixels of the screen, rings are one band and their names one blot.
_APART, _NAMES_APART = 5.0, 15.0
_MOST = 14
# Names stand to the right of their rings in one of these directions, in this order: to the left
# are the title of the view and the scale bar.
_WAYS = [QPointF(math.cos(angle), math.sin(angle)) for angle in map(math.radians, (-45, 45))]
_NAME_SIZE = QSizeF(36, 2)
# Of the line that is drawn for a ring: less than half a pixel from it on any screen.
_CORNERS = 120
# A ring that is dragged through the centre would have no scale.
_LEAST_RADIUS = 2.0


class RingDrawing(QObject, Drawing):
    """A cross that is dragged onto the direct beam, and rings that are dragged onto spots.

    Attributes
    ----------
    calibration
        By which they are drawn; None: not at all.
    """

    centred = Signal(object)
    """Where the cross has been moved to."""
    scaled = Signal(float)
    """By which scale a ring goes through where it has been dragged."""

    def __init__(self) -> None:
        super().__init__()
        self.calibration: SpotCalibration | None = None
        self._rings: list[Ring] = []

    def set_rings(self, rings: Sequence[Ring]) -> None:
        """Draw some of these: the strongest, as far as they can be told apart."""
        self._rings = sorted(rings, key=lambda ring: -ring.strength)

    def paint(self, painter: QPainter, frame: Frame) -> None:
        """Draw the rings that lie in the pattern, and the cross over them."""
        calibration = self.calibration
        if calibration is None:
            return
        centre = frame.to_screen(calibration.centre)
        seen = [(ring, _line(ring, calibration, frame)) for ring in self._seen(calibration, frame)]
        painter.setClipRect(frame.pattern, Qt.ClipOperation.IntersectClip)
        for halo in (True, False):
            for ring, line in seen:
                colour = QColor(COLOUR)
                colour.setAlphaF(0.45 + 0.55 * ring.strength**0.5)
                outline(painter, colour, 1.2, halo=halo)
                painter.drawPolyline(line)
        _name(painter, frame, centre, seen)
        for halo in (True, False):
            outline(painter, _CENTRE, 1.8, halo=halo)
            for right, down in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                way = QPointF(right, down)
                painter.drawLine(centre + way * _GAP, centre + way * _ARM)

    def handle_at(self, point: QPointF, frame: Frame) -> Handle | None:
        """The cross, else the ring below the mouse."""
        calibration = self.calibration
        if calibration is None:
            return None
        if _distance(point, frame.to_screen(calibration.centre)) <= _ARM:
            return Handle(Qt.CursorShape.SizeAllCursor, self.centred.emit)
        k = k_length(calibration, frame.to_pattern(point))
        seen = self._seen(calibration, frame)
        ring = min(seen, key=lambda one: abs(one.length - k), default=None)
        if ring is None or abs(ring.length - k) / calibration.scale * frame.zoom > REACH:
            return None
        return Handle(Qt.CursorShape.SizeHorCursor, partial(self._drag, ring))

    def words_at(self, point: QPointF, frame: Frame) -> str:
        """What can be done there."""
        handle = self.handle_at(point, frame)
        if handle is None:
            return ""
        is_cross = handle.cursor is Qt.CursorShape.SizeAllCursor
        return "drag onto the direct beam" if is_cross else "drag onto its spots"

    def words_held(self) -> str:
        """The scale, while a ring is dragged."""
        return "" if self.calibration is None else f"{self.calibration.scale:.5f} 1/Å per pixel"

    def nudge(self, rows: float, cols: float) -> bool:
        """Move the cross."""
        if self.calibration is not None:
            row, col = self.calibration.centre
            self.centred.emit((row + NUDGE * rows, col + NUDGE * cols))
        return True

    def _drag(self, ring: Ring, place: Place) -> None:
        assert self.calibration is not None
        radius = k_length(self.calibration, place) / self.calibration.scale
        if radius >= _LEAST_RADIUS:
            self.scaled.emit(ring.length / radius)

    def _seen(self, calibration: SpotCalibration, frame: Frame) -> list[Ring]:
        """Rings to draw, the strongest first."""
        edges = frame.pattern
        corners = edges.topLeft(), edges.topRight(), edges.bottomLeft(), edges.bottomRight()
        centre = frame.to_screen(calibration.centre)
        farthest = max(_distance(centre, corner) for corner in corners)
        seen: list[tuple[Ring, float]] = []
        for ring in self._rings:
            radius = ring.length / calibration.scale * frame.zoom
            apart = all(abs(radius - other) >= _APART for _, other in seen)
            if _ARM < radius < farthest and apart and len(seen) < _MOST:
                seen.append((ring, radius))
        return [ring for ring, _ in seen]


def _line(ring: Ring, calibration: SpotCalibration, frame: Frame) -> QPolygonF:
    """A ring as the detector shows it, on the canvas."""
    angles = np.linspace(0, 2 * np.pi, _CORNERS + 1)
    kx, ky = ring.length * np.cos(angles), ring.length * np.sin(angles)
    cols, rows = calibration.to_pixels(kx, ky)
    places = zip(rows.tolist(), cols.tolist(), strict=True)
    return QPolygonF([frame.to_screen(place) for place in places])


def _name(
    painter: QPainter, frame: Frame, centre: QPointF, seen: list[tuple[Ring, QPolygonF]]
) -> None:
    """Write which ring is which, where there is room for it."""
    named: list[QPointF] = []
    for ring, line in seen:
        points = [line.at(index) for index in range(line.size())]
        for way in _WAYS:
            place = max(points, key=lambda point: QPointF.dotProduct(point - centre, way))
            apart = all(_distance(place, other) >= _NAMES_APART for other in named)
            if apart and frame.pattern.contains(QRectF(place, _NAME_SIZE)):
                write(painter, place + QPointF(4, 0), ring.label, COLOUR)
                named.append(place)
                break


def _distance(one: QPointF, other: QPointF) -> float:
    return math.hypot(one.x() - other.x(), one.y() - other.y())
