"""What a form shows of its job: start or cancel, how far it is, what it says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from napari_kikuchi.ui.child import COMMAND, ChildJob, JobState
from napari_kikuchi.ui.forms import Notice
from napari_kikuchi.ui.messages import tell_error

# Before that, the time left is a guess that would jump about.
_ESTIMATE_AFTER_S = 3.0
# Qt's own blue cannot be read on a dark ground; this one can, on a light one as well.
_LINK = "#3f8fdf"


class JobPanel(QWidget):
    """Runs one command at a time in a child process.

    Parameters
    ----------
    title
        Of the button that starts it.
    request
        Gives the arguments of the command when it is started; a ValueError or OSError is told the
        user instead.
    tooltip
        Of that button.
    hint
        What the form says before its first job.
    command
        Program and first arguments.

    Attributes
    ----------
    job
        The child process.
    row
        Holds the button that starts it, and what else is chosen there.
    message
        What the job says, or why it failed.
    warnings
        What it has warned of.
    """

    started = Signal()
    reported = Signal(dict)
    """Every event of the command."""
    done = Signal(str)
    """What the command made: a path."""
    ended = Signal()
    """The job is over, in whatever way."""

    def __init__(
        self,
        title: str,
        request: Callable[[], Sequence[str]],
        tooltip: str = "",
        hint: str = "",
        command: Sequence[str] = COMMAND,
    ) -> None:
        super().__init__()
        self._title = title
        self._hint = hint
        self._request = request
        self._began = self._stage_began = 0.0
        self._stage: tuple[int, int] = (0, 0)
        self._stage_share = 0.0
        self._training = False
        self.job = ChildJob(self, command)
        self.job.reported.connect(self._on_event)
        self.job.state_changed.connect(self._on_state)
        self.button = QPushButton(title)
        self.button.setToolTip(tooltip)
        self.button.clicked.connect(self._on_click)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.hide()
        self.message = QLabel(hint)
        self.message.setWordWrap(True)
        self.message.setVisible(bool(hint))
        self.warnings = Notice()
        self.warnings.tell("")
        self.cluster = QLabel()
        self.cluster.setOpenExternalLinks(True)
        self.cluster.hide()
        self.row = QHBoxLayout()
        self.row.addWidget(self.button)
        self.row.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(self.row)
        layout.addWidget(self.bar)
        layout.addWidget(self.message)
        layout.addWidget(self.warnings)
        layout.addWidget(self.cluster)

    def start(self) -> None:
        """Start what the form asks for."""
        try:
            arguments = self._request()
        except (ValueError, OSError) as error:
            self._fail(error)
            return
        self.run(arguments)

    def run(self, arguments: Sequence[str]) -> None:
        """Run a command with these arguments."""
        self._began = self._stage_began = monotonic()
        self._stage = (0, 0)
        self._training = False
        self.warnings.tell("")
        self.say("Starting…")
        self.job.start(arguments)

    def set_title(self, title: str) -> None:
        """Name what the button starts."""
        self._title = title
        if not self.job.active:
            self.button.setText(title)

    def say(self, text: str) -> None:
        """Tell how the job goes."""
        self.message.setText(text)
        self.message.setVisible(bool(text))

    def add(self, text: str) -> None:
        """Tell something more, after what was told last."""
        self.say(f"{self.message.text()} {text}".strip())

    def say_hint(self) -> None:
        """Say what was said before the first job, unless one runs: this is about something else."""
        if not self.job.active:
            self.say(self._hint)
            self.message.setToolTip("")
            self.warnings.tell("")

    def _on_click(self) -> None:
        if self.job.active:
            self.job.stop()
        else:
            self.start()

    def _on_event(self, event: dict[str, Any]) -> None:
        kind = event["event"]
        # Within a training, validations have a progress of their own: the bar would jump.
        self._training = self._training or kind == "training"
        if kind == "training" or (kind == "progress" and not self._training):
            self._show_progress(event["done"], event["total"], event.get("message", ""))
        elif kind == "warning":
            self.warnings.tell("\n".join(filter(None, [self.warnings.text(), event["message"]])))
        elif kind == "cluster":
            self._show_cluster(event["workers"], event["dashboard"])
        self.reported.emit(event)

    def _show_progress(self, done: int, total: int, message: str) -> None:
        self.bar.setRange(0, 1000 if total else 0)
        if not total:
            self.say(message)
            return
        share = min(done / total, 1.0)
        done_before, total_before = self._stage
        if total != total_before or done < done_before:  # a new stage of the job
            # What was resumed has taken none of this time.
            self._stage_began, self._stage_share = monotonic(), share
        self._stage = (done, total)
        self.bar.setValue(round(1000 * share))
        elapsed = monotonic() - self._stage_began
        left = ""
        gained = share - self._stage_share
        if elapsed > _ESTIMATE_AFTER_S and gained > 0 and share < 1:
            left = f", about {duration(elapsed * (1 - share) / gained)} left"
        self.say(f"{message} ({share:.0%}{left})")

    def _show_cluster(self, workers: int, dashboard: str | None) -> None:
        text = f"{workers} workers"
        if dashboard is not None:
            text += f': <a href="{dashboard}" style="color:{_LINK}">what they do</a>'
        self.cluster.setText(text)
        self.cluster.show()

    def _on_state(self, state: str) -> None:
        active = self.job.active
        if not active:
            self.cluster.hide()
        self.bar.setVisible(active)
        self.button.setText("Cancel" if active else self._title)
        self.button.setEnabled(state != JobState.STOPPING)
        if state == JobState.RUNNING:
            self.bar.setRange(0, 0)
            self.started.emit()
        elif state == JobState.STOPPING:
            self.say("Stopping; what is finished is kept…")
        elif state == JobState.STOPPED:
            self.say("Stopped. What was finished is kept.")
        elif state == JobState.FAILED:
            self._fail(RuntimeError(self.job.message))
        elif state == JobState.DONE:
            self.say(f"Done in {duration(monotonic() - self._began)}.")
        if not active:
            self.ended.emit()
        if state == JobState.DONE and self.job.result is not None:
            self.done.emit(self.job.result)

    def _fail(self, error: Exception) -> None:
        self.say(str(error))
        self.message.setToolTip(self.job.details)
        tell_error(error)


def duration(seconds: float) -> str:
    """A time as people say it."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
