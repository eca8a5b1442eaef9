"""What is drawn over patterns, and moved with the mouse or the arrow keys.

napari's own layers would each take a pane of the canvas, and are too slow to follow the cursor
over a map. So Qt draws on a transparent widget above the canvas, once for each pane.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject, QPointF, Qt, Signal
from qtpy.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPen,
)
from qtpy.QtWidgets import QWidget

from napari_kikuchi.ui.pattern_frame import Frame, Place

if TYPE_CHECKING:
    from qtpy.QtGui import QPaintEvent

    from napari_kikuchi.ui.pattern_panes import PatternPanes

# Pixels of the screen within which the mouse takes hold of a line or a point.
REACH = 7.0
_ARROWS: dict[int, Place] = {
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
}
_LABEL_POINTS = 8
_HALO = QColor(0, 0, 0, 190)


@dataclass(frozen=True)
class Handle:
    """What the mouse can take hold of.

    Attributes
    ----------
    cursor
        Shape of the cursor over it.
    move
        Called with each place in the pattern to which it is moved.
    end
        Called when it is let go.
    """

    cursor: Qt.CursorShape
    move: Callable[[Place], None]
    end: Callable[[], None] = lambda: None


class Drawing:
    """Something over a pattern; shown while it is among the drawings of an overlay."""

    def paint(self, painter: QPainter, frame: Frame) -> None:
        """Draw into one pane."""

    def handle_at(self, point: QPointF, frame: Frame) -> Handle | None:
        """What can be moved at a point of the canvas."""
        return None

    def words_at(self, point: QPointF, frame: Frame) -> str:
        """What is to be told at a point of the canvas."""
        return ""

    def words_held(self) -> str:
        """What is to be told while this is moved."""
        return ""

    def nudge(self, rows: float, cols: float) -> bool:
        """Move by arrow keys, by so many steps; False if this does not move."""
        return False


class PatternOverlay(QWidget):
    """Transparent widget above the panes of the pattern viewer.

    Parameters
    ----------
    panes
        What lies below.
    """

    pointed = Signal(object)
    """The place in the pattern below the mouse, as row and column; None outside."""

    def __init__(self, panes: PatternPanes) -> None:
        self._canvas: QWidget = panes.canvas.canvas.native
        super().__init__(self._canvas)
        self._panes = panes
        self._drawings: list[Drawing] = []
        self._held: tuple[Handle, Frame] | None = None
        self._mouse: QPointF | None = None
        self._cursor = Qt.CursorShape.ArrowCursor
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setGeometry(self._canvas.rect())
        self._canvas.installEventFilter(self)
        camera = panes.model.scene.camera.events
        camera.center.connect(self._on_camera)
        camera.zoom.connect(self._on_camera)

    def show_drawing(self, drawing: Drawing, shown: bool) -> None:
        """Show something, or no longer."""
        if shown and drawing not in self._drawings:
            self._drawings.append(drawing)
        elif not shown and drawing in self._drawings:
            self._drawings.remove(drawing)
        self.update()

    def is_shown(self, drawing: Drawing) -> bool:
        """Whether something is shown."""
        return drawing in self._drawings

    def take_keys(self) -> None:
        """Let the arrow keys move what is drawn at once, without a click on the canvas."""
        self._canvas.setFocus()

    def paintEvent(self, _: QPaintEvent | None) -> None:
        """Draw over each pane."""
        if not self._drawings:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for frame in self._panes.frames():
            painter.save()
            painter.setClipRect(frame.box)
            for drawing in self._drawings:
                painter.save()
                drawing.paint(painter, frame)
                painter.restore()
            self._paint_words(painter, frame)
            painter.restore()

    def eventFilter(self, canvas: QObject | None, event: QEvent | None) -> bool:
        """Move what is taken hold of; all else is the canvas's own."""
        if event is None:
            return False
        kind = event.type()
        if kind == QEvent.Type.Resize:
            self.setGeometry(self._canvas.rect())
        elif self.isHidden():
            return False
        elif kind == QEvent.Type.Leave:
            self._point(None)
        elif isinstance(event, QMouseEvent):
            return self._on_mouse(kind, event)
        elif isinstance(event, QKeyEvent) and kind == QEvent.Type.KeyPress:
            return self._on_key(event)
        return False

    def _on_mouse(self, kind: QEvent.Type, event: QMouseEvent) -> bool:
        at = event.position()
        if kind == QEvent.Type.MouseButtonPress and event.button() == Qt.MouseButton.LeftButton:
            frame = self._frame_at(at)
            handle = None if frame is None else self._handle_at(at, frame)
            self._held = None if handle is None or frame is None else (handle, frame)
            return self._held is not None
        if kind == QEvent.Type.MouseMove:
            self._point(at)
            if self._held is not None:
                handle, frame = self._held
                handle.move(frame.to_pattern(at))
                self.update()
            return self._held is not None
        if kind == QEvent.Type.MouseButtonRelease and self._held is not None:
            (handle, _), self._held = self._held, None
            handle.end()
            self.update()
            return True
        return False

    def _on_key(self, event: QKeyEvent) -> bool:
        step = _ARROWS.get(event.key())
        if step is None:
            return False
        times = 10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
        rows, cols = (times * part for part in step)
        moved = any(drawing.nudge(rows, cols) for drawing in reversed(self._drawings))
        self.update()
        return moved

    def _point(self, at: QPointF | None) -> None:
        self._mouse = at
        frame = None if at is None else self._frame_at(at)
        if self._held is None:
            handle = None if at is None or frame is None else self._handle_at(at, frame)
            self._set_cursor(Qt.CursorShape.ArrowCursor if handle is None else handle.cursor)
        if self._drawings:
            self.update()
        self.pointed.emit(None if at is None or frame is None else frame.to_pattern(at))

    def _set_cursor(self, shape: Qt.CursorShape) -> None:
        # Where nothing is to be moved, the cursor is napari's.
        if shape != self._cursor:
            self._cursor = shape
            self._canvas.setCursor(shape)

    def _handle_at(self, point: QPointF, frame: Frame) -> Handle | None:
        handles = (drawing.handle_at(point, frame) for drawing in reversed(self._drawings))
        return next((handle for handle in handles if handle is not None), None)

    def _frame_at(self, point: QPointF) -> Frame | None:
        return next((frame for frame in self._panes.frames() if frame.box.contains(point)), None)

    def _paint_words(self, painter: QPainter, frame: Frame) -> None:
        mouse = self._mouse
        if mouse is None or not frame.box.contains(mouse):
            return
        drawings = reversed(self._drawings)
        if self._held is None:
            told = (drawing.words_at(mouse, frame) for drawing in drawings)
        else:
            told = (drawing.words_held() for drawing in drawings)
        words = next(filter(None, told), "")
        if words:
            at = mouse + QPointF(12, -10)
            # Near the right edge they end where they would be cut off.
            beyond = at.x() + words_width(painter, words) + 4 - frame.box.right()
            write(painter, at - QPointF(max(0.0, beyond), 0), words, QColor("white"))

    def _on_camera(self, _: object = None) -> None:
        if self._drawings:
            self.update()


def words_width(painter: QPainter, words: str) -> float:
    """How wide words are as :func:`write` writes them, in pixels."""
    return QFontMetricsF(_font(painter)).horizontalAdvance(words)


def write(painter: QPainter, at: QPointF, words: str, colour: QColor) -> None:
    """Write words that can be read on any ground, their left end at a point."""
    path = QPainterPath()
    path.addText(at, _font(painter), words)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(_HALO, 3.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawPath(path)
    painter.fillPath(path, colour)


def _font(painter: QPainter) -> QFont:
    font = QFont(painter.font())
    font.setPointSize(_LABEL_POINTS)
    return font


def outline(painter: QPainter, colour: QColor, width: float = 1.5, halo: bool = False) -> None:
    """Draw lines of a colour from now on, or the dark ones below them."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(_HALO, width + 2) if halo else QPen(colour, width))
