import threading
import time
import warnings

import pytest
from napari.utils.notifications import notification_manager

from napari_kikuchi.jobs import JobWarning, Progress
from napari_kikuchi.ui.work import run_live, start


def counting(to):
    for i in range(to):
        yield Progress(i + 1, to)
    return "counted"


def failing():
    yield Progress(0, 1)
    raise RuntimeError("disk full")


def test_updates_and_result_arrive_in_the_thread_of_the_window(qtbot):
    seen, threads = [], set()

    def note(what):
        seen.append(what)
        threads.add(threading.current_thread())

    work = start(counting(3), done=note, progressed=note)
    qtbot.waitUntil(lambda: not work.active and len(seen) == 4)
    assert seen == [Progress(1, 3), Progress(2, 3), Progress(3, 3), "counted"]
    assert threads == {threading.main_thread()}


def test_a_failure_is_handed_on(qtbot):
    errors = []
    start(failing(), failed=errors.append)
    qtbot.waitUntil(lambda: bool(errors))
    assert str(errors[0]) == "disk full"


def test_a_failure_that_nobody_handles_is_told(qtbot, monkeypatch):
    told = []
    monkeypatch.setattr("napari_kikuchi.ui.messages.show_error", told.append)
    start(failing())
    qtbot.waitUntil(lambda: told == ["disk full"])


def test_what_is_on_its_way_when_a_job_is_cancelled_does_not_arrive(qtbot):
    seen = []
    work = start(counting(3), done=seen.append, progressed=seen.append)
    while work._thread.is_alive():  # and the window hears of nothing meanwhile
        time.sleep(0.001)
    work.cancel()
    qtbot.wait(50)
    assert seen == []


def test_a_cancelled_job_is_closed_and_says_nothing_more(qtbot):
    closed = threading.Event()
    going = threading.Event()
    seen = []

    def endless():
        try:
            while True:
                going.set()
                yield Progress(0, 0)
        finally:
            closed.set()

    work = start(endless(), done=seen.append, failed=seen.append)
    assert going.wait(5)
    work.cancel()
    assert closed.wait(5)
    qtbot.waitUntil(lambda: not work.active)
    assert seen == []


def test_a_job_ends_with_its_owner(qtbot):
    from qtpy.QtCore import QObject

    closed = threading.Event()

    def endless():
        try:
            while True:
                yield Progress(0, 0)
        finally:
            closed.set()

    owner = QObject()
    start(endless(), owner)
    owner.deleteLater()
    qtbot.waitUntil(closed.is_set)


def test_the_window_lives_while_a_result_is_waited_for(qtbot):
    from qtpy.QtCore import QTimer

    handled = threading.Event()

    def waiting():
        yield Progress(0, 0)
        # Only a living event loop sets it.
        assert handled.wait(5)
        return "result"

    QTimer.singleShot(0, handled.set)
    assert run_live(waiting(), "Waiting") == "result"
    with pytest.raises(RuntimeError, match="disk full"):
        run_live(failing(), "Failing")


@pytest.mark.filterwarnings("always::napari_kikuchi.jobs.JobWarning")
def test_what_a_job_warns_of_is_a_notification(qtbot):
    def job():
        yield Progress(1, 2)
        warnings.warn("weld: 2 patterns could not be read", JobWarning, stacklevel=1)
        return "done"

    results = []
    with notification_manager:
        start(job(), done=results.append)
        qtbot.waitUntil(lambda: results == ["done"])
    assert "2 patterns could not be read" in notification_manager.records[-1].message
