"""Threads of ours share the cores with those that numerical libraries begin for each of them."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any


@contextmanager
def shared_cores(workers: int) -> Iterator[Callable[[], None]]:
    """Give each of our threads its share of the cores; libraries would take them all for each.

    Parameters
    ----------
    workers
        How many threads of ours there are.

    Yields
    ------
    callable
        To be called in each thread.
    """
    torch = _torch()
    share = max(1, (os.cpu_count() or 1) // workers)
    before = torch.get_num_threads() if torch else share

    def limit() -> None:
        if torch:
            torch.set_num_threads(min(share, before))

    with _limits.shared(share):
        yield limit


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
