"""What the colours of a map of symmetry mean, and how much of the map each of them covers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QRectF, Qt
from qtpy.QtGui import QColor, QPainter
from qtpy.QtWidgets import QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_kikuchi.symmetry.map_readings import group_shares
from napari_kikuchi.symmetry.summary import SYMBOLS, UNLIKE, class_told, partners_told
from napari_kikuchi.ui.listening import listen
from napari_kikuchi.ui.swatch import SWATCH, swatch
from napari_kikuchi.ui.symmetries import symmetries_of
from napari_kikuchi.ui.symmetry_colours import group_colour

if TYPE_CHECKING:
    from qtpy.QtGui import QPaintEvent

    from napari_kikuchi.scan import Scan
    from napari_kikuchi.ui.session import Session
    from napari_kikuchi.ui.symmetries import KnownSymmetry

_BAR, _ROUND = 8, 2
_HEAD = "<b>What the colours mean</b>"


class SymmetryLegend(QWidget):
    """Seen while the maps of a scan tell its symmetry; the most frequent group comes first.

    Parameters
    ----------
    session
        Of the viewer.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._scan: Scan | None = None
        self._symmetries = symmetries_of(session)
        self._rows = QGridLayout()
        self._rows.setColumnStretch(2, 1)
        self._rows.setHorizontalSpacing(6)
        self._rows.setVerticalSpacing(3)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 4)
        layout.addWidget(QLabel(_HEAD))
        layout.addLayout(self._rows)
        listen(self, [(self._symmetries.changed, self._on_symmetry)])
        self.set_scan(None)

    def set_scan(self, scan: Scan | None) -> None:
        """Explain the map of this scan."""
        self._scan = scan
        self._on_symmetry(scan)

    def _on_symmetry(self, scan: Scan | None) -> None:
        if scan is not self._scan:
            return
        known = None if scan is None else self._symmetries.of(scan)
        while (item := self._rows.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.setVisible(known is not None)
        if known is not None:
            self._fill(known)

    def _fill(self, known: KnownSymmetry) -> None:
        readings = known.readings
        shares = group_shares(readings.groups)
        self._rows.addWidget(_quiet("share", "Of the map"), 0, 3)
        self._rows.addWidget(_quiet("confidence", "Mean over the positions of the group"), 0, 4)
        largest = max((share for _, share in shares), default=1.0)
        for row, (group, share) in enumerate(shares, start=1):
            colour = group_colour(group)
            square = QLabel()
            square.setPixmap(swatch(colour).pixmap(SWATCH, SWATCH))
            name = f"{group}  {SYMBOLS.get(group, '')}" if group else UNLIKE
            sure = readings.confidence[(readings.groups == group) & (group > 0)]
            sure = sure[np.isfinite(sure)]
            cells = (
                square,
                QLabel(name),
                _Bar(share / largest, colour),
                _number(f"{share:.1%}"),
                _number(f"{sure.mean():.2f}" if len(sure) else ""),
            )
            told = (class_told(group), partners_told(known.stack.provenance, group))
            for column, widget in enumerate(cells):
                widget.setToolTip("\n".join(filter(None, told)))
                self._rows.addWidget(widget, row, column)


class _Bar(QWidget):
    """A share as a bar."""

    def __init__(self, share: float, colour: str) -> None:
        super().__init__()
        self._share, self._colour = share, QColor(colour)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setMinimumWidth(24)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._colour)
        width = max(self._share * self.width(), _ROUND)
        top = (self.height() - _BAR) / 2
        painter.drawRoundedRect(QRectF(0, top, width, _BAR), _ROUND, _ROUND)
        painter.end()


def _number(text: str) -> QLabel:
    label = QLabel(text)
    label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return label


def _quiet(text: str, tooltip: str) -> QLabel:
    label = _number(text)
    label.setToolTip(tooltip)
    label.setEnabled(False)
    return label
