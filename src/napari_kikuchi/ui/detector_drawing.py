"""Virtual detectors over a pattern: drawn, moved and resized by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, QPointF, QRectF, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPainterPath

from napari_kikuchi.orientation.round_detectors import RoundDetector
from napari_kikuchi.ui.pattern_overlay import REACH, Drawing, Handle, outline

if TYPE_CHECKING:
    from napari_kikuchi.ui.pattern_frame import Frame, Place
    from napari_kikuchi.ui.pattern_scale import PatternScale

# One after another; none is that of rings or spots.
COLOURS = tuple(map(QColor, ("#ffd166", "#c792ea", "#ff8a65", "#4de8c2", "#f48fb1", "#e6ee9c")))
_FILL = 0.16
# Half the size of the square by which a detector is moved, in pixels of the screen.
_GRIP = 4.0
# Of a detector, in pixels of the pattern.
_LEAST = 0.5
# Steps of the arrow keys, in pixels of the pattern.
_NUDGE = 0.5


class DetectorDrawing(QObject, Drawing):
    """Discs and rings; the chosen one is moved by its middle, all are resized by their edges.

    Attributes
    ----------
    detectors
        What is drawn, in order.
    chosen
        Which of them is moved; -1: none.
    pencil
        Inner radius over the outer one of what the next drag of the mouse makes; None: nothing.
    scale
        Of the patterns; None: nothing is drawn.
    """

    changed = Signal(int, object)
    """The number of a detector, and what has become of it."""
    drawn = Signal(object)
    """Centre, inner and outer radius of what has been drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.detectors: Sequence[RoundDetector] = ()
        self.chosen = -1
        self.pencil: float | None = None
        self.scale: PatternScale | None = None
        self._new: tuple[Place, float, float] | None = None

    def paint(self, painter: QPainter, frame: Frame) -> None:
        """Draw them, the chosen one with its middle."""
        if self.scale is None:
            return
        painter.setClipRect(frame.pattern, Qt.ClipOperation.IntersectClip)
        for index, detector in enumerate(self.detectors):
            chosen = index == self.chosen
            centre, radii = self._centre(detector), (detector.inner, detector.outer)
            _paint(painter, frame, centre, radii, colour_of(index), chosen)
        if self._new is not None:
            centre, *drawn = self._new
            _paint(painter, frame, centre, drawn, colour_of(len(self.detectors)), chosen=True)

    def handle_at(self, point: QPointF, frame: Frame) -> Handle | None:
        """An edge or the middle of a detector; anything, where a new one is drawn."""
        if self.scale is None:
            return None
        if self.pencil is not None:
            return self._draw(point, frame, self.scale, self.pencil)
        first = [self.chosen] if 0 <= self.chosen < len(self.detectors) else []
        for index in dict.fromkeys([*first, *range(len(self.detectors))]):
            detector = self.detectors[index]
            centre = self._centre(detector)
            away = math.dist(centre, frame.to_pattern(point)) * frame.zoom
            if index == self.chosen and away <= _GRIP + 2:
                return Handle(Qt.CursorShape.SizeAllCursor, partial(self._move, index))
            for inner, radius in ((False, detector.outer), (True, detector.inner)):
                if radius > 0 and abs(away - radius * frame.zoom) <= REACH / 1.5:
                    resize = partial(self._resize, index, inner)
                    return Handle(Qt.CursorShape.SizeHorCursor, resize)
        return None

    def words_at(self, point: QPointF, frame: Frame) -> str:
        """Which detector lies there, and how large it is."""
        place = frame.to_pattern(point)
        for index, one in reversed(list(enumerate(self.detectors))):
            if one.inner <= math.dist(self._centre(one), place) <= one.outer:
                return f"{one.name}: {self.told(index)}"
        return "" if self.pencil is None else "drag from the middle outwards"

    def words_held(self) -> str:
        """How large what is drawn or resized is now."""
        if self._new is not None:
            return self._told(*self._new[1:])
        return self.told(self.chosen) if 0 <= self.chosen < len(self.detectors) else ""

    def nudge(self, rows: float, cols: float) -> bool:
        """Move the chosen detector."""
        if not 0 <= self.chosen < len(self.detectors):
            return False
        detector = self.detectors[self.chosen]
        row, col = self._centre(detector)
        moved = (row + _NUDGE * rows, col + _NUDGE * cols)
        self.changed.emit(self.chosen, replace(detector, centre=moved))
        return True

    def told(self, index: int) -> str:
        """Radii of a detector in the best unit that is known."""
        return self._told(self.detectors[index].inner, self.detectors[index].outer)

    def _told(self, inner: float, outer: float) -> str:
        size, unit = (1.0, "pixels") if self.scale is None else self.scale.unit
        told = f"{outer * size:.3g} {unit}"
        return f"{inner * size:.3g} to {told}" if inner else told

    def _centre(self, detector: RoundDetector) -> Place:
        assert self.scale is not None
        return detector.centre or self.scale.centre

    def _move(self, index: int, place: Place) -> None:
        self.changed.emit(index, replace(self.detectors[index], centre=place))

    def _resize(self, index: int, inner: bool, place: Place) -> None:
        one = self.detectors[index]
        radius = math.dist(self._centre(one), place)
        if inner:
            changed = replace(one, inner=min(radius, one.outer - _LEAST))
        else:
            changed = replace(one, outer=max(radius, one.inner + _LEAST))
        self.changed.emit(index, changed)

    def _draw(self, point: QPointF, frame: Frame, scale: PatternScale, inner: float) -> Handle:
        """Draws a disc or a ring; around the direct beam if it begins there."""
        start = frame.to_pattern(point)
        near = math.dist(start, scale.centre)
        centre = scale.centre if near <= max(scale.beam, 2 * REACH / frame.zoom) else start

        def move(place: Place) -> None:
            radius = math.dist(centre, place)
            self._new = (centre, inner * radius, radius)

        def end() -> None:
            new, self._new = self._new, None
            if new is not None and new[2] >= 2 * _LEAST:
                self.drawn.emit(new)

        return Handle(Qt.CursorShape.CrossCursor, move, end)


def colour_of(index: int) -> QColor:
    """Colour of the detector of a number."""
    return COLOURS[index % len(COLOURS)]


def _paint(
    painter: QPainter,
    frame: Frame,
    centre: Place,
    radii: Sequence[float],
    colour: QColor,
    chosen: bool,
) -> None:
    middle = frame.to_screen(centre)
    edges = [radius * frame.zoom for radius in radii if radius > 0]
    path = QPainterPath()
    for radius in edges:
        path.addEllipse(middle, radius, radius)
    fill = QColor(colour)
    fill.setAlphaF(_FILL)
    painter.fillPath(path, fill)
    for halo in (True, False):
        outline(painter, colour, 2.2 if chosen else 1.4, halo=halo)
        for radius in edges:
            painter.drawEllipse(middle, radius, radius)
    if chosen:
        corner = QPointF(_GRIP, _GRIP)
        for halo in (True, False):
            outline(painter, colour, 1.6, halo=halo)
            painter.drawRect(QRectF(middle - corner, middle + corner))
