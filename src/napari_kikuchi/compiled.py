"""A place for compiled functions that no other process fills at the same time.

numba keeps what it has compiled in files, and crashes where two processes write them at once: the
half of one does not fit the half of the other, now and ever after. Whoever may run beside its like
takes one of several places, and keeps it for as long as it lives.
"""

from __future__ import annotations

import os
import sys
from itertools import count
from pathlib import Path

# Names the place that a process has taken for itself; its children see it.
TAKEN = "NAPARI_KIKUCHI_COMPILED"
_GIVEN = "NUMBA_CACHE_DIR"
# Not by the variable above: PyEBSDIndex sets that one to a place which all processes share. What
# lies in no file is kept as numba always does.
_LOCATORS = {
    "NUMBA_CACHE_LOCATOR_CLASSES": "napari_kikuchi.compiled_place.OwnPlace,InTreeCacheLocator,"
    "UserWideCacheLocator,IPythonCacheLocator,ZipCacheLocator"
}
# By process, for a copy of a process has none: held until it ends.
_held: dict[int, object] = {}


def own_compilation_cache(folder: Path | None = None) -> None:
    """Let numba keep what this process compiles from now on where no other writes.

    The places are used again: what the first process of all has compiled, the next one finds. A
    place that the environment names for all processes stays the one that is used; and where this
    user may keep nothing, numba does as it always does.

    Parameters
    ----------
    folder
        Of the places; None: that of the process that began this one, or the user's cache.
    """
    from filelock import FileLock, Timeout
    from platformdirs import user_cache_path

    taken = os.environ.get(TAKEN)
    if os.getpid() in _held or (taken is None and _GIVEN in os.environ):
        return
    if folder is None:
        folder = Path(taken).parent if taken else user_cache_path("napari-kikuchi") / "compiled"
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
        except OSError:
            return
        _held[os.getpid()] = lock
        os.environ.update(_LOCATORS, **{TAKEN: str(folder / str(number))})
        if "numba" in sys.modules:  # napari has imported it, and it has looked already
            from numba.core.config import reload_config

            reload_config()
        return
