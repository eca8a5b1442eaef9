"""The list of a stack's maps, best first, as a table of Qt's models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt
from qtpy.QtGui import QPixmap

from napari_kikuchi.maps import MapStack, best_first

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.ui.marks import Marks

NAME, SCORE = range(2)
# Sorting by this puts feature 2 before feature 10, and the best score first.
SORT_ROLE = Qt.ItemDataRole.UserRole
BAR_ROLE = Qt.ItemDataRole.UserRole + 1
"""Share of the highest score."""
MARK_ROLE = Qt.ItemDataRole.UserRole + 2
"""Whether a map is starred or hidden, see :class:`~napari_kikuchi.maps.Mark`."""

_MENU = "A right click shows what can be done with it"


@dataclass(frozen=True, eq=False)
class Scores:
    """What the maps of a stack are ranked by.

    Attributes
    ----------
    title
        Of the column that shows them.
    values
        One for each map; NaN for one that has none.
    tip
        What they say.
    either_sign
        Whether values far below zero rank as high as those far above.
    """

    title: str
    values: NDArray[np.float64]
    tip: str
    either_sign: bool = False

    @classmethod
    def of(cls, stack: MapStack) -> Scores:
        """Those that a stack brings along."""
        return cls("score", stack.scores, "How much of a map is structure and not noise")

    def ranking(self) -> list[int]:
        """Indices of the maps, the highest first; those without a score last, in order."""
        return best_first(self.sizes)

    @property
    def sizes(self) -> NDArray[np.float64]:
        """What is compared."""
        return np.abs(self.values) if self.either_sign else self.values


class FeatureTable(QAbstractTableModel):
    """Names and scores of the maps of a stack, one row each, in order of rank.

    Parameters
    ----------
    stack
        Of the maps.
    scores
        By which they are ranked.
    marks
        Of the maps; :meth:`show_mark` shows one that has changed.
    pictures
        Of the maps, as far as there are any; those to come are added.
    """

    def __init__(
        self, stack: MapStack, scores: Scores, marks: Marks, pictures: dict[int, QPixmap]
    ) -> None:
        super().__init__()
        self._marks = marks
        self._pictures = pictures
        self.scores = scores
        self.order = scores.ranking()
        self._channels = stack.channels
        self._sizes = scores.sizes
        self._highest = float(self._sizes[np.isfinite(self._sizes)].max(initial=0.0))

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
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.ToolTipRole:
            return self.scores.tip if section == SCORE else None
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        if orientation == Qt.Orientation.Vertical:
            return section + 1
        return ("feature", self.scores.title)[section]

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What a cell shows, and what it is sorted by."""
        channel = self.order[index.row()]
        score = float(self.scores.values[channel])
        if role == MARK_ROLE:
            return self._marks.of(channel)
        if index.column() == NAME:
            if role == Qt.ItemDataRole.DecorationRole:
                return self._pictures.get(channel)
            if role == Qt.ItemDataRole.DisplayRole:
                return self._channels[channel].name
            if role == Qt.ItemDataRole.ToolTipRole:
                return f"{self._channels[channel].name}\n{_MENU}"
            return channel if role == SORT_ROLE else None
        if role == Qt.ItemDataRole.DisplayRole:
            return "" if np.isnan(score) else f"{score:.2f}"
        if role == SORT_ROLE:
            return index.row()
        if role == BAR_ROLE and np.isfinite(score) and self._highest > 0:
            return max(float(self._sizes[channel]) / self._highest, 0.0)
        return None

    def show_picture(self, channel: int, picture: QPixmap) -> None:
        """Show a picture of a map beside its name."""
        self._pictures[channel] = picture
        cell = self.index(self.order.index(channel), NAME)
        self.dataChanged.emit(cell, cell, [Qt.ItemDataRole.DecorationRole])

    def show_mark(self, channel: int) -> None:
        """Show that a map has been starred, hidden or neither."""
        row = self.order.index(channel)
        self.dataChanged.emit(self.index(row, NAME), self.index(row, SCORE), [MARK_ROLE])
