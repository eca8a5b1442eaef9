"""By what the maps of a stack are ranked: structure, strokes, two regions, likeness."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from napari_kikuchi.explore.likeness import likenesses
from napari_kikuchi.explore.separation import separations
from napari_kikuchi.jobs import Job
from napari_kikuchi.ui.feature_table import Scores
from napari_kikuchi.ui.forms import Notice
from napari_kikuchi.ui.job_bar import JobBar
from napari_kikuchi.ui.latest import Latest
from napari_kikuchi.ui.link import link_of
from napari_kikuchi.ui.narrow_choice import may_be_narrow
from napari_kikuchi.ui.session import Session
from napari_kikuchi.ui.stack_layer import StackLayer, stands_for
from napari_kikuchi.ui.stroke_page import StrokePage
from napari_kikuchi.ui.strokes import NOWHERE, Stroke
from napari_kikuchi.ui.two_regions import TwoRegions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.maps import MapStack


class Ranking(StrEnum):
    """What makes a map come first."""

    STRUCTURE = "fine structure"
    STROKES = "what strokes tell apart"
    REGIONS = "what two regions tell apart"
    LIKENESS = "likeness to a map"


_APART = "How far a map sets the two places apart, in standard deviations: + brighter in the first"
_NO_MAP = "Add a map to compare with as a layer: a physics map, or a feature."
_GRAINS = "Grains count, too: maps that tell the same grains apart are alike for that alone."
_ALIKE = "Rank correlation with the map: 1 alike, -1 one bright where the other is dark"


class RankBy(QWidget):
    """Lets the user choose a ranking, asks for what it needs, and works it out.

    Parameters
    ----------
    session
        Of the viewer.

    Attributes
    ----------
    choice
        Of the ranking; stands where the owner of this widget puts it.
    """

    ranked = Signal(object)
    """The new :class:`~napari_kikuchi.ui.feature_table.Scores`."""
    unranked = Signal()
    """What the chosen ranking needs is not there: no scores are true of it."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._stack: StackLayer | None = None
        self._latest = Latest(session, self)
        self._listed: list[Image] = []
        self.painting = StrokePage(session.viewer)
        self.painting.asked.connect(self._paint)
        self.strokes = self.painting.strokes
        self.strokes.changed.connect(self._on_strokes)
        self.choice = QComboBox()
        self.choice.addItems(list(Ranking))
        may_be_narrow(self.choice)
        self.choice.currentIndexChanged.connect(self._on_choice)
        self.pages = QStackedWidget()
        self.regions = TwoRegions(session.viewer)
        self.regions.button.clicked.connect(self._rank)
        for page in (QWidget(), self.painting, self.regions, self._likeness_page()):
            self.pages.addWidget(page)
        self.bar = JobBar()
        self.notice = Notice()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self.pages, self.bar, self.notice):
            layout.addWidget(widget)
        self.set_stack(None)

    @property
    def ranking(self) -> Ranking:
        """The ranking that is chosen."""
        return list(Ranking)[self.choice.currentIndex()]

    def set_stack(self, stack: StackLayer | None) -> None:
        """Rank the maps of another stack, by their structure to begin with."""
        self._cancel()
        self._stack = stack
        self.choice.setEnabled(stack is not None)
        self.choice.setToolTip(
            "Encode a scan, or open its maps, to rank them"
            if stack is None
            else "What brings a map to the top of the list"
        )
        self.choice.setCurrentIndex(0)
        self._on_choice()

    def collect_maps(self) -> None:
        """Offer what the maps of the stack can be ranked by: layers came or went."""
        self.regions.follow()
        chosen = self.reference.currentText()
        self._list_maps()
        if self.ranking is Ranking.LIKENESS and self.reference.currentText() != chosen:
            self._rank()

    def _list_maps(self) -> None:
        chosen = self.reference.currentText()
        self.reference.blockSignals(True)
        self.reference.clear()
        # Kept: by the time one is chosen, the layers may lie in another order.
        self._listed = self._comparable()
        self.reference.addItems([layer.name for layer in self._listed])
        self.reference.setCurrentText(chosen)
        self.reference.blockSignals(False)
        self.reference.setEnabled(self.reference.count() > 0)
        self.reference.setToolTip(
            "The map, of whatever kind, that the others are compared with"
            if self.reference.count()
            else "There is no other map of this scan among the layers"
        )

    def close_down(self) -> None:
        """Stop working and listening; the widget may be gone."""
        self._latest.stop()
        self.strokes.close()
        self.regions.close_down()

    # ------------------------------------------------------------------ what rankings need

    def _likeness_page(self) -> QWidget:
        page = QWidget()
        row = QHBoxLayout(page)
        row.setContentsMargins(0, 0, 0, 0)
        self.reference = QComboBox()
        may_be_narrow(self.reference)
        self.reference.currentIndexChanged.connect(self._rank)
        row.addWidget(self.reference)
        return page

    def _paint(self, stroke: Stroke) -> None:
        over = self._over()
        if over is not None:
            self.strokes.paint(stroke, over)

    def _over(self) -> Image | None:
        """A layer that lies where the maps of the stack do."""
        if self._stack is None:
            return None
        if self._stack.layer is not None:
            return self._stack.layer
        wanted = self._stack.stack
        return next((layer for layer, link in self._session.links() if link.stack is wanted), None)

    def _comparable(self) -> list[Image]:
        if self._stack is None:
            return []
        stack = self._stack.stack
        return [
            layer
            for layer in reversed(self._session.viewer.layers)
            if isinstance(layer, Image)
            and layer.data.shape == stack.map_shape
            and not stands_for(layer, stack)
        ]

    # ------------------------------------------------------------------ ranking

    def _on_choice(self, *_: Any) -> None:
        self.pages.setCurrentIndex(self.choice.currentIndex())
        self.pages.setVisible(self.ranking is not Ranking.STRUCTURE)
        if self.ranking is not Ranking.STROKES:
            self.strokes.rest()
        self._list_maps()
        self._rank()

    def _on_strokes(self) -> None:
        if self.ranking is Ranking.STROKES:
            self._rank()

    def _rank(self, *_: Any) -> None:
        """Work the chosen ranking out, as far as what it needs is there."""
        self._cancel()
        places = self._places()
        self._say(*places)
        if self._stack is None:
            return
        stack = self._stack.stack
        if self.ranking is Ranking.STRUCTURE:
            self.ranked.emit(Scores.of(stack))
        elif self.ranking is Ranking.LIKENESS and self._listed:
            reference = self._listed[max(self.reference.currentIndex(), 0)]
            self._begin(
                likenesses(stack, reference.data), "alike", _ALIKE, _shown(reference, stack)
            )
        elif all(map(len, places)):
            fine = self.ranking is Ranking.STROKES
            self._begin(separations(stack, *places, fine=fine), "apart", _APART)
        else:
            self.unranked.emit()

    def _places(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The two places that are to be told apart; empty where there are none."""
        if self.ranking is Ranking.STROKES:
            return self.strokes.places()
        if self.ranking is Ranking.REGIONS:
            return self.regions.places(self._over())
        return NOWHERE, NOWHERE

    def _begin(
        self, job: Job[NDArray[np.float64]], title: str, tip: str, but: int | None = None
    ) -> None:
        """Work scores out for all maps but one."""

        def rank(values: NDArray[np.float64]) -> None:
            self.bar.hide()
            if but is not None:
                values[but] = np.nan
            self.ranked.emit(Scores(title, values, tip, either_sign=True))

        def fail(error: Exception) -> None:
            self.bar.hide()
            self.notice.tell(str(error))
            self.unranked.emit()

        self.bar.begin()
        self._latest.start(job, rank, failed=fail, progressed=self.bar.note)

    def _cancel(self) -> None:
        self._latest.stop()
        self.bar.hide()

    def _say(self, one: NDArray[np.intp], other: NDArray[np.intp]) -> None:
        """Tell what is still needed to tell two places apart, or to compare maps."""
        text = ""
        if self._stack is not None and self.ranking is Ranking.STROKES:
            text = self.painting.missing
        elif self._stack is not None and self.ranking is Ranking.REGIONS:
            text = self.regions.missing
            if not text and not (len(one) and len(other)):
                text = "One of the two regions lies beside the map: draw both on it."
        elif self.ranking is Ranking.LIKENESS:
            text = _GRAINS if self._listed else _NO_MAP
        self.notice.tell(text)
        self.painting.offer()


def _shown(layer: Image, stack: MapStack) -> int | None:
    """Which map of a stack a layer shows, if any."""
    link = link_of(layer)
    return link.channel if link is not None and link.stack is stack else None
