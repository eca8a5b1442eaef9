"""How far a job in the background is, and a button that cancels it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.ui.forms import Notice
from napari_kikuchi.ui.job_bar import JobBar
from napari_kikuchi.ui.latest import Latest

if TYPE_CHECKING:
    from napari_kikuchi.ui.session import Session


class JobRow(QWidget):
    """Runs one job at a time: the next one ends the one before.

    Parameters
    ----------
    session
        Runs the jobs.
    ended
        Called when a job is over, in whatever way.

    Attributes
    ----------
    cancel_button, bar, notice
        What is seen of a job; nothing while there is none. A failure is told until the next job.
    """

    def __init__(self, session: Session, ended: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._latest = Latest(session, self)
        self._ended = ended
        self.bar = JobBar()
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.clicked.connect(lambda: self.cancel())
        self.notice = Notice()
        row = QHBoxLayout()
        row.addWidget(self.bar)
        row.addWidget(self.cancel_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self.notice)
        self._show(False)
        self.notice.tell("")
        # What comes of a job that outlives the widget would be told to nobody.
        self.destroyed.connect(self._latest.stop)

    @property
    def active(self) -> bool:
        """Whether a job runs."""
        return self._latest.active

    def start(
        self,
        job: Job[Any],
        done: Callable[[Any], None],
        progressed: Callable[[Any], None] = lambda update: None,
    ) -> None:
        """Begin a job; its result goes to ``done``, its updates to ``progressed``."""
        self.notice.tell("")
        self.bar.begin()
        self._show(True)

        def end(result: Any) -> None:
            self._end()
            done(result)

        def fail(error: Exception) -> None:
            self._end()
            self.notice.tell(str(error))
            self.setVisible(True)

        def note(update: Progress) -> None:
            self.bar.note(update)
            progressed(update)

        self._latest.start(job, end, failed=fail, progressed=note)

    def cancel(self) -> None:
        """End the job; nothing comes of it."""
        if self.active:
            self._latest.stop()
            self._end()

    def _end(self) -> None:
        self._show(False)
        self._ended()

    def _show(self, active: bool) -> None:
        self.bar.setVisible(active)
        self.cancel_button.setVisible(active)
        # Empty it would still take up room.
        self.setVisible(active)
