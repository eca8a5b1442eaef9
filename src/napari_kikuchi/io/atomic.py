"""Files and folders that are there whole or not at all."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Windows refuses to move or replace what another process has open, as a window that looks at a
# training does for a moment.
_ATTEMPTS = 20
_PAUSE_S = 0.05


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file beside its final name and give it that name only when it is complete.

    Parameters
    ----------
    path
        Final name; a file of that name stays as it is until the new one is complete, and for
        good if writing fails. Missing folders are made.

    Yields
    ------
    pathlib.Path
        Where to write.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    # What a crash left there, or a link that would lead what is written elsewhere.
    partial.unlink(missing_ok=True)
    try:
        yield partial
        # A file that has its name must be whole after a power cut, too.
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        move(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def move(source: Path, target: Path) -> None:
    """Rename a file, replacing an older one, or a folder, waiting a little for whoever reads it.

    Raises
    ------
    PermissionError
        If another process keeps one of the two open for longer than a moment.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            source.replace(target)
        except PermissionError:
            if attempt == _ATTEMPTS:
                raise
            time.sleep(_PAUSE_S)
        else:
            return
