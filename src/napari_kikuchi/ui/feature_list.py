"""The list of a stack's maps as the user sees it: a table or a gallery, narrowed by a filter."""

from __future__ import annotations

from qtpy.QtCore import QModelIndex, QSize, QSortFilterProxyModel, Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QListView,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from napari_kikuchi.maps import Mark
from napari_kikuchi.ui.feature_cells import NameCell, PictureCell, ScoreBar
from napari_kikuchi.ui.feature_table import MARK_ROLE, NAME, SCORE, SORT_ROLE, FeatureTable
from napari_kikuchi.ui.marks import Marks
from napari_kikuchi.ui.thumbnails import SIDE

# Marks of the maps that are listed, as they stand in the choice.
_LISTED = ({Mark.NONE, Mark.STARRED}, {Mark.STARRED}, set(Mark))
_ROW, _ICON = 26, 24
# A picture and its name, which may take two lines.
_PICTURE = SIDE + 22, SIDE + 32
# A row of pictures with their names at least.
_LEAST_HEIGHT = _PICTURE[1] + 12
# Of scores, in pixels; the rest is for names.
_SCORES = 90


class FeatureList(QWidget):
    """Lists maps in order of rank, as far as they pass the filter.

    Attributes
    ----------
    table, gallery
        Two views of the list; what is chosen in one is chosen in the other.
    """

    chosen = Signal(int, object)
    """Index of a map, and those of its neighbours, the likeliest to be chosen next first."""
    changed = Signal()
    """Maps have come, gone or been sorted, or others are to be listed."""

    def __init__(self) -> None:
        super().__init__()
        self._features: FeatureTable | None = None
        self._proxy = _Filter(self)
        self.table = self._build_table()
        self.gallery = self._build_gallery()
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter by name")
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(self._proxy.setFilterFixedString)
        self.listed = QComboBox()
        self.listed.addItems([""] * len(_LISTED))
        self.listed.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.listed.setToolTip("Which maps are listed; those that you hide are kept, and left out")
        self.listed.currentIndexChanged.connect(lambda i: self._proxy.list_marked(_LISTED[i]))
        self.gallery_button = QPushButton("Gallery")
        self.gallery_button.setCheckable(True)
        self.gallery_button.setToolTip("See the maps as pictures, in the same order")
        self.views = QStackedWidget()
        self.views.setMinimumHeight(_LEAST_HEIGHT)
        for view in (self.table, self.gallery):
            self.views.addWidget(view)
        self.gallery_button.toggled.connect(self.views.setCurrentIndex)
        narrowing = QHBoxLayout()
        narrowing.addWidget(self.filter, 1)
        narrowing.addWidget(self.listed)
        narrowing.addWidget(self.gallery_button)
        # Else napari would put empty room below.
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(narrowing)
        layout.addWidget(self.views, 1)
        for signal in ("layoutChanged", "rowsInserted", "rowsRemoved", "modelReset"):
            getattr(self._proxy, signal).connect(lambda *_: self.changed.emit())
        # Of a list that was empty and stays so, the reason may be another.
        for signal in (self.filter.textChanged, self.listed.currentIndexChanged):
            signal.connect(lambda *_: self.changed.emit())

    def _build_table(self) -> QTableView:
        table = QTableView()
        table.setModel(self._proxy)
        table.setItemDelegateForColumn(NAME, NameCell(table))
        table.setItemDelegateForColumn(SCORE, ScoreBar(table))
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setSortingEnabled(True)
        table.setShowGrid(False)
        table.setToolTip("Best first. A right click shows what can be done with a map.")
        table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        table.verticalHeader().setDefaultSectionSize(_ROW)
        table.setIconSize(QSize(_ICON, _ICON))
        table.selectionModel().currentRowChanged.connect(self._on_row)
        return table

    def _build_gallery(self) -> QListView:
        gallery = QListView()
        gallery.setModel(self._proxy)
        gallery.setItemDelegate(PictureCell(gallery))
        gallery.setSelectionModel(self.table.selectionModel())
        gallery.setViewMode(QListView.ViewMode.IconMode)
        gallery.setResizeMode(QListView.ResizeMode.Adjust)
        gallery.setMovement(QListView.Movement.Static)
        gallery.setUniformItemSizes(True)
        gallery.setIconSize(QSize(SIDE, SIDE))
        gallery.setWordWrap(True)
        gallery.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        gallery.setGridSize(QSize(*_PICTURE))
        gallery.setToolTip(self.table.toolTip())
        return gallery

    def set_features(self, features: FeatureTable | None) -> None:
        """List other maps, best first, or none."""
        self._features = features
        self._proxy.setSourceModel(features)
        if features is not None:
            header = self.table.horizontalHeader()
            header.setSectionResizeMode(SCORE, QHeaderView.ResizeMode.Fixed)
            header.resizeSection(SCORE, _SCORES)
            self.table.sortByColumn(SCORE, Qt.SortOrder.AscendingOrder)

    def count_marks(self, marks: Marks) -> None:
        """Say how many maps are starred, and how many are not listed."""
        starred, hidden = marks.count(Mark.STARRED), marks.count(Mark.HIDDEN)
        self.listed.setItemText(0, f"{hidden} hidden left out" if hidden else "all")
        self.listed.setItemText(1, f"★ {starred} starred")
        self.listed.setItemText(2, f"{hidden} hidden listed, too")

    @property
    def current(self) -> int | None:
        """Index of the map that is chosen."""
        cell = self.table.currentIndex()
        return self._channel(cell.row()) if cell.isValid() else None

    @property
    def why_empty(self) -> str:
        """Why no map is listed; empty if one is."""
        if self._features is None or self._proxy.rowCount():
            return ""
        starred = _LISTED[self.listed.currentIndex()] == {Mark.STARRED}
        if self.filter.text():
            return f"No {'starred ' if starred else ''}map has this in its name"
        return "No map is starred" if starred else "All maps are hidden"

    def choose(self, channel: int) -> None:
        """Choose a map, if it is listed."""
        if self._features is not None:
            cell = self._features.index(self._features.order.index(channel), NAME)
            self.table.selectRow(self._proxy.mapFromSource(cell).row())

    def choose_first(self) -> None:
        """Choose the best of the maps that are listed."""
        self.table.selectRow(0)

    def step(self, by: int) -> None:
        """Choose the map that stands so much further down, if there is one."""
        if self.can_step(by):
            self.table.selectRow(self.table.currentIndex().row() + by)

    def can_step(self, by: int) -> bool:
        """Whether there is a map so much further down."""
        return 0 <= self.table.currentIndex().row() + by < self._proxy.rowCount()

    def _on_row(self, current: QModelIndex) -> None:
        if self._features is None or not current.isValid():
            return
        # Whoever steps on will most likely step on again.
        ahead = [current.row() + 1, current.row() + 2, current.row() - 1]
        last = self._proxy.rowCount()
        self.chosen.emit(
            self._channel(current.row()), [self._channel(row) for row in ahead if 0 <= row < last]
        )

    def _channel(self, row: int) -> int:
        """The map in a row of the list as it is filtered and sorted."""
        assert self._features is not None
        return self._features.order[self._proxy.mapToSource(self._proxy.index(row, NAME)).row()]


class _Filter(QSortFilterProxyModel):
    """Lists maps by name and mark."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._listed = _LISTED[0]
        self.setSortRole(SORT_ROLE)
        self.setFilterKeyColumn(NAME)
        self.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)

    def list_marked(self, marks: set[Mark]) -> None:
        """List maps with one of these marks only."""
        self._listed = marks
        self.invalidateFilter()

    def filterAcceptsRow(self, row: int, parent: QModelIndex) -> bool:
        """Whether a map is listed."""
        mark = self.sourceModel().index(row, NAME, parent).data(MARK_ROLE)
        return mark in self._listed and super().filterAcceptsRow(row, parent)
