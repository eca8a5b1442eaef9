"""One job at a time: the next one takes the place of the one before."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import ref

from qtpy.compat import isalive

from napari_kikuchi.jobs import Job
from napari_kikuchi.ui.messages import tell_error

if TYPE_CHECKING:
    from qtpy.QtCore import QObject

    from napari_kikuchi.ui.session import Session
    from napari_kikuchi.ui.work import Work


class Latest:
    """Runs the latest of some jobs.

    Parameters
    ----------
    session
        Runs the jobs.
    widget
        That is called back; once it is gone, nothing is heard of what still runs.
    """

    def __init__(self, session: Session, widget: QObject) -> None:
        self._session = session
        self._widget = ref(widget)
        self._work: Work | None = None

    @property
    def active(self) -> bool:
        """Whether a job runs."""
        return self._work is not None

    def start(
        self,
        job: Job[Any],
        done: Callable[[Any], None],
        *,
        failed: Callable[[Exception], None] = tell_error,
        progressed: Callable[[Any], None] = lambda update: None,
    ) -> None:
        """Begin a job and call back; nothing more is heard of the one before."""
        self.stop()

        def heard(tell: Callable[[Any], None]) -> Callable[[Any], None]:
            def hear(told: Any) -> None:
                # Qt takes a widget apart before anybody hears of its end.
                widget = self._widget()
                if widget is not None and isalive(widget):
                    tell(told)

            return hear

        def last(tell: Callable[[Any], None]) -> Callable[[Any], None]:
            def end(outcome: Any) -> None:
                self._work = None
                tell(outcome)

            return heard(end)

        self._work = self._session.start(
            job, done=last(done), failed=last(failed), progressed=heard(progressed)
        )

    def stop(self) -> None:
        """End the job; nothing comes of it."""
        if self._work is not None:
            self._work.cancel()
            self._work = None
