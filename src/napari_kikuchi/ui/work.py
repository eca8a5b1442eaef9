"""Long work in a thread of the window's own process.

For what is bound by reading, such as a navigator or the mean pattern of a region. Training and
encoding, which take every core, run in a process of their own instead.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar

from napari.utils import progress
from qtpy.QtCore import QCoreApplication, QEventLoop, QObject, Signal

from napari_kikuchi.jobs import Job, Progress, finish
from napari_kikuchi.ui.garbage import search_anywhere, search_in_window

# How long a closing application waits for a job to come to its next update.
_GRACE_S = 2.0


class Work(QObject):
    """A job that runs in a thread; its signals arrive in the thread of the window.

    Parameters
    ----------
    job
        What to do; every update is a moment at which it can be cancelled.
    owner
        The job is cancelled when this object is destroyed, as the widgets of a closing window are.
    title
        Shown beside a progress bar in napari's activity panel; empty for none.
    """

    progressed = Signal(object)
    """Each update of the job."""
    done = Signal(object)
    """The result of a job that ran to its end."""
    failed = Signal(object)
    """The exception that ended the job."""
    ended = Signal()
    """The thread is done, however it went."""

    _told = Signal(str, object)

    _running: ClassVar[set[Work]] = set()

    def __init__(self, job: Job[Any], owner: QObject | None = None, title: str = "") -> None:
        super().__init__()
        self._job = job
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._run, name=title or "job", daemon=True)
        self._bar: progress | None = None
        self._title = title
        if owner is not None:
            owner.destroyed.connect(self.cancel)
        if title:
            self.progressed.connect(self._show_progress)
        self.ended.connect(self._on_ended)
        self._told.connect(self._deliver)

    @property
    def active(self) -> bool:
        """Whether the job runs and has not been cancelled."""
        return self in Work._running and not self._cancelled.is_set()

    def start(self) -> Work:
        """Begin."""
        Work._running.add(self)
        search_in_window()
        if self._title:
            # Made here and not at the first update: napari handles events meanwhile.
            self._bar = progress(total=0, desc=self._title)
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.end)
        self._thread.start()
        return self

    def cancel(self) -> None:
        """End the job at its next update; nothing more is heard of it."""
        self._cancelled.set()

    def end(self) -> None:
        """Cancel and wait: the application is about to quit."""
        self.cancel()
        if self._thread.is_alive():
            self._thread.join(_GRACE_S)

    def _run(self) -> None:
        try:
            while not self._cancelled.is_set():
                self._tell("progressed", next(self._job))
            self._job.close()
        except StopIteration as stop:
            self._tell("done", stop.value)
        except Exception as error:
            self._tell("failed", error)
        # Once the application is gone, so is the receiving half of this object.
        with suppress(RuntimeError):
            self.ended.emit()

    def _tell(self, signal: str, value: Any) -> None:
        if not self._cancelled.is_set():
            self._told.emit(signal, value)

    def _deliver(self, signal: str, value: Any) -> None:
        # In the thread of the window: what was on its way when the job was cancelled ends here.
        if not self._cancelled.is_set():
            getattr(self, signal).emit(value)

    def _show_progress(self, update: Progress) -> None:
        assert self._bar is not None
        self._bar.total = update.total
        self._bar.n = update.done
        self._bar.refresh()

    def _on_ended(self) -> None:
        if self._bar is not None:
            self._bar.close()
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.disconnect(self.end)
        # It has told so with its last breath, which might else be a search for garbage.
        self._thread.join()
        Work._running.discard(self)
        if not Work._running:
            search_anywhere()


def start(
    job: Job[Any],
    owner: QObject | None = None,
    title: str = "",
    *,
    done: Callable[[Any], None] | None = None,
    failed: Callable[[Exception], None] | None = None,
    progressed: Callable[[Progress], None] | None = None,
) -> Work:
    """Run a job in a thread and call back in the thread of the window.

    Parameters
    ----------
    job, owner, title
        As for :class:`Work`.
    done, failed, progressed
        Connected to the signals of the same names. A failure that nobody handles is told the user.
    """
    from napari_kikuchi.ui.messages import tell_error

    work = Work(job, owner, title)
    if done is not None:
        work.done.connect(done)
    work.failed.connect(failed if failed is not None else tell_error)
    if progressed is not None:
        work.progressed.connect(progressed)
    return work.start()


def run_live(job: Job[Any], title: str) -> Any:
    """Run a job in a thread and return its result, while the window goes on living.

    For callers who must return the result themselves; all others use :func:`start`.

    Raises
    ------
    InterruptedError
        If the application was closed meanwhile.
    Exception
        What the job raised.
    """
    if QCoreApplication.instance() is None:
        return finish(job)
    results: list[Any] = []
    errors: list[Exception] = []
    loop = QEventLoop()
    work = Work(job, title=title)
    work.done.connect(results.append)
    work.failed.connect(errors.append)
    work.ended.connect(loop.quit)
    work.start()
    loop.exec()
    if errors:
        raise errors[0]
    if not results:
        raise InterruptedError(f"{title}: napari was closed meanwhile")
    return results[0]
