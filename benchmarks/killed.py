"""Command lines in processes of their own, which can be killed at any moment."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

import psutil

# Looking for events more often costs time that the command needs.
POLL_S = 0.002
# Read when numerical libraries are loaded. On one thread there is more time to be killed in.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
STARTING, WORKERS, PUBLISHING, ENDING = "starting", "workers are there", "publishing", "ending"
# Workers see at once that nobody is there for whom they work; on a busy machine they see it later.
_DYING_S = 30
# What is told last before an output gets its name.
_LAST = ("Ranking the maps", "Reading the maps", "Decoding patterns")
# What a warm process has imported before it is told what to do.
_IMPORTED = [
    "napari_kikuchi.cli.commands",
    "napari_kikuchi.cli.decode",
    "napari_kikuchi.cluster",
    "napari_kikuchi.latent.maps",
    "napari_kikuchi.latent.train",
    "napari_kikuchi.orientation.find_spots",
    "napari_kikuchi.orientation.maps",
    "napari_kikuchi.orientation.spot_model",
    "napari_kikuchi.physics.maps",
    "napari_kikuchi.training.loop",
    "orix.quaternion",
    "pydantic",
    "safetensors.numpy",
    "scipy.ndimage",
    "scipy.spatial",
    "scipy.stats",
    "threadpoolctl",
    "torch.profiler",
    "zarr",
]


@dataclass(frozen=True)
class Event:
    """A line of what a command told under ``--events``, and when it was seen.

    Attributes
    ----------
    phase
        What was being done, without counts.
    content
        Of the line.
    seen
        Seconds since the command began.
    """

    phase: str
    content: dict[str, Any]
    seen: float

    @property
    def done(self) -> int:
        """Patterns, rows or steps that are done."""
        return self.content.get("step", self.content.get("done", 0))


class Killable:
    """A command line of this package under ``--events``.

    Parameters
    ----------
    arguments
        Behind ``napari-kikuchi``.
    log
        Two files of this name take standard output and standard error.
    warm
        In a copy of a process that has imported the package, where the system has such; otherwise
        as ``python -m napari_kikuchi``, whose first seconds go into imports.
    """

    def __init__(self, arguments: Sequence[str], log: Path, *, warm: bool) -> None:
        self.output, self.errors = log.with_suffix(".events"), log.with_suffix(".errors")
        self.output.touch()
        self.began = time.monotonic()
        self.events = [Event(STARTING, {}, 0.0)]
        arguments = [*arguments, "--events"]
        self._process: Any
        if warm:
            self._process = _warm_context().Process(
                target=_run, args=(arguments, str(self.output), str(self.errors))
            )
            self._process.start()
        else:
            with self.output.open("w") as output, self.errors.open("w") as errors:
                # Its input stays open: where that ends, the command stops.
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "napari_kikuchi", *arguments],
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=errors,
                    env={**os.environ, **_ONE_THREAD},
                )
        self._read = 0
        self.code: int | None = None
        self.seconds = 0.0
        self._workers: list[psutil.Process] = []

    def look(self) -> None:
        """Read the events that are new."""
        with self.output.open("rb") as file:
            file.seek(self._read)
            lines = file.read().split(b"\n")
        self._read += sum(len(line) + 1 for line in lines[:-1])
        now = time.monotonic() - self.began
        for line in lines[:-1]:
            content = json.loads(line)
            self.events.append(Event(_phase(content), content, now))

    def running(self) -> bool:
        """Whether it has not ended."""
        if isinstance(self._process, subprocess.Popen):
            return self._process.poll() is None
        return self._process.is_alive()

    def finish(self) -> int:
        """Wait for the end; returns the exit code."""
        while self.running():
            time.sleep(POLL_S)
            self.look()
        return self._end()

    def kill_at(self, phase: str, occurrence: int, delay: float) -> bool:
        """Kill it so many seconds after the n-th event of a phase; returns whether it still ran."""
        due: float | None = None
        while self.running():
            self.look()
            if due is None:
                of_phase = [event.seen for event in self.events if event.phase == phase]
                if len(of_phase) > occurrence:
                    due = of_phase[occurrence] + delay
            if due is not None and time.monotonic() - self.began >= due:
                self._workers = _begun_by(self._process.pid)
                # On Windows TerminateProcess, which is as sudden.
                self._process.kill()
                return self._end() != 0  # 0 if it has ended by itself meanwhile.
            time.sleep(POLL_S)
        self._end()
        return False

    def outlived_by(self) -> list[str]:
        """Processes that it began, when it was killed, and that did not end then."""
        _, left = psutil.wait_procs(self._workers, timeout=_DYING_S)
        return [f"process {process.pid}" for process in left]

    def told(self) -> str:
        """What went to standard error, and the error that was told as an event."""
        messages = [e.content["message"] for e in self.events if e.content.get("event") == "error"]
        return "\n".join([*messages, self.errors.read_text(encoding="utf-8", errors="replace")])

    def _end(self) -> int:
        if isinstance(self._process, subprocess.Popen):
            code = self._process.wait()
            assert self._process.stdin is not None
            self._process.stdin.close()
        else:
            self._process.join()
            code = self._process.exitcode
            self._process.close()
        self.look()
        self.code, self.seconds = code, time.monotonic() - self.began
        return code


def _begun_by(pid: int) -> list[psutil.Process]:
    """Processes below one."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _phase(content: dict[str, Any]) -> str:
    """What is being done, without counts."""
    if content["event"] == "done":
        return ENDING
    if content["event"] == "cluster":
        return WORKERS
    phase = content.get("message", "").split(",")[0]
    ended = content.get("done") == content.get("total") != 0
    return PUBLISHING if phase in _LAST and ended else phase


def get_ready() -> None:
    """Start what warm processes are copies of, which takes seconds."""
    process = _warm_context().Process(target=int)
    process.start()
    process.join()


@cache
def _warm_context() -> BaseContext:
    os.environ.update(_ONE_THREAD)
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    context.set_forkserver_preload(_IMPORTED)
    return context


def _run(arguments: Sequence[str], output: str, errors: str) -> None:
    """Be the command line."""
    # An input that never ends.
    sys.stdin = os.fdopen(os.pipe()[0])
    sys.stdout = Path(output).open("w", encoding="utf-8")  # noqa: SIM115  (open until the end)
    sys.stderr = Path(errors).open("w", encoding="utf-8")  # noqa: SIM115
    sys.argv = ["napari-kikuchi", *arguments]
    from napari_kikuchi.cli import main

    main()
