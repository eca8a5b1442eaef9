"""Patterns that a file does not give: left out, counted and told."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.jobs import JobWarning
from napari_kikuchi.scan import Scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Patterns read at a time, and preprocessed: enough to keep the arithmetic busy, little memory.
_BATCH = 64
# Runs that are noted: of a drive with bad places everywhere, more say nothing more.
_MOST_RUNS = 10_000
# Places that are told one by one.
_MOST_PLACES = 10
REMEDY = "Copy the scan anew if there is a whole one."


class UnreadableScanError(OSError):
    """A scan whose file is there, but gives none of the patterns that are asked for."""


class PatternReading:
    """Reads patterns, some at a time, without those that the file does not give.

    Iterating gives the patterns, of shape (n, height, width), in the order of their positions.

    Parameters
    ----------
    scan
        To read from.
    positions
        Row and column of each pattern, of shape (n, 2).

    Attributes
    ----------
    done
        At how many positions reading was tried so far.
    readable
        At which of them a pattern could be read, of shape (n,).
    """

    def __init__(self, scan: Scan, positions: NDArray[np.integer]) -> None:
        self._scan = scan
        self._positions = positions
        self.done = 0
        self.readable = np.zeros(len(positions), bool)

    def __iter__(self) -> Iterator[NDArray]:
        for start in range(0, len(self._positions), _BATCH):
            part = slice(start, start + _BATCH)
            patterns, readable = self._scan.read_readable(self._positions[part])
            self.readable[part] = readable
            self.done += len(readable)
            yield patterns if readable.all() else patterns[readable]

    @property
    def unreadable(self) -> NDArray[np.integer]:
        """Rows and columns of the patterns that could not be read so far, of shape (n, 2)."""
        return self._positions[: self.done][~self.readable[: self.done]]

    def check(self) -> None:
        """Check that there was something to read.

        Raises
        ------
        UnreadableScanError
            If no pattern could be read.
        """
        _check(self._scan, self.readable)

    def warn(self, purpose: str) -> None:
        """Tell what was left out, if anything was.

        Parameters
        ----------
        purpose
            Of what it was left out.
        """
        record = unreadable_record(self.unreadable).get("unreadable")
        if record is not None:
            warnings.warn(
                f"{self._scan.name}: {record['count']:,} of {self.done:,} patterns could not be "
                f"read and are left out of {purpose}: {told_places(record['runs'])}. {REMEDY}",
                JobWarning,
                stacklevel=3,
            )


def read_patterns(scan: Scan, positions: NDArray[np.integer]) -> NDArray:
    """The patterns at some positions (n, 2), as far as the file gives them.

    Raises
    ------
    UnreadableScanError
        If it gives none.
    """
    patterns, readable = scan.read_readable(positions)
    _check(scan, readable)
    return patterns if readable.all() else patterns[readable]


def unreadable_record(positions: NDArray[np.integer]) -> dict[str, Any]:
    """Which patterns could not be read, fit for JSON; empty if all could.

    Parameters
    ----------
    positions
        Rows and columns, of shape (n, 2).

    Returns
    -------
    dict
        Under ``"unreadable"`` their number and, as ``"runs"``, row, first and last column of the
        first 10,000 of those that lie side by side.
    """
    if not len(positions):
        return {}
    ordered = positions[np.lexsort((positions[:, 1], positions[:, 0]))]
    ends = np.flatnonzero((np.diff(ordered, axis=0) != (0, 1)).any(axis=1)) + 1
    runs = [[*map(int, run[0]), int(run[-1, 1])] for run in np.split(ordered, ends)[:_MOST_RUNS]]
    return {"unreadable": {"count": len(positions), "runs": runs}}


def told_places(runs: Sequence[Sequence[int]]) -> str:
    """Where patterns lie, in words: the first of the ``"runs"`` of :func:`unreadable_record`."""
    places = [
        f"row {row}, column{f's {first} to {last}' if last > first else f' {first}'}"
        for row, first, last in runs[:_MOST_PLACES]
    ]
    more = f" and {len(runs) - _MOST_PLACES:,} places more" if len(runs) > _MOST_PLACES else ""
    return f"{'; '.join(places)}{more}"


def _check(scan: Scan, readable: NDArray[np.bool_]) -> None:
    if not readable.any():
        raise UnreadableScanError(
            f"{scan.path or scan.name}: none of {len(readable):,} patterns could be read. Check "
            f"the drive that it lies on. {REMEDY}"
        )
