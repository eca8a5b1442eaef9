"""The feature browser: any number of maps, best first, one keystroke apart."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_kikuchi.maps import MapStack, Mark
from napari_kikuchi.ui.browsed_stack import BrowsedStack
from napari_kikuchi.ui.docking import share_height
from napari_kikuchi.ui.feature_list import FeatureList
from napari_kikuchi.ui.feature_table import FeatureTable, Scores
from napari_kikuchi.ui.forms import Notice
from napari_kikuchi.ui.link import ScanLink, link_of
from napari_kikuchi.ui.listening import listen
from napari_kikuchi.ui.map_buttons import MapButtons
from napari_kikuchi.ui.map_words import UNCHOSEN, can_add, rank_told
from napari_kikuchi.ui.marks import marks_of
from napari_kikuchi.ui.rank_by import RankBy
from napari_kikuchi.ui.session import session_of
from napari_kikuchi.ui.stack_layer import StackLayer
from napari_kikuchi.ui.thumbnails import Thumbnail, pixmap, thumbnails

if TYPE_CHECKING:
    import napari

    from napari_kikuchi.ui.work import Work

_INVITATION = "Encode a scan, or open its maps, to browse them here."
_CHOOSE = "Choose a map to show it."


class FeatureBrowser(QWidget):
    """Ranked list of the maps of a stack; the one that is chosen is shown.

    Parameters
    ----------
    viewer
        Where it is shown. The stacks behind its layers are offered for browsing.
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self.session = session_of(viewer)
        # napari hands a proxy over, whose layers are others than those of the viewer.
        self._viewer = viewer = self.session.viewer
        self._browsed: StackLayer | None = None
        self._table: FeatureTable | None = None
        self._drawing: Work | None = None
        self._build()
        handlers: list[tuple[Any, Callable[..., Any]]] = [
            (viewer.layers.events.inserted, self._collect),
            (viewer.layers.events.removed, self._on_removed),
        ]
        listen(self, handlers, self.rank_by.close_down, partial(_close, self.choice.stacks))
        self._collect()
        share_height(self)

    def _build(self) -> None:
        self.choice = BrowsedStack(self._viewer)
        self.choice.currentIndexChanged.connect(self._on_choice)
        self.rank_by = RankBy(self.session)
        self.rank_by.ranked.connect(self._on_ranked)
        self.rank_by.unranked.connect(self._on_unranked)
        self.list = FeatureList()
        self.list.chosen.connect(self._on_chosen)
        self.list.changed.connect(self._tell)
        self.table, self.gallery, self.filter = self.list.table, self.list.gallery, self.list.filter
        self.buttons = MapButtons(self._viewer)
        for button, act in (
            (self.buttons.previous, self.previous),
            (self.buttons.next, self.next),
            (self.buttons.star, self.star),
            (self.buttons.hide_map, self.hide_map),
            (self.buttons.add, self.promote),
        ):
            button.clicked.connect(act)
        for view in (self.table, self.gallery):
            view.doubleClicked.connect(lambda _: self.promote())
            self.buttons.offer_menu(view)
        choices = (self.choice, self.rank_by.choice, self.list.listed)
        for widget in (self, *choices, self.table, self.gallery):
            self.buttons.serve(widget)
        self.status = QLabel(_INVITATION)
        self.status.setWordWrap(True)
        self.notice = Notice()
        above = QHBoxLayout()
        for choice in (self.choice, self.rank_by.choice):
            above.addWidget(choice, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(4)
        layout.addLayout(above)
        layout.addWidget(self.rank_by)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.buttons)
        layout.addWidget(self.status)
        layout.addWidget(self.notice)
        self.notice.tell("")
        self._enable()

    def _enable(self) -> None:
        """Offer what can be done."""
        self.buttons.previous.offer(*self._can_step(-1, "This is the first map"))
        self.buttons.next.offer(*self._can_step(1, "This is the last map"))
        mark = self._mark
        unchosen = UNCHOSEN if mark is None else ""
        for button, meant in (
            (self.buttons.star, Mark.STARRED),
            (self.buttons.hide_map, Mark.HIDDEN),
        ):
            button.offer(not unchosen, unchosen)
            button.tick(mark is meant)
        self.buttons.add.offer(*can_add(self.current))

    def _can_step(self, by: int, end: str) -> tuple[bool, str]:
        """Whether there is a map so much further down, or why not."""
        if self.list.can_step(by):
            return True, ""
        return False, UNCHOSEN if self.list.current is None else end

    @property
    def current(self) -> StackLayer | None:
        """The stack that is browsed."""
        return self.choice.current

    @property
    def _mark(self) -> Mark | None:
        """The mark of the map that is chosen; None if none is."""
        if self.current is None or self.list.current is None:
            return None
        return marks_of(self.current.stack).of(self.list.current)

    def show_stack(self, stack: MapStack, source: ScanLink) -> None:
        """Browse a stack, beginning with its best map.

        Parameters
        ----------
        stack
            May be on disk.
        source
            The scan behind it.
        """
        self.choice.setCurrentIndex(self.choice.offer(stack, source))
        self.filter.clear()
        self.list.choose_first()

    def next(self) -> None:
        """Show the next map in the list."""
        self.list.step(1)

    def previous(self) -> None:
        """Show the previous map in the list."""
        self.list.step(-1)

    def promote(self) -> None:
        """Add the map that is shown as a layer of its own."""
        if self.current is not None:
            self.current.promote()

    def star(self) -> None:
        """Star the map that is chosen, or take its star away."""
        self._toggle(self.list.current, Mark.STARRED)

    def hide_map(self) -> None:
        """Hide the map that is chosen and go on to the next, or show it in the list again."""
        chosen = self.list.current
        if self._mark is not Mark.HIDDEN:
            self.list.step(1)
        self._toggle(chosen, Mark.HIDDEN)

    def _collect(self) -> None:
        self.rank_by.collect_maps()
        for layer in self._viewer.layers:
            link = link_of(layer)
            if link is None or link.stack is None:
                continue
            if link.browsed and not self.choice.knows(link.stack):
                self.show_stack(link.stack, link.source)
            else:
                self.choice.offer(link.stack, link.source)
        self._enable()

    def _on_removed(self, event: Any) -> None:
        """Forget the stacks of which no layer is left, as when their store is written anew."""
        self.rank_by.collect_maps()
        self._enable()
        gone = link_of(event.value)
        links = [link_of(layer) for layer in self._viewer.layers]
        if gone is None or any(link is not None and link.stack is gone.stack for link in links):
            return
        if gone.stack is not None:
            self.choice.forget(gone.stack)

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
        self.list.set_features(None)
        self.notice.tell("")
        self.status.setText(_INVITATION)
        if self.current is not None:
            self.current.changed.connect(self._tell)
            self.current.failed.connect(self.status.setText)
            self.status.setText(_CHOOSE)
            self.list.count_marks(marks_of(self.current.stack))
        self.rank_by.set_stack(self.current)
        if self.current is not None:
            missing = [i for i in self.current.stack.ranking() if i not in self.current.pictures]
            job = thumbnails(self.current.stack, missing)
            self._drawing = self.session.start(job, progressed=self._on_thumbnail)

    def _on_ranked(self, scores: Scores) -> None:
        """List the maps in a new order, and show the one that comes first if it was asked for."""
        again = self._table is not None
        self._order(scores)
        if again:
            self.list.choose_first()

    def _on_unranked(self) -> None:
        """List the maps in the order of the stack, and stay with the one that is looked at."""
        if self.current is None:
            return
        chosen = self.list.current
        self._order(Scores.of(self.current.stack))
        if chosen is not None:
            self.list.choose(chosen)

    def _order(self, scores: Scores) -> None:
        if self.current is None:
            return
        stack = self.current.stack
        self._table = FeatureTable(stack, scores, marks_of(stack), self.current.pictures)
        self.list.set_features(self._table)

    def _on_thumbnail(self, made: Thumbnail) -> None:
        current = self.current
        # Those of another stack may still be on their way.
        if self._table is None or current is None or made.stack is not current.stack:
            return
        assert made.colours is not None
        self._table.show_picture(made.channel, pixmap(made.colours))

    def _on_chosen(self, channel: int, ahead: list[int]) -> None:
        self._enable()
        if self.current is not None:
            self.current.show(channel, ahead)

    def _toggle(self, channel: int | None, mark: Mark) -> None:
        if self.current is None or self._table is None or channel is None:
            return
        marks = marks_of(self.current.stack)
        marks.toggle(channel, mark)
        self._table.show_mark(channel)
        self.list.count_marks(marks)
        self._enable()
        self.session.start(marks.keep(channel), failed=self._on_not_kept)

    def _on_not_kept(self, error: Exception) -> None:
        self.notice.tell(f"Marks last only as long as these maps are open: {error}")

    def _tell(self, *_: int) -> None:
        """Say which map is shown, and where it ranks; or why none is listed."""
        self._enable()
        if self.current is None or self._table is None:
            return
        channel = self.current.shown
        if self.list.why_empty or channel is None:
            self.status.setText(self.list.why_empty or _CHOOSE)
            return
        self.status.setText(rank_told(self.current.stack, channel, self._table.scores))


def _close(stacks: list[StackLayer]) -> None:
    for shown in stacks:
        shown.close()
