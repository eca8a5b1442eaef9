"""The scale bar of a diffraction pattern."""

from __future__ import annotations

from qtpy.QtCore import QPointF
from qtpy.QtGui import QColor, QPainter

from napari_kikuchi.figures.scale_bar import round_length
from napari_kikuchi.ui.pattern_frame import Frame
from napari_kikuchi.ui.pattern_overlay import Drawing, outline, write
from napari_kikuchi.ui.pattern_scale import PatternScale

_MARGIN = 12
_COLOUR = QColor("white")


class ScaleBar(Drawing):
    """A bar in the corner of each pane.

    Attributes
    ----------
    scale
        By which it is drawn; None: not at all.
    """

    def __init__(self) -> None:
        self.scale: PatternScale | None = None

    def paint(self, painter: QPainter, frame: Frame) -> None:
        """Draw a bar of a round length, and write how long it is."""
        if self.scale is None:
            return
        size, unit = self.scale.unit
        per_unit = frame.zoom / size
        length = round_length(frame.box.width() / per_unit)
        left = frame.box.bottomLeft() + QPointF(_MARGIN, -_MARGIN)
        right = left + QPointF(length * per_unit, 0)
        for halo in (True, False):
            outline(painter, _COLOUR, 2.5, halo=halo)
            painter.drawLine(left, right)
        write(painter, left - QPointF(0, 6), f"{length:g} {unit}", _COLOUR)
