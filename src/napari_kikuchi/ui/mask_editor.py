"""Where the screen gives a signal: found, a circle, or painted over the mean pattern."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QImage, QMouseEvent, QPainter, QPaintEvent
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_kikuchi.maps import contrast_limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Colour that lies over what the mask leaves out, as red, green, blue and opacity.
_OUTSIDE = np.array([255, 90, 40, 110], np.uint8)
_SIDE = 180


class Tool(StrEnum):
    """What a drag with the mouse does."""

    NONE = "none"
    CIRCLE = "circle"
    BRUSH = "brush"


class MaskEditor(QWidget):
    """Shows the mean pattern with what the mask leaves out tinted; the mouse edits the mask.

    With the circle, a drag inside moves it and a drag near its rim sizes it. With the brush, the
    left button adds to the signal and the right one takes away.

    Attributes
    ----------
    mask
        True where there is a signal, of the shape of the pattern.
    brush
        Radius of the brush as a share of the pattern's height.
    """

    edited = Signal()
    """The user has changed the mask: the mouse button was released."""

    def __init__(self) -> None:
        super().__init__()
        self.mask: NDArray[np.bool_] = np.ones((1, 1), bool)
        self.tool = Tool.NONE
        self.brush = 0.06
        self._pattern: NDArray[np.uint8] = np.zeros((1, 1), np.uint8)
        self._centre, self._radius = (0.0, 0.0), 0.0
        self._drawing = self._sizing = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Large enough to paint in."""
        return QSize(_SIDE, _SIDE)

    def show_pattern(self, pattern: NDArray, mask: NDArray[np.bool_]) -> None:
        """Show the mean pattern and a mask of the same shape; a stroke that goes on is kept."""
        low, high = contrast_limits(pattern)
        scaled = np.clip((pattern - low) / (high - low), 0, 1)
        self._pattern = np.ascontiguousarray((255 * scaled).astype(np.uint8))
        if not self._drawing:
            self.set_mask(mask)
        self.update()

    def clear(self, size: tuple[int, int]) -> None:
        """Show nothing of patterns of a size, of which none is known yet."""
        self._drawing = False
        self._pattern = np.zeros(size, np.uint8)
        self.set_mask(np.ones(size, bool))

    def set_mask(self, mask: NDArray[np.bool_]) -> None:
        """Show another mask; the circle becomes the one of its area about its centre."""
        if np.array_equal(mask, self.mask):
            return  # the circle may reach beyond the frame: there is more of it than the mask tells
        self.mask = mask.copy()
        if mask.any():
            row, col = (float(index.mean()) for index in np.nonzero(mask))
            self._centre, self._radius = (row, col), float(np.sqrt(mask.sum() / np.pi))
        self.update()

    def set_circle(self) -> None:
        """Make the mask a circle of the area and centre that it has now."""
        self.mask = self._disc(self._centre, self._radius)
        self.update()

    def paintEvent(self, _: QPaintEvent) -> None:
        """Draw the pattern, and the tint over what is left out."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        height, width = self._pattern.shape
        frame = self._frame()
        gray = QImage(self._pattern.data, width, height, width, QImage.Format.Format_Grayscale8)
        painter.drawImage(frame, gray)
        tint = np.zeros((*self.mask.shape, 4), np.uint8)
        tint[~self.mask] = _OUTSIDE
        height, width = self.mask.shape
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(
            frame,
            QImage(tint.data, width, height, 4 * width, QImage.Format.Format_RGBA8888),
        )

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to move, size or paint."""
        if self.tool is Tool.NONE:
            return
        self._drawing = True
        row, col = self._place(event.position())
        distance = float(np.hypot(row - self._centre[0], col - self._centre[1]))
        self._sizing = distance > 0.75 * self._radius
        self._drag(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with it."""
        if self._drawing:
            self._drag(event)

    def mouseReleaseEvent(self, _: QMouseEvent) -> None:
        """Tell of the new mask."""
        if self._drawing:
            self._drawing = False
            self.edited.emit()

    def _drag(self, event: QMouseEvent) -> None:
        place = self._place(event.position())
        if self.tool is Tool.CIRCLE:
            if self._sizing:
                self._radius = float(np.hypot(*np.subtract(place, self._centre)))
            else:
                self._centre = place
            self.mask = self._disc(self._centre, self._radius)
        elif self.tool is Tool.BRUSH:
            adds = not event.buttons() & Qt.MouseButton.RightButton
            self.mask[self._disc(place, self.brush * self.mask.shape[0])] = adds
        self.update()

    def _disc(self, centre: tuple[float, float], radius: float) -> NDArray[np.bool_]:
        rows, cols = np.indices(self.mask.shape)
        return np.hypot(rows - centre[0], cols - centre[1]) <= radius

    def _frame(self) -> QRectF:
        """Where the pattern is drawn: as large as fits, undistorted, in the middle."""
        height, width = self._pattern.shape
        zoom = min(self.width() / width, self.height() / height)
        left, top = (self.width() - zoom * width) / 2, (self.height() - zoom * height) / 2
        return QRectF(left, top, zoom * width, zoom * height)

    def _place(self, position: QPointF) -> tuple[float, float]:
        """Row and column of the mask at a position in the widget."""
        frame = self._frame()
        rows, cols = self.mask.shape
        return (
            (position.y() - frame.top()) / frame.height() * rows - 0.5,
            (position.x() - frame.left()) / frame.width() * cols - 0.5,
        )
