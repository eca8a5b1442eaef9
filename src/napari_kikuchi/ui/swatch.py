"""A square of a colour, beside what is drawn in it."""

from __future__ import annotations

from qtpy.QtGui import QColor, QIcon, QPixmap

#: Of its sides, in pixels.
SWATCH = 12


def swatch(colour: QColor | str) -> QIcon:
    """A square of a colour, for a list or a button."""
    square = QPixmap(SWATCH, SWATCH)
    square.fill(QColor(colour))
    return QIcon(square)
