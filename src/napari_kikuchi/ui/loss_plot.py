"""A small plot of a training: what it learns, and whether it still does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

_TRAIN = QColor(110, 160, 215)
_VALIDATION = QColor(255, 170, 60)
_MARGIN = 4


class LossPlot(QWidget):
    """Training and validation loss against steps, drawn as they come."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.train: list[tuple[float, float]] = []
        self.validation: list[tuple[float, float]] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(
            "Loss against training steps: on the patterns trained on (blue) and on patterns held "
            "back (orange).\nThe best model is the lowest orange point; it is kept."
        )

    def sizeHint(self) -> QSize:
        """A low band across the form."""
        return QSize(240, 96)

    def clear(self) -> None:
        """Forget the last training."""
        self.train.clear()
        self.validation.clear()
        self.update()

    def add(self, step: float, train: float | None, validation: float | None) -> None:
        """Add what is known at a step."""
        for points, value in ((self.train, train), (self.validation, validation)):
            if value is not None and np.isfinite(value):
                points.append((step, value))
        self.update()

    def paintEvent(self, _: QPaintEvent) -> None:
        """Draw both curves on common axes."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        text = self.palette().text().color()
        faint = QColor(text)
        faint.setAlpha(18)
        painter.fillRect(self.rect(), faint)
        points = self.train + self.validation
        if len(points) < 2:
            painter.setPen(text)
            painter.drawText(
                self.rect(), Qt.AlignmentFlag.AlignCenter, "The loss appears here during training"
            )
            return
        xs, ys = np.array(points).T
        # A few wild first steps would press all that follows into a line.
        low, high = float(ys.min()), float(np.percentile(ys, 98))
        frame = QRectF(self.rect()).adjusted(_MARGIN, _MARGIN + 14, -_MARGIN, -_MARGIN)
        span_x, span_y = max(float(np.ptp(xs)), 1e-12), max(high - low, 1e-12)

        def place(curve: Sequence[tuple[float, float]]) -> QPolygonF:
            return QPolygonF(
                [
                    QPointF(
                        frame.left() + (x - xs.min()) / span_x * frame.width(),
                        frame.bottom() - min((y - low) / span_y, 1.0) * frame.height(),
                    )
                    for x, y in curve
                ]
            )

        for curve, colour in ((self.train, _TRAIN), (self.validation, _VALIDATION)):
            painter.setPen(QPen(colour, 1.6))
            placed = place(curve)
            painter.drawPolyline(placed)
            if placed:
                painter.setBrush(colour)
                painter.drawEllipse(placed[-1], 2.5, 2.5)
        self._draw_legend(painter)

    def _draw_legend(self, painter: QPainter) -> None:
        left = _MARGIN
        for name, curve, colour in (
            ("training", self.train, _TRAIN),
            ("validation", self.validation, _VALIDATION),
        ):
            if curve:
                entry = f"{name} {curve[-1][1]:.4g}"
                painter.setPen(colour)
                painter.drawText(left, _MARGIN + painter.fontMetrics().ascent(), entry)
                left += painter.fontMetrics().horizontalAdvance(entry) + 12
