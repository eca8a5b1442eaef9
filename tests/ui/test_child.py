import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from qtpy.QtCore import QObject

from napari_kikuchi.ui.child import ChildJob, JobState

FAKE = Path(__file__).with_name("fake_child.py")


@pytest.fixture
def child(qtbot):
    """Make a job over the fake child that behaves as told."""
    jobs = []

    def make(behaviour, **options):
        job = ChildJob(command=(sys.executable, str(FAKE), behaviour), **options)
        job.seen = []
        job.reported.connect(job.seen.append)
        jobs.append(job)
        return job

    yield make
    for job in jobs:
        job.end()


def names(job):
    return [content["event"] for content in job.seen]


def test_a_job_tells_its_events_and_its_result(child, qtbot):
    job = child("works")
    states = []
    job.state_changed.connect(states.append)
    job.start(["train", "scan.up2"])
    qtbot.waitUntil(lambda: not job.active)
    assert states == ["running", "done"]
    assert names(job) == ["arguments", "progress", "done"]
    assert job.seen[0]["arguments"] == ["train", "scan.up2", "--events"]
    assert job.seen[1]["message"] == "half µm way"
    assert job.result == "maps.zarr"


def test_the_window_goes_first_where_both_want_the_processor(child, qtbot):
    job = child("waits")
    priorities = []
    job._process.started.connect(
        lambda: priorities.append(psutil.Process(job._process.processId()).nice())
    )
    job.start([])
    qtbot.waitUntil(lambda: bool(priorities))
    lower = psutil.BELOW_NORMAL_PRIORITY_CLASS if psutil.WINDOWS else 10
    assert priorities[0] >= lower
    job.stop()
    qtbot.waitUntil(lambda: not job.active)


@pytest.mark.skipif(psutil.WINDOWS, reason="priorities have no order there")
def test_a_child_of_a_napari_that_yields_more_yields_as_much(child, qtbot, monkeypatch):
    asked = []

    class Yielding(psutil.Process):
        def nice(self, value=None):
            return 15 if value is None else asked.append(value)

    monkeypatch.setattr(psutil, "Process", Yielding)
    job = child("works")
    job.start([])
    qtbot.waitUntil(lambda: not job.active)
    assert asked == [15]


def test_an_error_of_the_child_arrives_as_its_message(child, qtbot):
    job = child("refuses")
    job.start([])
    qtbot.waitUntil(lambda: not job.active)
    assert job.state is JobState.FAILED
    assert job.message == "scan.up2: expected 100 bytes, found 90"


def test_a_crash_tells_the_last_words_of_the_child(child, qtbot):
    job = child("crashes")
    job.start([])
    qtbot.waitUntil(lambda: not job.active)
    assert job.state is JobState.FAILED
    assert "MemoryError: no room" in job.message
    assert "code 1" in job.message


def test_a_program_that_is_not_there_is_a_failure_that_names_it(qtbot, tmp_path):
    job = ChildJob(command=(str(tmp_path / "no-python"),))
    job.start([])
    qtbot.waitUntil(lambda: not job.active)
    assert job.state is JobState.FAILED
    assert "no-python" in job.message


def test_stopping_lets_the_child_finish_in_order(child, qtbot):
    job = child("waits")
    job.start([])
    qtbot.waitUntil(lambda: "progress" in names(job))
    job.stop()
    assert job.state is JobState.STOPPING
    qtbot.waitUntil(lambda: not job.active)
    assert job.state is JobState.STOPPED
    assert names(job)[-1] == "stopped"


def test_a_child_that_ignores_the_request_is_ended(child, qtbot):
    job = child("ignores", grace_ms=200)
    job.start([])
    qtbot.waitUntil(lambda: "progress" in names(job))
    job.stop()
    qtbot.waitUntil(lambda: not job.active)
    assert job.state is JobState.STOPPED


def test_a_job_stops_when_its_owner_is_destroyed(child, qtbot):
    owner = QObject()
    job = child("waits", owner=owner)
    job.start([])
    qtbot.waitUntil(lambda: "progress" in names(job))
    owner.deleteLater()
    qtbot.waitUntil(lambda: not job.active)
    assert names(job)[-1] == "stopped"


def test_quitting_waits_until_the_child_has_stopped(child, qtbot):
    job = child("waits")
    job.start([])
    qtbot.waitUntil(lambda: "progress" in names(job))
    job.end()
    assert job.state is JobState.STOPPED
    assert names(job)[-1] == "stopped"


def test_a_script_that_ends_without_an_event_loop_stops_its_job(tmp_path):
    kept = tmp_path / "kept"
    script = f"""
from napari_kikuchi.ui.child import ChildJob
from qtpy.QtCore import QCoreApplication
app = QCoreApplication([])
job = ChildJob(command=({sys.executable!r}, {str(FAKE)!r}, "waits"))
job.start(["--kept", {str(kept)!r}])
job._process.waitForReadyRead()
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
    assert kept.read_text() == "all that was finished"


def test_a_job_can_be_started_again_but_not_twice_at_once(child, qtbot):
    job = child("waits")
    job.start([])
    with pytest.raises(RuntimeError, match="already"):
        job.start([])
    job.end()
    job.start([])
    assert job.state is JobState.RUNNING
