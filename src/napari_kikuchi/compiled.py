"""A place for compiled functions that no other process fills at the same time.

numba keeps what it has compiled in files, and crashes where two processes write them at once: the
half of one does not fit the half of the other. Whoever may run beside its like takes one of several
places, and keeps it for as long as it lives.
"""

from __future__ import annotations

import os
from itertools import count

_VARIABLE = "NUMBA_CACHE_DIR"
# Held until the process ends.
_held: list[object] = []


def own_compilation_cache() -> None:
    """Let numba, not imported yet, keep what this process compiles where no other writes.

    The places are used again: what the first process of all has compiled, the next one finds. A
    folder that the environment names already stays the one that is used; and where this user may
    keep nothing, numba does as it always does.
    """
    from filelock import FileLock, Timeout
    from platformdirs import user_cache_path

    if _VARIABLE in os.environ:
        return
    folder = user_cache_path("napari-kikuchi") / "compiled"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    for number in count():
        lock = FileLock(folder / f"{number}.lock", timeout=0, is_singleton=False)
        try:
            lock.acquire()
        except Timeout:
            continue
        _held.append(lock)
        os.environ[_VARIABLE] = str(folder / str(number))
        return
