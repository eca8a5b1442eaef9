"""What the pages of the inspector share: what takes longer than a moment comes as it is ready."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget
from superqt import QElidingLabel

from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.ui.forms import Notice
from napari_kikuchi.ui.job_bar import JobBar
from napari_kikuchi.ui.latest import Latest
from napari_kikuchi.ui.preparation import Model, Preparation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_kikuchi.figures.content import PatternPanel, ProfileCurve
    from napari_kikuchi.scan import Scan
    from napari_kikuchi.ui.inspected import Inspected
    from napari_kikuchi.ui.plot import Plot
    from napari_kikuchi.ui.saving import Table
    from napari_kikuchi.ui.session import Session


@dataclass(frozen=True, eq=False)
class Found(Progress):
    """A part of what is to be shown is ready.

    Attributes
    ----------
    part
        What was found.
    """

    part: Any = None


@dataclass(frozen=True, eq=False)
class Means:
    """What patterns are shown with, as far as it is ready.

    Attributes
    ----------
    preparation
        Of the scan; None before its background is known, or where there is no open scan.
    model
        Reconstructs; None before one is chosen and read.
    """

    preparation: Preparation | None = None
    model: Model | None = None


class InspectorPage(QWidget):
    """Measures what is inspected in a thread and shows what is found.

    Parameters
    ----------
    session
        Of the viewer.
    plot
        Shows it.
    """

    changed = Signal()
    """More is shown, or something else."""

    # Whether the model of the scan's maps is needed.
    needs_model = False

    def __init__(self, session: Session, plot: Plot) -> None:
        super().__init__()
        self.session = session
        self.plot = plot
        self.inspected: Inspected | None = None
        self._means = Means()
        self._latest = Latest(session, self)
        self.title = QElidingLabel()
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.bar = JobBar()
        self.notice = Notice()
        self.notice.tell("")
        self.heading = QHBoxLayout()
        self.heading.addWidget(self.title, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self.heading)
        layout.addWidget(self.bar)
        layout.addWidget(self.notice)
        layout.addWidget(plot)
        layout.addStretch()
        session.prepared.connect(self._on_means)
        session.encoder_changed.connect(self._on_means)

    @abstractmethod
    def begin(self, inspected: Inspected) -> None:
        """Show what can be told at once; a ValueError says why nothing can be."""

    @abstractmethod
    def measure(self, inspected: Inspected, means: Means) -> Job[None]:
        """Find out what takes longer, and yield each part as :class:`Found`."""

    @abstractmethod
    def take(self, part: Any) -> None:
        """Show a part."""

    @abstractmethod
    def patterns(self) -> list[PatternPanel]:
        """The patterns of a figure, as far as they are known."""

    @abstractmethod
    def profiles(self) -> list[ProfileCurve]:
        """The profiles of a figure, as far as they are known."""

    @abstractmethod
    def table(self) -> Table:
        """The values that are shown; empty before there are any."""

    def inspect(self, inspected: Inspected | None) -> None:
        """Measure this, or nothing."""
        self._cancel()
        self.inspected = inspected
        self.notice.tell("")
        if inspected is None:
            return
        try:
            self.begin(inspected)
        except ValueError as error:
            self.inspected = None
            self.plot.clear()
            self.notice.tell(str(error))
            return
        self._start()
        self.changed.emit()

    def close_down(self) -> None:
        """Stop working and listening; the widget may be gone."""
        self._latest.stop()
        self.session.prepared.disconnect(self._on_means)
        self.session.encoder_changed.disconnect(self._on_means)

    def _start(self) -> None:
        assert self.inspected is not None
        self._means = self._ready_means(self.inspected)
        self.bar.begin()
        self._latest.start(
            self.measure(self.inspected, self._means),
            self._on_end,
            failed=self._on_end,
            progressed=self._on_progress,
        )

    def _ready_means(self, inspected: Inspected) -> Means:
        """What there is now; what there is not is told when it comes."""
        scan = inspected.scan
        if scan is None:
            return Means()
        preparation = self.session.preparation(scan)
        if isinstance(preparation, Exception):
            self.notice.tell(str(preparation))
        model = None
        if self.needs_model:
            self.session.need_encoder()
            encoder = self.session.encoder
            fitted = None if encoder is None else self.session.preparation(scan, encoder.recipe)
            if encoder is not None and isinstance(fitted, Preparation):
                model = Model(encoder, fitted.preprocessor)
        return Means(preparation if isinstance(preparation, Preparation) else None, model)

    def _on_means(self, _: Scan | Any) -> None:
        """More can be shown than before, or by another model."""
        if self.inspected is None:
            return
        now = self._ready_means(self.inspected)
        if list(_identities(now)) != list(_identities(self._means)):
            self._cancel()
            self._start()

    def _on_progress(self, update: Progress) -> None:
        if not isinstance(update, Found):
            self.bar.note(update)
        else:
            self.take(update.part)
            self.changed.emit()

    def _on_end(self, outcome: Exception | None) -> None:
        self.bar.hide()
        if isinstance(outcome, Exception):
            self.notice.tell(str(outcome))

    def _cancel(self) -> None:
        self._latest.stop()
        self.bar.hide()


def _identities(means: Means) -> Iterator[int | None]:
    """What tells two sets of means apart: a model is wrapped anew each time."""
    yield None if means.preparation is None else id(means.preparation)
    yield None if means.model is None else id(means.model.encoder)
