"""How a job meets a terminal, a program or the window: bars, JSON, events, stopping, errors."""

from __future__ import annotations

import json
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars

from napari_kikuchi.devices import DeviceMemoryError, helps_another
from napari_kikuchi.jobs import Job, JobWarning, Progress
from napari_kikuchi.training import TrainingUpdate

Result = TypeVar("Result")

# Bars and messages go to standard error; standard output is for what a program may read.
terminal = Console(stderr=True, highlight=False)

STOPPED = 3


class Output(StrEnum):
    """Who reads what a command prints."""

    PERSON = "person"
    JSON = "json"
    EVENTS = "events"
    NOBODY = "nobody"


def output_for(as_json: bool, events: bool = False) -> Output:
    """Who reads, by the options given; nobody reads what a process that helps another prints."""
    if helps_another():
        return Output.NOBODY
    return Output.EVENTS if events else Output.JSON if as_json else Output.PERSON


class StopRequest:
    """Set by Ctrl-C or, under events, by the word ``stop`` or the end of standard input."""

    def __init__(self, output: Output) -> None:
        self._event = threading.Event()
        self._output = output

    def __bool__(self) -> bool:
        return self._event.is_set()

    def __enter__(self) -> StopRequest:
        if self._output is not Output.NOBODY:
            self._previous = signal.signal(signal.SIGINT, self._interrupt)
        if self._output is Output.EVENTS:
            threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._output is not Output.NOBODY:
            signal.signal(signal.SIGINT, self._previous)

    def _interrupt(self, *_: object) -> None:
        if self:  # a second Ctrl-C means now
            raise KeyboardInterrupt
        self._event.set()
        if self._output is Output.PERSON:
            terminal.print("[yellow]Stopping; what is finished is kept (Ctrl-C again: at once)")

    def _listen(self) -> None:
        # Whoever started this process talks through its standard input; when the window that
        # did so is gone, the input ends.
        for line in sys.stdin:
            if line.strip() == "stop":
                break
        self._event.set()


def run(job: Job[Result], output: Output, live: Path | None = None, going_on: str = "") -> Result:
    """Drive a job to its end, showing its progress.

    Parameters
    ----------
    job
        What to do.
    output
        Who watches.
    live
        File that a training renews at every validation; told with those events.
    going_on
        How to go on with the job once it was stopped, told to a person.

    Raises
    ------
    typer.Exit
        With code 3, if it was stopped on request; the job has saved what was finished.
    """
    with StopRequest(output) as stop, _reporter(output, live) as report, _warnings_told(output):
        while True:
            if stop:
                job.close()
                break
            try:
                update = next(job)
            except StopIteration as end:
                return end.value
            report(update)
    if output is Output.EVENTS:
        emit("stopped")
    else:
        terminal.print(f"[yellow]Stopped.[/] {going_on}", soft_wrap=True)
    raise typer.Exit(STOPPED)


@contextmanager
def _warnings_told(output: Output) -> Iterator[None]:
    """Tell what a job warns of as it tells its progress; what libraries warn of, as always."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", JobWarning)
        of_libraries = warnings.showwarning

        def tell(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            if not issubclass(category, JobWarning):
                of_libraries(message, category, *place, **more)
            elif output is Output.EVENTS:
                emit("warning", message=str(message))
            elif output is not Output.NOBODY:
                terminal.print("[yellow]Warning[/]", shown(message), soft_wrap=True)

        warnings.showwarning = tell
        yield


@contextmanager
def _reporter(output: Output, live: Path | None) -> Iterator[Callable[[Progress], None]]:
    if output is Output.EVENTS:
        yield lambda update: _emit_update(update, live)
        return
    if output is Output.NOBODY:
        yield lambda update: None
        return
    bars = Bars(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=terminal,
        transient=True,
    )
    with bars:
        task = bars.add_task("Starting", total=None)

        def report(update: Progress) -> None:
            bars.update(
                task,
                description=shown(update.message) or "Working",
                completed=update.done,
                total=update.total or None,
            )
            if isinstance(update, TrainingUpdate) and update.validation_loss is not None:
                bars.console.print(_validation_line(update))

        yield report


def _validation_line(update: TrainingUpdate) -> str:
    return (
        f"epoch {update.epoch:>4}   validation loss {update.validation_loss:.4f}   "
        f"{_in_words(update.metrics)}   "
        f"{update.patterns_per_second:,.0f} patterns/s" + ("   [green]best[/]" * update.best)
    )


def _in_words(metrics: Mapping[str, Any]) -> str:
    if "residual" in metrics:  # of an encoder, which has too many
        return (
            f"residual {metrics['residual']:.4f}   "
            f"{metrics['active_features']:>3} of {metrics['latent']} features active"
        )
    return "   ".join(f"{name} {value:.3g}" for name, value in metrics.items() if name != "loss")


def _emit_update(update: Progress, live: Path | None) -> None:
    content = asdict(update)
    if not isinstance(update, TrainingUpdate):
        emit("progress", **content)
        return
    metrics = content.pop("metrics")
    metrics.pop("loss", None)  # told as the validation loss
    fresh = live if update.validation_loss is not None else None
    emit("training", **content, **metrics, live=fresh)


def emit(event: str, **content: Any) -> None:
    """Print one event as one line of JSON."""
    line = json.dumps({"event": event, **content}, default=_to_json)
    # Written as one: warnings come from threads, too.
    print(f"{line}\n", end="", flush=True)


def _to_json(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is not fit for JSON")


def say(output: Output, text: str) -> None:
    """Tell something before a job begins: standard output is left to the result."""
    if output is Output.EVENTS:
        emit("progress", done=0, total=0, message=text)
    elif output is not Output.NOBODY:
        terminal.print(shown(text), soft_wrap=True)


def report_result(output: Output, text: str, **content: Any) -> None:
    """Tell the result: text for a person, JSON or an event for a program."""
    if output is Output.EVENTS:
        emit("done", **content)
    elif output is Output.JSON:
        print(json.dumps(content, default=_to_json, indent=2))
    elif output is Output.PERSON:
        terminal.print(text, soft_wrap=True)  # A path that is broken in two cannot be copied.


def shown(value: object) -> str:
    """Text of a name or a path, for text with markup: brackets in it are no markup."""
    return escape(str(value))


@contextmanager
def errors_told(output: Output) -> Iterator[None]:
    """Tell what the user can mend without a traceback; exit with code 1."""
    try:
        yield
    except typer.Exit:
        raise
    # An optional package that is missing names the line that installs it.
    except (ValueError, OSError, FloatingPointError, ImportError, DeviceMemoryError) as error:
        if output is Output.EVENTS:
            emit("error", message=str(error), kind=type(error).__name__)
        else:
            terminal.print("[bold red]Error[/]", end=" ")
            terminal.print(str(error), markup=False, soft_wrap=True)
        raise typer.Exit(1) from None
    except Exception as error:
        if output is Output.EVENTS:
            emit("error", message=str(error) or repr(error), kind=type(error).__name__)
        raise
