"""What a long job writes: one job at a time, and clear words where there is no room for it."""

from __future__ import annotations

import errno
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_FULL = {errno.ENOSPC, errno.EDQUOT}


class OutputInUseError(OSError):
    """An output that another job is writing."""


class DiskFullError(OSError):
    """A disk that has no room for an output."""


@contextmanager
def sole_writer(path: Path | str) -> Iterator[None]:
    """Write an output that no other job writes at the same time.

    A lock lies beside the output while it is written, as ``<name>.lock``; the system takes it back
    from a process that ends, however it ends. It holds between machines that share a file system
    which knows locks; elsewhere a lock that another machine has left must be deleted by hand.

    Parameters
    ----------
    path
        File or folder that is written, there or not yet. Missing folders around it are made.

    Raises
    ------
    OutputInUseError
        If another job is writing it.
    DiskFullError
        If the disk fills up meanwhile.
    """
    from filelock import FileLock, SoftFileLock, Timeout

    path = Path(path).absolute()
    with full_disk_told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.with_name(f"{path.name}.lock")
        lock = FileLock(file, timeout=0, is_singleton=False, thread_local=False)
        try:
            lock.acquire()
        except Timeout:
            stale = f" If it runs no more, delete {file}." if isinstance(lock, SoftFileLock) else ""
            raise OutputInUseError(
                f"{path}: another job is writing this{_holder(file)}. Wait until it is done, stop "
                f"it, or write to another name.{stale}"
            ) from None
        try:
            # For the words above; where a lock keeps others from reading, they do without. Where a
            # file system knows no locks, the file itself is one, and says the same in its own way.
            if not isinstance(lock, SoftFileLock):
                with suppress(OSError):
                    file.write_text(f"process {os.getpid()} on {socket.gethostname()}", "utf-8")
            yield
        finally:
            # While it is held, so that it is nobody else's; Windows refuses that.
            removed = _removed(file)
            lock.release()
            if not removed:
                _removed(file)


@contextmanager
def full_disk_told(path: Path) -> Iterator[None]:
    """Say which output found the disk full, and what to do.

    Raises
    ------
    DiskFullError
        In the place of what the system raised.
    """
    try:
        yield
    except DiskFullError:
        raise
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise DiskFullError(
            f"{path}: the disk is full ({_free(path) / 1e6:,.0f} MB are free). What is finished is "
            "kept. Make room, then do the same again: it goes on from there."
        ) from error


def check_room(path: Path, needed: int) -> None:
    """Check that a disk has room, before any time is spent.

    Parameters
    ----------
    path
        Output, in a folder that exists.
    needed
        Its size in bytes.

    Raises
    ------
    DiskFullError
        If there is less.
    """
    free = _free(path)
    if needed > free:
        raise DiskFullError(
            f"{path}: needs {needed / 1e6:,.0f} MB, but {free / 1e6:,.0f} MB are free there. Make "
            "room, or write to another disk."
        )


def _free(path: Path) -> int:
    return shutil.disk_usage(path.parent).free


def _holder(file: Path) -> str:
    with suppress(OSError, ValueError):
        text = " ".join(file.read_text("utf-8").split())
        if text:
            return f" ({text})"
    return ""


def _removed(file: Path) -> bool:
    try:
        file.unlink()
    except OSError:
        return False
    return True
