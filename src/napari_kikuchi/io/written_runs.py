"""Runs of patterns that an unfinished file holds, noted beside it with their checksums."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from napari_kikuchi.io.atomic import replacing
from napari_kikuchi.io.journal import as_noted, check_same, note, notes
from napari_kikuchi.untrusted import integer, sequence

# Bytes read at a time, to be checked.
_AT_ONCE = 2**24


class WrittenRuns:
    """Tells how far a file of patterns has come that was begun before.

    What is noted is checked against the file before it is gone on with, so neither a crash nor a
    power cut leaves a hole.

    Parameters
    ----------
    journal
        Where to note; its first line says what the patterns depend on.
    identity
        That, fit for JSON.
    """

    def __init__(self, journal: Path, identity: Mapping[str, Any]) -> None:
        self.journal = journal
        self._identity = as_noted(identity)

    def begin(self) -> None:
        """Begin anew, when the file is there with its header and nothing else."""
        with replacing(self.journal) as partial:
            note(partial, self._identity)

    def count(self, file: IO[bytes], pattern_bytes: int) -> int:
        """How many patterns the file holds from its present position on, as noted.

        Raises
        ------
        ResumeError
            If the patterns that were begun are others.
        """
        begun, *runs = notes(self.journal) or [self._identity]
        check_same(self.journal, begun, self._identity, "patterns")
        # What was lost has been written again, and noted later.
        ends = dict(filter(None, map(_run, runs)))
        held = 0
        while held in ends:
            stop, checksum = ends[held]
            if _checksum(file, (stop - held) * pattern_bytes) != checksum:
                break
            held = stop
        return held

    def add(self, start: int, stop: int, written: memoryview) -> None:
        """Note the patterns ``start`` to ``stop``, when the file has them."""
        note(self.journal, [start, stop, zlib.crc32(written)])

    def forget(self) -> None:
        """Remove the notes, when the file is whole or given up."""
        self.journal.unlink(missing_ok=True)


def begins_with(path: Path, header: bytes) -> bool:
    """Whether there is a file that begins so."""
    try:
        with path.open("rb") as file:
            return file.read(len(header)) == header
    except FileNotFoundError:
        return False


def _checksum(file: IO[bytes], length: int) -> int:
    """Of so many bytes, or as many as there are."""
    checksum = 0
    while length > 0 and (part := file.read(min(length, _AT_ONCE))):
        checksum = zlib.crc32(part, checksum)
        length -= len(part)
    return checksum


def _run(noted: Any) -> tuple[int, tuple[int, int]] | None:
    """Start, stop and checksum of a run; None for what is no such note."""
    try:
        start, stop, checksum = (integer(value, "a note") for value in sequence(noted, "a note", 3))
    except ValueError:
        return None
    return (start, (stop, checksum)) if start < stop else None
