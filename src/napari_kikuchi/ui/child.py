"""Long work in a process of its own: the command line, driven by the window.

Training and encoding take every core and, for a network, a GPU's memory. In a process of their own
they cannot make the window stutter, they give back all memory when they end, and they are the very
command that a terminal would run. The child prints one JSON event per line; the word ``stop``, or
the end of its standard input, asks it to stop and keep what is finished. So a child outlives
neither its window nor a crash of it.
"""

from __future__ import annotations

import atexit
import json
import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, ClassVar

from qtpy.QtCore import QCoreApplication, QObject, QProcess, QProcessEnvironment, QTimer, Signal

from napari_kikuchi.child_process import yield_processor

COMMAND = (sys.executable, "-m", "napari_kikuchi")

# How long a child may take to write its last checkpoint before it is ended.
GRACE_MS = 8_000
_STOPPED_ON_REQUEST = 3
_STDERR_TAIL = 4_000


class JobState(StrEnum):
    """Where a job stands."""

    IDLE = "idle"
    RUNNING = "running"
    STOPPING = "stopping"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


class ChildJob(QObject):
    """One command in a child process; can be started again when it has ended.

    Parameters
    ----------
    owner
        When this object is destroyed, as the widgets of a closing window are, the command is asked
        to stop.
    command
        Program and first arguments.
    grace_ms
        Milliseconds that the child has to stop by itself.

    Attributes
    ----------
    state
        Where the job stands.
    result
        What the command made, after ``DONE``: the path in its last event.
    message
        Why it failed, after ``FAILED``: for people to read.
    details
        The end of what the child wrote to its standard error, for a bug report.
    """

    reported = Signal(dict)
    """Every event of the child, as it wrote it."""
    state_changed = Signal(str)
    """The new :class:`JobState`."""

    # Keeps running jobs alive after their window is gone, until they have written what they have.
    _running: ClassVar[set[ChildJob]] = set()

    def __init__(
        self,
        owner: QObject | None = None,
        command: Sequence[str] = COMMAND,
        grace_ms: int = GRACE_MS,
    ) -> None:
        super().__init__()
        self.state = JobState.IDLE
        self.result: str | None = None
        self.message = ""
        self.details = ""
        self._command = tuple(command)
        self._grace_ms = grace_ms
        self._unread = b""
        self._process = QProcess(self)
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert("PYTHONUTF8", "1")
        self._process.setProcessEnvironment(environment)
        self._process.started.connect(self._yield_processor)
        self._process.readyReadStandardOutput.connect(self._read_events)
        self._process.readyReadStandardError.connect(self._read_errors)
        self._process.finished.connect(self._on_finished)
        self._process.errorOccurred.connect(self._on_process_error)
        self._deadline = QTimer(self)
        self._deadline.setSingleShot(True)
        self._deadline.timeout.connect(self._process.kill)
        if owner is not None:
            owner.destroyed.connect(self.stop)

    @property
    def active(self) -> bool:
        """Whether the child runs."""
        return self.state in (JobState.RUNNING, JobState.STOPPING)

    def start(self, arguments: Sequence[str]) -> None:
        """Run the command with these arguments and ``--events``.

        Raises
        ------
        RuntimeError
            If it runs already.
        """
        if self.active:
            raise RuntimeError("this job is running already; stop it before starting it anew")
        self.result, self.message, self.details, self._unread = None, "", "", b""
        ChildJob._running.add(self)
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.end)
        self._set_state(JobState.RUNNING)
        program, *first = self._command
        self._process.start(program, [*first, *arguments, "--events"])

    def stop(self) -> None:
        """Ask the child to stop and keep what is finished; end it if it does not."""
        if self.state is not JobState.RUNNING:
            return
        self._set_state(JobState.STOPPING)
        self._process.write(b"stop\n")
        self._process.closeWriteChannel()
        self._deadline.start(self._grace_ms)

    def end(self) -> None:
        """Stop and wait: the application is about to quit."""
        self.stop()
        if self.active and not self._process.waitForFinished(self._grace_ms):
            self._process.kill()
            self._process.waitForFinished(1_000)

    def _set_state(self, state: JobState) -> None:
        self.state = state
        self.state_changed.emit(str(state))

    def _yield_processor(self) -> None:
        """Let the window go first where both want the processor."""
        yield_processor(self._process.processId())

    def _read_events(self) -> None:
        *lines, self._unread = (self._unread + self._process.readAllStandardOutput().data()).split(
            b"\n"
        )
        for line in lines:
            content = _parse(line)
            if content is None:
                continue
            if content["event"] == "done":
                self.result = content.get("result")
            elif content["event"] == "error":
                self.message = str(content.get("message", ""))
            self.reported.emit(content)

    def _read_errors(self) -> None:
        text = self._process.readAllStandardError().data().decode("utf-8", "replace")
        self.details = (self.details + text)[-_STDERR_TAIL:]

    def _on_process_error(self, error: QProcess.ProcessError) -> None:
        # Every other error is followed by ``finished``.
        if error == QProcess.ProcessError.FailedToStart:
            self.message = (
                f"{self._command[0]} could not be started: {self._process.errorString()}. "
                "Is the Python environment of napari still in its place?"
            )
            self._conclude(JobState.FAILED)

    def _on_finished(self, exit_code: int, exit_status: QProcess.ExitStatus) -> None:
        self._read_events()
        self._read_errors()
        crashed = exit_status == QProcess.ExitStatus.CrashExit
        if exit_code == 0 and not crashed:
            self._conclude(JobState.DONE)
        elif self.state is JobState.STOPPING or (exit_code == _STOPPED_ON_REQUEST and not crashed):
            self._conclude(JobState.STOPPED)
        else:
            if not self.message:
                last = self.details.strip().rsplit("\n", 1)[-1] or "it left no message"
                how = "was killed" if crashed else f"ended with code {exit_code}"
                self.message = (
                    f"The process {how}: {last}. If memory ran out, try fewer patterns or a "
                    "smaller model."
                )
            self._conclude(JobState.FAILED)

    def _conclude(self, state: JobState) -> None:
        self._deadline.stop()
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.disconnect(self.end)
        ChildJob._running.discard(self)
        self._set_state(state)


def _end_all() -> None:
    for job in list(ChildJob._running):
        job.end()


# For a script that ends without Qt's event loop, which tells of its end by a signal.
atexit.register(_end_all)


def _parse(line: bytes) -> dict[str, Any] | None:
    """The event on a line of output; None for anything else that a library may print."""
    try:
        content = json.loads(line)
    except ValueError:
        return None
    return content if isinstance(content, dict) and "event" in content else None
