import multiprocessing
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from napari_kikuchi import open_scan, streaming
from napari_kikuchi.io import Up2Writer
from napari_kikuchi.io.map_writer import MapWriter
from napari_kikuchi.jobs import finish
from napari_kikuchi.maps import Channel
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.scan import Scan
from napari_kikuchi.streaming import map_scan, piecewise

ROWS, COLS = 9, 7
PATTERNS = np.random.default_rng(0).integers(0, 4000, (ROWS, COLS, 6, 5)).astype(np.uint16)


def moments(patterns):
    """Two channels: mean and maximum of a pattern."""
    flat = patterns.reshape(len(patterns), -1)
    return np.stack([flat.mean(axis=1), flat.max(axis=1)], axis=1)


EXPECTED = moments(PATTERNS.reshape(-1, 6, 5)).T.reshape(2, ROWS, COLS).astype(np.float32)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Two rows, or parts of a row where a test says so."""
    monkeypatch.setattr(streaming, "_BLOCK_PATTERNS", 2 * COLS)


@pytest.fixture
def scan():
    return Scan(ArraySource(PATTERNS), name="weld")


@pytest.fixture
def writer(tmp_path):
    return MapWriter.open(tmp_path / "maps.zarr", EXPECTED.shape, {})


def maps_of(writer):
    return finish(writer.finish([Channel("mean"), Channel("maximum")])).values[:]


@pytest.mark.parametrize("block_patterns", [1, 3, 2 * COLS, 1000])
@pytest.mark.parametrize("workers", [None, 1, 3])
def test_every_pattern_lands_at_its_position(scan, writer, monkeypatch, block_patterns, workers):
    monkeypatch.setattr(streaming, "_BLOCK_PATTERNS", block_patterns)
    finish(map_scan(scan, piecewise(moments), writer, workers=workers))
    np.testing.assert_array_equal(maps_of(writer), EXPECTED)


def test_progress_counts_patterns_to_the_end(scan, writer):
    seen = []
    finish(map_scan(scan, piecewise(moments), writer, message="Looking"), seen.append)
    assert seen[0].done == 0
    assert [update.done for update in seen] == sorted(update.done for update in seen)
    assert (seen[-1].done, seen[-1].total, seen[-1].message) == (63, 63, "Looking")


def test_positions_without_a_pattern_become_nan_and_are_not_computed(writer):
    present = np.ones((ROWS, COLS), bool)
    present[3, 4:] = False
    present[4:] = False
    counted = []

    def count(patterns):
        counted.append(len(patterns))
        return moments(patterns)

    seen = []
    finish(
        map_scan(Scan(ArraySource(PATTERNS), present=present), piecewise(count), writer),
        seen.append,
    )
    np.testing.assert_array_equal(maps_of(writer), np.where(present, EXPECTED, np.nan))
    assert sum(counted) == present.sum()
    assert (seen[-1].done, seen[-1].total) == (present.sum(), present.sum())


def test_closing_keeps_what_is_done_and_the_next_run_goes_on_from_there(scan, tmp_path):
    first = MapWriter.open(tmp_path / "maps.zarr", EXPECTED.shape, {})
    job = map_scan(scan, piecewise(moments), first, workers=1)
    while next(job).done == 0:
        pass
    job.close()
    counted = []

    def count(patterns):
        counted.append(len(patterns))
        return moments(patterns)

    again = MapWriter.open(tmp_path / "maps.zarr", EXPECTED.shape, {})
    seen = []
    finish(map_scan(scan, piecewise(count), again), seen.append)
    assert seen[0].done > 0
    assert sum(counted) == 63 - seen[0].done
    np.testing.assert_array_equal(maps_of(again), EXPECTED)


def test_closing_waits_for_the_blocks_being_worked_on_and_starts_no_more(scan, writer):
    begun, release, ended = threading.Semaphore(0), threading.Event(), []

    def wait(patterns):
        begun.release()
        release.wait(30)
        ended.append(len(patterns))
        return moments(patterns)

    job = map_scan(scan, piecewise(wait), writer, workers=2)
    next(job)
    update = next(job)  # Comes although no block is done: a stop is heeded at any time.
    assert update.done == 0
    assert begun.acquire(timeout=30)
    assert begun.acquire(timeout=30)
    threading.Timer(0.1, release.set).start()
    job.close()
    assert ended == [2 * COLS] * 2
    blocks = list(scan.blocks(2 * COLS * scan.pattern_bytes))
    assert [writer.is_done(block) for block in blocks] == [True, True, False, False, False]


def test_an_error_says_where_it_happened(scan, writer):
    def fail(patterns):
        if (patterns == PATTERNS[4, 0]).all(axis=(1, 2)).any():
            raise ArithmeticError("no contrast")
        return moments(patterns)

    with pytest.raises(ArithmeticError, match="no contrast") as caught:
        finish(map_scan(scan, piecewise(fail), writer))
    assert caught.value.__notes__ == ["This happened in weld, rows 4 to 5, columns 0 to 6."]


def test_few_blocks_are_in_memory_whatever_the_size_of_the_scan(monkeypatch, tmp_path):
    monkeypatch.setattr(streaming, "_BLOCK_PATTERNS", 1)
    lock, alive, most = threading.Lock(), 0, 0

    def watch(patterns):
        nonlocal alive, most
        with lock:
            alive += 1
            most = max(most, alive)
        time.sleep(0.001)
        with lock:
            alive -= 1
        return patterns.reshape(len(patterns), -1)[:, :1]

    submitted = []

    class Counting(ThreadPoolExecutor):
        def submit(self, *arguments):
            future = super().submit(*arguments)
            submitted.append(future)
            assert sum(not one.done() for one in submitted) <= 6
            return future

    scan = Scan(ArraySource(np.zeros((40, 5, 2, 2), np.uint8)))
    writer = MapWriter.open(tmp_path / "maps.zarr", (1, 40, 5), {})
    with Counting(3) as pool:
        finish(map_scan(scan, piecewise(watch), writer, executor=pool, workers=3))
    assert len(submitted) == 200
    assert most <= 3


def test_torch_and_its_threads_are_as_before(scan, writer):
    import torch

    before = torch.get_num_threads()
    inside = []

    def look(patterns):
        inside.append(torch.get_num_threads())
        return moments(patterns)

    finish(map_scan(scan, piecewise(look), writer, workers=64))
    assert set(inside) == {1}
    assert torch.get_num_threads() == before
    with ThreadPoolExecutor(1) as later:
        assert later.submit(torch.get_num_threads).result() == before


def test_jobs_that_overlap_give_the_threads_back(scan, tmp_path):
    before = {pool["filepath"]: pool["num_threads"] for pool in threadpool_info()}
    jobs = []
    for name in ("first", "second"):
        writer = MapWriter.open(tmp_path / f"{name}.zarr", EXPECTED.shape, {})
        jobs.append(map_scan(scan, piecewise(moments), writer, workers=64))
        while next(jobs[-1]).done == 0:
            pass
    assert {pool["num_threads"] for pool in threadpool_info()} == {1}
    for job in jobs:
        job.close()
    assert {pool["filepath"]: pool["num_threads"] for pool in threadpool_info()} == before


@pytest.fixture
def scan_file(tmp_path):
    with Up2Writer(tmp_path / "weld.up2", (ROWS, COLS), (6, 5), step=(1.0, 1.0)) as file:
        file.append(PATTERNS.reshape(-1, 6, 5))
    return tmp_path / "weld.up2"


def test_other_processes_do_the_same(scan_file, writer):
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        finish(map_scan(open_scan(scan_file), piecewise(moments), writer, executor=pool, workers=2))
    np.testing.assert_array_equal(maps_of(writer), EXPECTED)


def test_a_dask_cluster_does_the_same(scan_file, writer):
    from distributed import Client

    with (
        Client(
            processes=False, n_workers=2, threads_per_worker=1, dashboard_address=":0"
        ) as client,
        client.get_executor(pure=False) as pool,
    ):
        job = map_scan(open_scan(scan_file), piecewise(moments), writer, executor=pool, workers=2)
        while next(job).done == 0:
            pass
        job.close()  # Neither hangs nor loses what is done.
        seen = []
        again = map_scan(open_scan(scan_file), piecewise(moments), writer, executor=pool, workers=2)
        finish(again, seen.append)
    assert seen[0].done > 0
    np.testing.assert_array_equal(maps_of(writer), EXPECTED)


def test_a_run_that_goes_on_tells_how_far_it_has_checked(scan, writer, tmp_path, monkeypatch):
    finish(map_scan(scan, piecewise(moments), writer))
    monkeypatch.setattr(streaming, "_HEARTBEAT_S", 0)
    again = MapWriter.open(tmp_path / "maps.zarr", EXPECTED.shape, {})
    seen = []
    finish(map_scan(scan, piecewise(moments), again), seen.append)
    assert [update.done for update in seen[:5]] == [0, 1, 2, 3, 4]
    assert {update.message for update in seen[:5]} == {"Checking what was done before"}
    assert (seen[-1].done, seen[-1].total) == (63, 63)
