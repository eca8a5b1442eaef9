"""Where a pattern lies on the screen."""

from __future__ import annotations

from dataclasses import dataclass

from qtpy.QtCore import QPointF, QRectF

# Row and column in pixels of the recorded pattern; 0 is the centre of the first one.
Place = tuple[float, float]


@dataclass(frozen=True)
class Frame:
    """A pane with a pattern in it.

    Attributes
    ----------
    box
        The pane, in pixels of the canvas.
    middle
        Place in the pattern that lies in the middle of the box.
    zoom
        Pixels of the canvas for one of the pattern.
    shape
        Height and width of the pattern.
    """

    box: QRectF
    middle: Place
    zoom: float
    shape: tuple[int, int]

    @property
    def pattern(self) -> QRectF:
        """What the pattern covers, in pixels of the canvas."""
        height, width = self.shape
        return QRectF(
            self.to_screen((-0.5, -0.5)), self.to_screen((height - 0.5, width - 0.5))
        ).normalized()

    def to_screen(self, place: Place) -> QPointF:
        """Where a place of the pattern is on the canvas."""
        row, col = place
        right, down = col - self.middle[1], row - self.middle[0]
        return self.box.center() + QPointF(right, down) * self.zoom

    def to_pattern(self, point: QPointF) -> Place:
        """Which place of the pattern is at a point of the canvas."""
        away = (point - self.box.center()) / self.zoom
        return self.middle[0] + away.y(), self.middle[1] + away.x()
