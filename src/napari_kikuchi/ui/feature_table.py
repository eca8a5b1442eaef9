"""The list of a stack's maps, best first, as a Qt table."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QRectF, Qt
from qtpy.QtGui import QPainter
from qtpy.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from napari_kikuchi.maps import MapStack

NAME, SCORE = range(2)
# Sorting by this puts feature 2 before feature 10, and the best score first.
SORT_ROLE = Qt.ItemDataRole.UserRole
_BAR_ROLE = Qt.ItemDataRole.UserRole + 1
_BAR_INSET = 3


class FeatureTable(QAbstractTableModel):
    """Names and scores of the maps of a stack, one row each, in order of rank."""

    def __init__(self, stack: MapStack) -> None:
        super().__init__()
        self.order = stack.ranking()
        self._channels = stack.channels
        scores = [channel.score for channel in stack.channels if channel.score is not None]
        self._highest = max(scores, default=0.0)

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """One row for each map."""
        return 0 if parent is not None and parent.isValid() else len(self.order)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Name and score."""
        return 0 if parent is not None and parent.isValid() else 2

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        """Titles of the columns; ranks beside the rows."""
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        if orientation == Qt.Orientation.Vertical:
            return section + 1
        return ("Feature", "Score")[section]

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What a cell shows, and what it is sorted by."""
        channel = self.order[index.row()]
        score = self._channels[channel].score
        if index.column() == NAME:
            if role == Qt.ItemDataRole.DisplayRole:
                return self._channels[channel].name
            return channel if role == SORT_ROLE else None
        if role == Qt.ItemDataRole.DisplayRole:
            return "" if score is None else f"{score:.2f}"
        if role == SORT_ROLE:
            return index.row()
        if role == _BAR_ROLE and score is not None and self._highest > 0:
            return min(max(score / self._highest, 0.0), 1.0)
        return None


class ScoreBar(QStyledItemDelegate):
    """Draws a score as a bar behind its number: the eye finds where the ranking falls off."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Draw the bar, then the cell."""
        share = index.data(_BAR_ROLE)
        if share:
            room = QRectF(option.rect).adjusted(_BAR_INSET, _BAR_INSET, -_BAR_INSET, -_BAR_INSET)
            room.setWidth(room.width() * share)
            colour = option.palette.highlight().color()
            colour.setAlpha(110)
            painter.fillRect(room, colour)
        super().paint(painter, option, index)
