"""Calls in several threads: in order, and none begun that nobody waits for."""

import os
import threading
import time

import pytest
from threadpoolctl import threadpool_info

from napari_kikuchi.jobs import Progress, finish
from napari_kikuchi.shared_cores import in_threads


def told(done):
    return Progress(done, 5, "Calling")


def test_results_come_in_the_order_of_the_items_whichever_is_done_first():
    last = threading.Event()

    def square(number):
        if number == 4:
            last.set()
        else:
            assert last.wait(60)
        return number**2

    updates = []
    found = finish(in_threads(square, range(5), told, name="squares", workers=5), updates.append)
    assert found == [0, 1, 4, 9, 16]
    assert updates == [told(done) for done in range(5)]


def test_calls_run_in_as_many_threads_as_asked_for_with_a_share_of_the_cores_each():
    together = threading.Barrier(3, timeout=60)

    def look(_):
        together.wait()
        # OpenMP has a limit for each thread, which a library sets for itself, as torch does.
        blas = [one for one in threadpool_info() if one["user_api"] == "blas"]
        return threading.current_thread().name, {one["num_threads"] for one in blas}

    before = threadpool_info()
    found = finish(in_threads(look, range(3), told, name="looks", workers=3))
    assert len({thread for thread, _ in found}) == 3
    assert all(thread.startswith("looks") for thread, _ in found)
    # Of fewer cores than six each thread gets one.
    most = {max(1, (os.cpu_count() or 1) // 3)}
    assert all(limits <= most for _, limits in found)
    assert threadpool_info() == before


def test_nothing_is_called_of_no_items():
    assert list(in_threads(pytest.fail, [], told, name="none")) == []


def test_closing_waits_for_what_runs_and_drops_what_has_not_begun():
    begun, release = threading.Semaphore(0), threading.Event()
    called, ended = [], []

    def call(number):
        called.append(number)
        begun.release()
        assert release.wait(60)
        time.sleep(0.01)  # All of them would take seconds.
        ended.append(number)

    job = in_threads(call, range(1000), told, name="calls", workers=2)
    assert next(job) == told(0)
    for _ in range(2):
        assert begun.acquire(timeout=60)
    threading.Timer(0.1, release.set).start()
    job.close()
    assert sorted(ended) == sorted(called)
    assert len(called) < 1000


def test_an_error_passes_and_drops_what_has_not_begun():
    called = []

    def fail(number):
        called.append(number)
        time.sleep(0.01)
        raise OSError(f"no disk for {number}")

    with pytest.raises(OSError, match="no disk for 0"):
        finish(in_threads(fail, range(1000), told, name="fails", workers=1))
    assert len(called) < 1000
