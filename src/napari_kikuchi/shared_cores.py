"""Threads of ours share the cores with those that numerical libraries begin for each of them."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, TypeVar

from napari_kikuchi.jobs import Job, Progress, Result

Item = TypeVar("Item")


def in_threads(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    told: Callable[[int], Progress],
    *,
    name: str,
    workers: int | None = None,
) -> Job[list[Result]]:
    """Call a function with each of some items, as many at a time as there are cores.

    Closing the job waits for the calls that run, and drops those that have not begun; so does an
    error of one of them.

    Parameters
    ----------
    function
        To be called, in other threads.
    items
        With what, each by itself.
    told
        The update when the first so many items are done.
    name
        Of the threads.
    workers
        How many threads; None: as many as this machine has cores.

    Yields
    ------
    Progress
        Before the result of each item is there.

    Returns
    -------
    list
        Results, in the order of the items.
    """
    with core_threads(name, workers) as threads:
        running = [threads.submit(function, item) for item in items]
        found = []
        try:
            for done, future in enumerate(running):
                yield told(done)
                found.append(future.result())
        finally:
            for future in running:
                future.cancel()
    return found


@contextmanager
def core_threads(name: str, workers: int | None = None) -> Iterator[Executor]:
    """Threads that have their share of the cores each; libraries would take them all for each.

    Parameters
    ----------
    name
        Of the threads.
    workers
        How many; None: as many as this machine has cores.

    Yields
    ------
    concurrent.futures.Executor
        Runs what is given to it in these threads.
    """
    workers = workers or os.cpu_count() or 1
    torch = _torch()
    share = max(1, (os.cpu_count() or 1) // workers)
    before = torch.get_num_threads() if torch else share

    def limit() -> None:
        if torch:
            torch.set_num_threads(min(share, before))

    with _limits.shared(share), ThreadPoolExecutor(workers, name, limit) as threads:
        yield threads


def one_thread() -> AbstractContextManager[None]:
    """For matrices so small that threads that share them cost more than they give."""
    return _limits.shared(1)


def _torch() -> Any:
    """torch, if it is imported: a function that runs it has done so."""
    return sys.modules.get("torch")


class _Limits:
    """Limits the threads of numerical libraries while any job runs.

    The libraries know one limit for the whole process: the first job to begin sets it, the last to
    end takes it back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._restore = ExitStack()

    @contextmanager
    def shared(self, threads: int) -> Iterator[None]:
        from threadpoolctl import threadpool_limits

        with self._lock:
            if not self._users:
                if torch := _torch():
                    # What one thread is told, those that begin later take over.
                    self._restore.callback(torch.set_num_threads, torch.get_num_threads())
                self._restore.enter_context(threadpool_limits(threads))
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    self._restore.close()


_limits = _Limits()
