"""The feature browser: any number of maps, best first, one keystroke apart."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import isnan
from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

from qtpy.QtCore import QEvent, QModelIndex, QObject, QSize, QSortFilterProxyModel, Qt
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QListView,
    QPushButton,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from napari_kikuchi.maps import MapStack
from napari_kikuchi.ui.feature_table import NAME, SCORE, SORT_ROLE, FeatureTable, ScoreBar, Scores
from napari_kikuchi.ui.layers import model_suffix
from napari_kikuchi.ui.link import ScanLink, link_of
from napari_kikuchi.ui.rank_by import RankBy
from napari_kikuchi.ui.session import session_of
from napari_kikuchi.ui.stack_layer import StackLayer
from napari_kikuchi.ui.thumbnails import SIDE, Thumbnail, pixmap, thumbnails

if TYPE_CHECKING:
    import napari
    from qtpy.QtGui import QHideEvent, QShowEvent

    from napari_kikuchi.ui.work import Work

PREVIOUS_KEY, NEXT_KEY = ",", "."
_INVITATION = "Encode a scan, or open its maps, to browse them here."


class FeatureBrowser(QWidget):
    """Ranked list of the maps of a stack; the chosen one is shown in a single layer.

    Parameters
    ----------
    viewer
        Where the layer is shown. The stacks behind its layers are offered for browsing.
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self.session = session_of(viewer)
        # napari hands a proxy over, whose layers are others than those of the viewer.
        self._viewer = viewer = self.session.viewer
        self._stacks: list[StackLayer] = []
        self._browsed: StackLayer | None = None
        self._table: FeatureTable | None = None
        self._drawing: Work | None = None
        self._proxy = QSortFilterProxyModel(self)
        self._proxy.setSortRole(SORT_ROLE)
        self._proxy.setFilterKeyColumn(NAME)
        self._proxy.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._build()
        handlers: list[tuple[Any, Any]] = [
            (viewer.layers.events.inserted, self._collect),
            (viewer.layers.events.removed, self._on_removed),
        ]
        for signal, handler in handlers:
            signal.connect(handler)
        # Called when the widget is gone, so it must neither need it nor keep it.
        weakly = [(signal, WeakMethod(handler)) for signal, handler in handlers]
        self.destroyed.connect(partial(_let_go, self._stacks, weakly, self.rank_by.close_down))
        self._collect()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Step by the keys of the viewer, too."""
        super().showEvent(event)
        for key, move in ((PREVIOUS_KEY, self.previous), (NEXT_KEY, self.next)):
            self._viewer.bind_key(key, _weakly(move), overwrite=True)

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Let the keys go: napari hides and forgets a dock that is closed."""
        super().hideEvent(event)
        for key in (PREVIOUS_KEY, NEXT_KEY):
            self._viewer.bind_key(key, None)

    def _build(self) -> None:
        self.choice = QComboBox()
        self.choice.setToolTip("Maps to browse: those behind the layers of this viewer")
        self.choice.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.choice.currentIndexChanged.connect(self._on_choice)
        self.rank_by = RankBy(self.session)
        self.rank_by.ranked.connect(self._on_ranked)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter by name")
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(self._proxy.setFilterFixedString)
        self.table = self._build_table()
        self.gallery = self._build_gallery()
        self.views = QStackedWidget()
        for view in (self.table, self.gallery):
            self.views.addWidget(view)
        for searching in (self.choice, self.table, self.gallery):
            searching.installEventFilter(self)
        self.gallery_button = QPushButton("Gallery")
        self.gallery_button.setCheckable(True)
        self.gallery_button.setToolTip("See the maps as pictures, in the same order")
        self.gallery_button.toggled.connect(self.views.setCurrentIndex)
        narrowing = QHBoxLayout()
        narrowing.addWidget(self.filter)
        narrowing.addWidget(self.gallery_button)
        self.status = QLabel(_INVITATION)
        self.status.setWordWrap(True)
        buttons = QHBoxLayout()
        made = []
        for text, tip, act in (
            ("◀ Previous", f"Previous map in the list ({PREVIOUS_KEY})", self.previous),
            ("Next ▶", f"Next map in the list ({NEXT_KEY})", self.next),
            ("Add as layer", "Keep this map as a layer of its own (Enter)", self.promote),
        ):
            button = QPushButton(text)
            button.setToolTip(tip)
            button.clicked.connect(act)
            buttons.addWidget(button)
            made.append(button)
        self.previous_button, self.next_button, self.add_button = made
        layout = QVBoxLayout(self)
        layout.addWidget(self.choice)
        layout.addWidget(self.rank_by)
        layout.addLayout(narrowing)
        layout.addWidget(self.views)
        layout.addLayout(buttons)
        layout.addWidget(self.status)
        self._proxy.layoutChanged.connect(self._enable)
        self._proxy.rowsInserted.connect(self._enable)
        self._proxy.rowsRemoved.connect(self._enable)
        self._proxy.modelReset.connect(self._enable)
        self._enable()

    def _enable(self, *_: object) -> None:
        """Offer what can be done."""
        row, count = self.table.currentIndex().row(), self._proxy.rowCount()
        self.previous_button.setEnabled(row > 0)
        self.next_button.setEnabled(row + 1 < count)
        self.add_button.setEnabled(self.current is not None and self.current.shown is not None)

    def _build_table(self) -> QTableView:
        table = QTableView()
        table.setModel(self._proxy)
        table.setItemDelegateForColumn(SCORE, ScoreBar(table))
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setSortingEnabled(True)
        table.setShowGrid(False)
        table.setToolTip("Best first. A double click adds a map as a layer of its own.")
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        table.verticalHeader().setDefaultSectionSize(22)
        table.setIconSize(QSize(20, 20))
        table.doubleClicked.connect(lambda _: self.promote())
        table.selectionModel().currentRowChanged.connect(self._on_row)
        return table

    def _build_gallery(self) -> QListView:
        """The same list as pictures; what is chosen in one is chosen in the other."""
        gallery = QListView()
        gallery.setModel(self._proxy)
        gallery.setSelectionModel(self.table.selectionModel())
        gallery.setViewMode(QListView.ViewMode.IconMode)
        gallery.setResizeMode(QListView.ResizeMode.Adjust)
        gallery.setMovement(QListView.Movement.Static)
        gallery.setUniformItemSizes(True)
        gallery.setIconSize(QSize(SIDE, SIDE))
        gallery.setGridSize(QSize(SIDE + 14, SIDE + 26))
        gallery.setToolTip("Best first. A double click adds a map as a layer of its own.")
        gallery.doubleClicked.connect(lambda _: self.promote())
        return gallery

    @property
    def current(self) -> StackLayer | None:
        """The stack that is browsed."""
        choice = self.choice.currentIndex()
        return self._stacks[choice] if 0 <= choice < len(self._stacks) else None

    def show_stack(self, stack: MapStack, source: ScanLink) -> None:
        """Browse a stack, beginning with its best map.

        Parameters
        ----------
        stack
            May be on disk.
        source
            The scan behind it.
        """
        self.choice.setCurrentIndex(self._offer(stack, source))
        self.filter.clear()
        self.table.selectRow(0)

    def next(self) -> None:
        """Show the next map in the list."""
        self._step(1)

    def previous(self) -> None:
        """Show the previous map in the list."""
        self._step(-1)

    def promote(self) -> None:
        """Add the map that is shown as a layer of its own."""
        if self.current is not None:
            self.current.promote()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The keys of the viewer work here too; Enter adds the map as a layer."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.promote()
        elif event.text() == NEXT_KEY:
            self.next()
        elif event.text() == PREVIOUS_KEY:
            self.previous()
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Keep the keys from the lists, which would search for what begins with them."""
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.KeyPress
            and event.text() in (PREVIOUS_KEY, NEXT_KEY)
        ):
            self.keyPressEvent(event)
            return True
        return super().eventFilter(watched, event)

    def _collect(self) -> None:
        self.rank_by.collect_maps()
        for layer in self._viewer.layers:
            link = link_of(layer)
            if link is None or link.stack is None:
                continue
            if link.browsed and not self._knows(link.stack):
                self.show_stack(link.stack, link.source)
            else:
                self._offer(link.stack, link.source)

    def _on_removed(self, event: Any) -> None:
        """Forget the stacks of which no layer is left, as when their store is written anew."""
        self.rank_by.collect_maps()
        gone = link_of(event.value)
        links = [link_of(layer) for layer in self._viewer.layers]
        if gone is None or any(link is not None and link.stack is gone.stack for link in links):
            return
        for i, known in enumerate(self._stacks):
            if known.stack is gone.stack:
                # First here: the choice tells at once which one is browsed instead.
                forgotten = self._stacks.pop(i)
                self.choice.removeItem(i)
                forgotten.close()
                return

    def _knows(self, stack: MapStack) -> bool:
        return any(known.stack is stack for known in self._stacks)

    def _offer(self, stack: MapStack, source: ScanLink) -> int:
        """Place of a stack among those to choose from."""
        for i, known in enumerate(self._stacks):
            if known.stack is stack:
                return i
        self._stacks.append(StackLayer(self._viewer, stack, source))
        self.choice.addItem(f"{source.name}{model_suffix(stack)}: {len(stack)} maps")
        return len(self._stacks) - 1

    def _on_choice(self) -> None:
        if self.current is self._browsed:
            return
        if self._drawing is not None:
            self._drawing.cancel()
        if self._browsed is not None:
            self._browsed.leave()
            self._browsed.changed.disconnect(self._tell)
            self._browsed.failed.disconnect(self.status.setText)
        self._browsed = self.current
        self._table = None
        self._proxy.setSourceModel(None)
        self.status.setText(_INVITATION)
        if self.current is not None:
            self.current.changed.connect(self._tell)
            self.current.failed.connect(self.status.setText)
            self.status.setText("Choose a map to show it.")
        self.rank_by.set_stack(self.current)
        if self.current is not None:
            missing = [i for i in self.current.stack.ranking() if i not in self.current.pictures]
            job = thumbnails(self.current.stack, missing)
            self._drawing = self.session.start(job, progressed=self._on_thumbnail)

    def _on_ranked(self, scores: Scores) -> None:
        """List the maps in a new order, and show the one that comes first if it was asked for."""
        if self.current is None:
            return
        again = self._table is not None
        self._table = FeatureTable(self.current.stack, scores, self.current.pictures)
        self._proxy.setSourceModel(self._table)
        self.table.sortByColumn(SCORE, Qt.SortOrder.AscendingOrder)
        if again:
            self.table.selectRow(0)
            if self.current.shown is not None:  # It may come first again, with another score.
                self._tell(self.current.shown)

    def _on_thumbnail(self, made: Thumbnail) -> None:
        current = self.current
        # Those of another stack may still be on their way.
        if self._table is None or current is None or made.stack is not current.stack:
            return
        assert made.colours is not None
        self._table.show_picture(made.channel, pixmap(made.colours))

    def _step(self, by: int) -> None:
        row = self.table.currentIndex().row() + by
        if 0 <= row < self._proxy.rowCount():
            self.table.selectRow(row)

    def _on_row(self, current: QModelIndex) -> None:
        self._enable()
        if self.current is None or not current.isValid():
            return
        # Whoever steps on will most likely step on again.
        ahead = [current.row() + 1, current.row() + 2, current.row() - 1]
        last = self._proxy.rowCount()
        self.current.show(
            self._channel(current.row()), [self._channel(row) for row in ahead if 0 <= row < last]
        )

    def _channel(self, row: int) -> int:
        """The map in a row of the table as it is filtered and sorted."""
        assert self._table is not None
        return self._table.order[self._proxy.mapToSource(self._proxy.index(row, NAME)).row()]

    def _tell(self, channel: int) -> None:
        self._enable()
        if self.current is None or self._table is None:
            return
        stack = self.current.stack
        rank = self._table.order.index(channel) + 1
        scores = self._table.scores
        score = scores.values[channel]
        told = f"{stack.channels[channel].name}: rank {rank} of {len(stack)}"
        scored = f"{told}, {scores.title} {score:.3g}"
        self.status.setText(told if isnan(score) else scored)


def _weakly(method: Callable[[], None]) -> Callable[[Any], None]:
    """A key's function that calls a method of a widget unless the widget is gone."""
    reference = WeakMethod(method)

    def act(_: Any) -> None:
        alive = reference()
        if alive is not None:
            alive()

    return act


def _let_go(
    stacks: list[StackLayer],
    handlers: list[tuple[Any, WeakMethod[Any]]],
    close_ranking: Callable[[], None],
) -> None:
    close_ranking()
    for signal, reference in handlers:
        handler = reference()
        if handler is not None:
            signal.disconnect(handler)
    for shown in stacks:
        shown.close()
