"""A table of columns by name, such as those that are saved, to look at and to sort."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.ui.saving import Table

# Red, green, blue and opacity of a label, from 0 to 1.
Colours = Callable[[int], Any]
_ROW = 20
_HEIGHT = 150


class ColumnTable(QTableView):
    """Shows a table; a click on a title sorts by that column."""

    chosen = Signal(int)
    """Place in the columns of the row that was chosen by hand."""

    def __init__(self) -> None:
        super().__init__()
        self._model = _Columns({}, None)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setSortingEnabled(True)
        self.setMinimumHeight(_HEIGHT)
        rows, titles = self.verticalHeader(), self.horizontalHeader()
        rows.hide()
        # Thousands of rows are not measured one by one.
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(_ROW)
        titles.setStyleSheet("QHeaderView::section { padding: 2px; }")
        titles.setResizeContentsPrecision(_ROW)
        titles.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.show_table({})

    def show_table(self, table: Table, colours: Colours | None = None) -> None:
        """Show columns, all of one length.

        Parameters
        ----------
        table
            Columns by name.
        colours
            Gives the colour of each number in the first column, which is shown beside it.
        """
        self.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self._model = _Columns(table, colours)
        self.setModel(self._model)
        self.selectionModel().currentRowChanged.connect(self._on_row)
        self.setVisible(bool(table))

    def _on_row(self, now: QModelIndex) -> None:
        if now.isValid():
            self.chosen.emit(int(self._model.order[now.row()]))


class _Columns(QAbstractTableModel):
    def __init__(self, table: Table, colours: Colours | None) -> None:
        super().__init__()
        self._names = list(table)
        self._columns = [np.asarray(column) for column in table.values()]
        self._colours = colours
        self.order: NDArray[np.intp] = self._as_given()

    def _as_given(self) -> NDArray[np.intp]:
        return np.arange(len(self._columns[0]) if self._columns else 0)

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """As many as the columns are long."""
        return 0 if parent is not None and parent.isValid() else len(self.order)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """One for each name."""
        return 0 if parent is not None and parent.isValid() else len(self._names)

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        """Names of the columns."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._names[section]
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """A value in as many digits as can be read, or the colour beside it."""
        value = self._columns[index.column()][self.order[index.row()]]
        if role == Qt.ItemDataRole.DisplayRole:
            return _text(value)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.DecorationRole and not index.column() and self._colours:
            return QColor.fromRgbF(*(float(part) for part in self._colours(int(value))))
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column, what has no value last; by none, as it was given."""
        self.layoutAboutToBeChanged.emit()
        meant = self.persistentIndexList()
        rows = [self.order[cell.row()] for cell in meant]
        self.order = self._as_given()
        if 0 <= column < len(self._columns):
            self.order = _sorted(self._columns[column], order == Qt.SortOrder.DescendingOrder)
        # What is selected stays so, wherever it stands now.
        places = np.argsort(self.order)[rows]
        now = [
            self.index(int(place), cell.column()) for place, cell in zip(places, meant, strict=True)
        ]
        self.changePersistentIndexList(meant, now)
        self.layoutChanged.emit()


def _sorted(column: NDArray, descending: bool) -> NDArray[np.intp]:
    """Places of the values in order; those of NaN last, descending or not."""
    order = np.argsort(column, kind="stable")
    known = len(column) - (int(np.isnan(column).sum()) if column.dtype.kind == "f" else 0)
    return np.concatenate([order[:known][::-1], order[known:]]) if descending else order


def _text(value: Any) -> str:
    if isinstance(value, np.bool_):
        return "yes" if value else "no"
    if isinstance(value, np.integer):
        return f"{value:,}"
    return f"{value:.3g}" if isinstance(value, np.floating) else str(value)
