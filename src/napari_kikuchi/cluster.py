"""Workers of a dask cluster, for jobs that go through a scan block by block.

Needs the extra ``cluster``.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Set
from concurrent.futures import CancelledError, Executor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec

from distributed import Client, KilledWorker, LocalCluster, WorkerPlugin
from distributed.comm import CommClosedError

from napari_kikuchi import __version__
from napari_kikuchi.compiled import own_compilation_cache

#: In the place of a scheduler's address: begin workers on this machine.
LOCAL = "local"
# A scheduler that is there answers at once.
_PATIENCE_S = 10


class ClusterError(OSError):
    """A cluster that does not answer, or whose workers cannot do the work."""


@dataclass(frozen=True)
class Cluster:
    """What runs blocks elsewhere.

    Attributes
    ----------
    executor
        For :func:`~napari_kikuchi.streaming.map_scan`.
    workers
        How many blocks can be worked on at present; workers may come and go.
    dashboard
        Address of the page that shows what they do; None if there is none.
    """

    executor: Executor
    workers: Callable[[], int]
    dashboard: str | None


@contextmanager
def open_cluster(scheduler: str, workers: int | None = None) -> Iterator[Cluster]:
    """Reach a cluster, or begin one on this machine.

    Parameters
    ----------
    scheduler
        Address of a scheduler, such as ``tcp://node1:8786``, or :data:`LOCAL`.
    workers
        How many processes :data:`LOCAL` begins; None: one for each core.

    Raises
    ------
    ClusterError
        If no scheduler answers, a worker that is there or comes later has another version of this
        package or none, or the scheduler is lost meanwhile.
    """
    try:
        with _client(scheduler, workers) as client:
            workers_there = _Workers(client)
            workers_there()
            client.register_plugin(_OwnCache(), name="napari-kikuchi")
            # Written anew whenever it is asked for, though dask may remember the same call. Not
            # waited for at the end, when there may be nobody to finish what was asked for.
            yield Cluster(client.get_executor(pure=False), workers_there, _dashboard(client))
    except KilledWorker as error:
        raise ClusterError(
            f"{scheduler}: one worker after another ended over the same block ({error}). Do they "
            "have memory enough? What is finished is kept: do the same again."
        ) from error
    except (CancelledError, CommClosedError) as error:
        raise ClusterError(
            f"{scheduler}: the scheduler was lost ({str(error) or type(error).__name__}). What is "
            "finished is kept: do the same again when it is there."
        ) from error


class _OwnCache(WorkerPlugin):
    """Several workers begin to compile at the same moment."""

    def setup(self, worker: object) -> None:
        own_compilation_cache()


@contextmanager
def _client(scheduler: str, workers: int | None) -> Iterator[Client]:
    if scheduler != LOCAL:
        try:
            client = Client(scheduler, timeout=_PATIENCE_S)
        except (OSError, ValueError, TimeoutError) as error:
            raise ClusterError(
                f"{scheduler}: no dask scheduler answers there ({error}). Start one with "
                "dask scheduler, workers with dask worker ADDRESS, and give its address; or "
                f"--scheduler {LOCAL} for workers on this machine."
            ) from error
        with client:
            yield client
        return
    # Nobody but this machine need see it; a worker that is ended on purpose is no news.
    with (
        LocalCluster(
            n_workers=workers or os.cpu_count() or 1,
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0" if find_spec("bokeh") else None,
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


class _Workers:
    """How many there are at present. Those that have come are asked for their version first."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: set[str] = set()

    def __call__(self) -> int:
        threads = self._client.nthreads()
        if come := threads.keys() - self._known:
            self._check(come)
        return sum(threads.values())

    def _check(self, addresses: Set[str]) -> None:
        found = self._client.run(_version, workers=list(addresses), on_error="return")
        for address, told in found.items():
            if isinstance(told, OSError):
                continue  # gone again
            if told != __version__:
                has = f"cannot run it ({told})" if isinstance(told, Exception) else f"has {told}"
                raise ClusterError(
                    f"{address}: the job was started with napari-kikuchi {__version__}, but this "
                    f"worker {has}. Install the same version on all, so that the maps are of one "
                    "kind."
                )
            self._known.add(address)


def _version() -> str:
    return __version__


def _dashboard(client: Client) -> str | None:
    return client.dashboard_link if find_spec("bokeh") else None
