"""The same maps and patterns by workers of a dask cluster, which may come and go."""

import os
import subprocess
import sys
import threading

import numpy as np
import psutil
import pytest
from distributed import LocalCluster

from napari_kikuchi import open_scan, streaming
from napari_kikuchi.cluster import LOCAL, ClusterError, open_cluster
from napari_kikuchi.io import Up2Writer
from napari_kikuchi.jobs import finish
from napari_kikuchi.latent.decode import random_scan, write_decoded
from napari_kikuchi.latent.encoder import load_encoder
from napari_kikuchi.latent.maps import encode_scan
from napari_kikuchi.samples import shipped_encoder

ROWS, COLS = 30, 20


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(streaming, "_BLOCK_PATTERNS", COLS)


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    path = tmp_path_factory.mktemp("scan") / "weld.up2"
    patterns = np.random.default_rng(0).integers(100, 4000, (ROWS, COLS, 60, 60))
    with Up2Writer(path, (ROWS, COLS), (60, 60)) as file:
        file.append(patterns.astype(np.uint16))
    return open_scan(path)


@pytest.fixture(scope="module")
def encoder():
    return load_encoder(shipped_encoder(), device="cpu")


@pytest.fixture(scope="module")
def by_one_process(scan, encoder, tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "maps.zarr"
    return finish(encode_scan(scan, encoder, path)).values[:]


@pytest.fixture(scope="module")
def decoded_by_one_process(encoder, tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "patterns.up2"
    return finish(write_decoded(path, random_scan(encoder, (ROWS, COLS)))).read_bytes()


@pytest.fixture
def where():
    """Two workers, as jobs are told of them."""
    with open_cluster(LOCAL, workers=2) as cluster:
        assert cluster.workers() == 2
        assert cluster.dashboard.startswith("http://127.0.0.1:")
        yield {"executor": cluster.executor, "workers": cluster.workers}


def test_two_workers_write_the_same_maps_though_one_is_killed(
    scan, encoder, by_one_process, tmp_path, where
):
    job = encode_scan(scan, encoder, tmp_path / "maps.zarr", **where)
    stack = _with_one_killed(job, "Encoding patterns")
    np.testing.assert_array_equal(stack.values[:], by_one_process)
    assert [path.name for path in tmp_path.iterdir()] == ["maps.zarr"]


def test_two_workers_write_the_same_patterns_though_one_is_killed(
    encoder, decoded_by_one_process, tmp_path, where
):
    job = write_decoded(tmp_path / "patterns.up2", random_scan(encoder, (ROWS, COLS)), **where)
    path = _with_one_killed(job, "Decoding patterns")
    assert path.read_bytes() == decoded_by_one_process
    assert [path.name for path in tmp_path.iterdir()] == ["patterns.up2"]


def test_what_workers_began_threads_go_on_with(encoder, decoded_by_one_process, tmp_path, where):
    scan = random_scan(encoder, (ROWS, COLS))
    job = write_decoded(tmp_path / "patterns.up2", scan, **where)
    while not next(job).done:
        pass
    job.close()
    # As after a kill: what the workers have read lies there.
    assert (tmp_path / "patterns.up2.partial" / "model.safetensors").exists()
    seen = []
    path = finish(write_decoded(tmp_path / "patterns.up2", scan), seen.append)
    assert seen[0].done >= COLS
    assert path.read_bytes() == decoded_by_one_process
    assert [path.name for path in tmp_path.iterdir()] == ["patterns.up2"]


def _with_one_killed(job, message):
    """The result of a job, of whose workers one is killed when something is done."""
    killed = None
    for update in (progress := _told(job)):
        if killed is None and update.message == message and 0 < update.done < update.total:
            killed = _a_worker()
            killed.kill()
    assert killed is not None
    assert not killed.is_running() or killed.status() == psutil.STATUS_ZOMBIE
    return progress.result


class _told:
    """Updates of a job, then its result."""

    def __init__(self, job):
        self.job = job

    def __iter__(self):
        self.result = yield from self.job


def _a_worker():
    """One of the processes that work: the deepest ones of this process."""
    workers = [
        child
        for child in psutil.Process().children(recursive=True)
        if not child.children() and "spawn_main" in " ".join(child.cmdline())
    ]
    assert len(workers) >= 2
    return workers[0]


def test_where_no_scheduler_answers_it_is_said(monkeypatch):
    monkeypatch.setattr("napari_kikuchi.cluster._PATIENCE_S", 0.5)
    with (
        pytest.raises(ClusterError, match=r"tcp://127.0.0.1:9: no dask scheduler answers there"),
        open_cluster("tcp://127.0.0.1:9"),
    ):
        pass


def test_workers_of_another_version_are_refused(monkeypatch):
    monkeypatch.setattr("napari_kikuchi.cluster.__version__", "0.0.0 of the day after")
    with (
        pytest.raises(
            ClusterError, match=r"with napari-kikuchi 0.0.0 of the day after, but .* has \d"
        ),
        open_cluster(LOCAL, workers=1),
    ):
        pass


@pytest.fixture
def nobody_yet():
    """A scheduler whose workers come later."""
    with LocalCluster(n_workers=0, threads_per_worker=1, dashboard_address=None) as cluster:
        yield cluster


def test_workers_of_another_version_that_come_later_are_refused(nobody_yet, monkeypatch):
    with open_cluster(nobody_yet.scheduler_address) as cluster:
        assert cluster.workers() == 0
        monkeypatch.setattr("napari_kikuchi.cluster.__version__", "0.0.0 of the day after")
        nobody_yet.scale(1)
        nobody_yet.wait_for_workers(1)
        with pytest.raises(ClusterError, match=r"0.0.0 of the day after, but this worker has \d"):
            cluster.workers()


def test_workers_that_lack_this_package_are_refused(nobody_yet, tmp_path):
    (tmp_path / "napari_kikuchi.py").write_text("raise ModuleNotFoundError('nothing here')")
    address = nobody_yet.scheduler_address
    command = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--no-nanny"]
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    with subprocess.Popen([*command, "--no-dashboard"], env=environment) as worker:
        nobody_yet.wait_for_workers(1)
        with (
            pytest.raises(ClusterError, match=r"cannot run it .*nothing here"),
            open_cluster(address),
        ):
            pass
        worker.terminate()


def test_a_job_is_stopped_though_nobody_is_there_to_finish_it(nobody_yet, scan, encoder, tmp_path):
    def stop():
        with open_cluster(nobody_yet.scheduler_address) as cluster:
            where = {"executor": cluster.executor, "workers": cluster.workers}
            job = encode_scan(scan, encoder, tmp_path / "maps.zarr", **where)
            for update in job:
                if update.message == "Encoding patterns":
                    asked.append(next(job).done)
                    job.close()

    asked = []
    stopping = threading.Thread(target=stop, daemon=True)
    stopping.start()
    stopping.join(60)
    assert not stopping.is_alive()
    assert asked == [0]
