"""A child process that is asked: it answers, fails in plain words, and ends at once."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from napari_kikuchi.child_process import Child, ChildError
from napari_kikuchi.jobs import Progress, finish
from worker_of_child import Worker

AT_ONCE_S = 1.0


@pytest.fixture(autouse=True)
def worker_is_found(monkeypatch):
    path = [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path))


def progress(fraction):
    return Progress(int(100 * fraction), 100)


def ask(child, method, *arguments, report=None):
    return finish(child.ask(method, *arguments, progress=progress), report)


def gone(process_id, within=AT_ONCE_S):
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            # Nobody may have asked yet how one ended whose parent was killed.
            if psutil.Process(process_id).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.01)
    return False


def test_what_is_asked_is_answered_and_progress_is_told():
    values = np.random.default_rng(0).normal(size=(4_000, 300)).astype(np.float32)
    updates = []
    with Child(Worker, title="Test") as child:
        assert ask(child, "repeat", "µm", report=updates.append) == ("µm",)
        (same,) = ask(child, "repeat", values)
        process_id = ask(child, "process_id")
    np.testing.assert_array_equal(same, values)
    done = [update.done for update in updates]
    assert done == sorted(done)
    assert {25, 50, 75} <= set(done)
    assert process_id != os.getpid()
    assert gone(process_id)


@pytest.mark.parametrize("busy", ["sleep", "hold_the_interpreter"])
def test_a_child_that_is_busy_is_ended_at_once(busy):
    with Child(Worker, title="Test") as child:
        process_id = ask(child, "process_id")
        job = child.ask(busy, progress=progress)
        while next(job).done != 50:
            pass
        begin = time.monotonic()
    assert gone(process_id)
    assert time.monotonic() - begin < AT_ONCE_S


def test_while_the_child_is_busy_there_are_moments_at_which_to_cancel():
    with Child(Worker, title="Test") as child:
        ask(child, "process_id")
        job = child.ask("hold_the_interpreter", progress=progress)
        begin = time.monotonic()
        updates = [next(job) for _ in range(5)]
    assert time.monotonic() - begin < 5 * AT_ONCE_S
    assert updates[-1].done == 50


@pytest.mark.parametrize(
    ("method", "told"),
    [
        ("refuse", "Test failed: expected 3 dimensions, found 2"),
        ("want_memory", "Test failed: memory ran out. MemoryError"),
        ("die", r"Test failed: its process ended with code 7: no room in memory\. If memory"),
    ],
)
def test_what_the_child_cannot_do_is_told_in_plain_words(method, told):
    with Child(Worker, title="Test") as child, pytest.raises(ChildError, match=told):
        ask(child, method)


def test_the_trace_of_an_error_is_kept_for_a_report():
    with Child(Worker, title="Test") as child, pytest.raises(ChildError) as failure:
        ask(child, "refuse")
    assert "in refuse" in failure.value.__notes__[0]


def test_a_worker_that_cannot_be_made_is_told():
    with Child(Worker, False, title="Test") as child, pytest.raises(ChildError, match="missing"):
        ask(child, "repeat")


def test_a_child_does_not_outlive_a_parent_that_is_killed(tmp_path):
    told = tmp_path / "process"
    script = f"""
import pathlib, psutil
from worker_of_child import Worker
from napari_kikuchi.child_process import Child
from napari_kikuchi.jobs import Progress, finish
child = Child(Worker, title="Test")
told = lambda fraction: Progress(int(2 * fraction), 2)
process_id = finish(child.ask("process_id", progress=told))
job = child.ask("sleep", progress=told)
while not next(job).done:
    pass
pathlib.Path({str(told)!r}).write_text(str(process_id))
psutil.Process().kill()
"""
    subprocess.run([sys.executable, "-c", script], check=False, timeout=60)
    assert gone(int(told.read_text()), within=5)
