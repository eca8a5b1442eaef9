"""How far a piece of work in a thread is, with a button that ends it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QWidget

from napari_kikuchi.jobs import Job, Progress

if TYPE_CHECKING:
    from napari_kikuchi.ui.session import Session
    from napari_kikuchi.ui.work import Work


class WorkBar(QWidget):
    """Runs one job at a time; is seen while one runs.

    Parameters
    ----------
    session
        Of the viewer.
    """

    changed = Signal()
    """A job has begun, or is over in whatever way."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._work: Work | None = None
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.clicked.connect(self.cancel)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.bar, 1)
        row.addWidget(self.cancel_button)
        self.hide()

    @property
    def busy(self) -> bool:
        """Whether a job runs."""
        return self._work is not None

    def run(
        self,
        job: Job[Any],
        title: str,
        done: Callable[[Any], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Run a job instead of one that may be running, and call back how it ended."""
        self.stop()
        self.bar.setRange(0, 0)
        self._work = self._session.start(
            job,
            title=title,
            done=lambda result: self._end(done, result),
            failed=lambda error: self._end(failed, error),
            progressed=self._on_progress,
        )
        self.show()
        self.changed.emit()

    def cancel(self) -> None:
        """End the job; nothing more is heard of it."""
        self.stop()
        self.hide()
        self.changed.emit()

    def stop(self) -> None:
        """End the job; the widget may be gone."""
        if self._work is not None:
            self._work.cancel()
            self._work = None

    def _end(self, call: Callable[[Any], None], outcome: Any) -> None:
        self.cancel()
        call(outcome)

    def _on_progress(self, update: Progress) -> None:
        self.bar.setRange(0, update.total)
        self.bar.setValue(update.done)
