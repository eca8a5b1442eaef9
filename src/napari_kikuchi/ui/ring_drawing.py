"""The direct beam and the rings of a crystal over a pattern, moved by hand until they fit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, QPointF, QRectF, QSizeF, Qt, Signal
from qtpy.QtGui import QColor, QPainter

from napari_kikuchi.ui.pattern_overlay import REACH, Drawing, Handle, outline, write

if TYPE_CHECKING:
    from napari_kikuchi.orientation.rings import Ring
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
# Names stand to the right of their rings in one of these directions, in this order.
_WAYS = [
    QPointF(math.cos(angle), math.sin(angle)) for angle in map(math.radians, (-45, 45, 225, 135))
]
_NAME_SIZE = QSizeF(36, 2)
# A ring that is dragged through the centre would have no scale.
_LEAST_RADIUS = 2.0


class RingDrawing(QObject, Drawing):
    """A cross that is dragged onto the direct beam, and rings that are dragged onto spots.

    Attributes
    ----------
    centre
        Row and column of the cross, in pixels of the pattern; None: nothing is drawn.
    scale
        Of a pixel, in 1/Å, by which the rings are drawn.
    """

    centred = Signal(object)
    """Where the cross has been moved to."""
    scaled = Signal(float)
    """By which scale a ring goes through where it has been dragged."""

    def __init__(self) -> None:
        super().__init__()
        self.centre: Place | None = None
        self.scale = 1.0
        self._rings: list[Ring] = []

    def set_rings(self, rings: Sequence[Ring]) -> None:
        """Draw some of these: the strongest, as far as they can be told apart."""
        self._rings = sorted(rings, key=lambda ring: -ring.strength)

    def paint(self, painter: QPainter, frame: Frame) -> None:
        """Draw the rings that lie in the pattern, and the cross over them."""
        if self.centre is None:
            return
        centre = frame.to_screen(self.centre)
        seen = self._seen(frame)
        painter.setClipRect(frame.pattern, Qt.ClipOperation.IntersectClip)
        for halo in (True, False):
            for ring, radius in seen:
                colour = QColor(COLOUR)
                colour.setAlphaF(0.45 + 0.55 * ring.strength**0.5)
                outline(painter, colour, 1.2, halo=halo)
                painter.drawEllipse(centre, radius, radius)
        self._name(painter, frame, centre, seen)
        for halo in (True, False):
            outline(painter, _CENTRE, 1.8, halo=halo)
            for right, down in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                way = QPointF(right, down)
                painter.drawLine(centre + way * _GAP, centre + way * _ARM)

    def handle_at(self, point: QPointF, frame: Frame) -> Handle | None:
        """The cross, else the ring below the mouse."""
        if self.centre is None:
            return None
        away = _distance(point, frame.to_screen(self.centre))
        if away <= _ARM:
            return Handle(Qt.CursorShape.SizeAllCursor, self.centred.emit)
        near = [(abs(radius - away), ring) for ring, radius in self._seen(frame)]
        distance, ring = min(near, key=lambda one: one[0], default=(math.inf, None))
        if ring is None or distance > REACH:
            return None
        return Handle(Qt.CursorShape.SizeHorCursor, lambda place: self._drag(ring, place))

    def words_at(self, point: QPointF, frame: Frame) -> str:
        """What can be done there."""
        handle = self.handle_at(point, frame)
        if handle is None:
            return ""
        is_cross = handle.cursor is Qt.CursorShape.SizeAllCursor
        return "drag onto the direct beam" if is_cross else "drag onto its spots"

    def words_held(self) -> str:
        """The scale, while a ring is dragged."""
        return f"{self.scale:.5f} 1/Å per pixel"

    def nudge(self, rows: float, cols: float) -> bool:
        """Move the cross."""
        if self.centre is not None:
            self.centred.emit((self.centre[0] + NUDGE * rows, self.centre[1] + NUDGE * cols))
        return True

    def _drag(self, ring: Ring, place: Place) -> None:
        assert self.centre is not None
        radius = math.dist(self.centre, place)
        if radius >= _LEAST_RADIUS:
            self.scaled.emit(ring.length / radius)

    def _seen(self, frame: Frame) -> list[tuple[Ring, float]]:
        """Rings to draw, the strongest first, and their radii in pixels of the screen."""
        assert self.centre is not None
        edges = frame.pattern
        corners = edges.topLeft(), edges.topRight(), edges.bottomLeft(), edges.bottomRight()
        centre = frame.to_screen(self.centre)
        farthest = max(_distance(centre, corner) for corner in corners)
        seen: list[tuple[Ring, float]] = []
        for ring in self._rings:
            radius = ring.length / self.scale * frame.zoom
            apart = all(abs(radius - other) >= _APART for _, other in seen)
            if _ARM < radius < farthest and apart and len(seen) < _MOST:
                seen.append((ring, radius))
        return seen

    def _name(
        self, painter: QPainter, frame: Frame, centre: QPointF, seen: list[tuple[Ring, float]]
    ) -> None:
        """Write which ring is which, where there is room for it."""
        named: list[tuple[QPointF, float]] = []
        for ring, radius in seen:
            for way in _WAYS:
                place = centre + way * radius
                apart = all(one != way or abs(radius - r) >= _NAMES_APART for one, r in named)
                if apart and frame.pattern.contains(QRectF(place, _NAME_SIZE)):
                    write(painter, place + QPointF(4, 0), ring.label, COLOUR)
                    named.append((way, radius))
                    break


def _distance(one: QPointF, other: QPointF) -> float:
    return math.hypot(one.x() - other.x(), one.y() - other.y())
