"""Where the patterns of a scan lie in a file that stores one after another."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isqrt
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from napari_kikuchi.io.errors import PatternFileError, UnknownGridError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A hundred times the largest scan ever likely; beyond it a header is damaged.
MOST_POSITIONS = 10**9
# Of a scan that was stopped at once: the largest ever likely, and rows of one. Room is made for
# what is missing, too, so a damaged header may not ask for any number.
_MOST_MISSING, _MOST_ROWS_MISSING = 10**7, 10**6


@dataclass(frozen=True, eq=False)
class Layout:
    """Which of the stored patterns belong to which row.

    Attributes
    ----------
    cols
        Columns of the scan: the length of its longest row.
    starts
        Number, in the file, of the first pattern of each row, of shape (rows,).
    counts
        Patterns of each row, of shape (rows,); they fill its first columns.
    """

    cols: int
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]

    @classmethod
    def of_rows(cls, lengths: Sequence[int] | NDArray[np.int64]) -> Layout:
        """Rows of given lengths, one after another."""
        counts = np.asarray(lengths, np.int64)
        starts = np.cumsum(counts) - counts
        return cls(int(counts.max(initial=0)), starts, counts)

    @classmethod
    def regular(cls, rows: int, cols: int) -> Layout:
        """Rows of one length."""
        return cls.of_rows(np.full(rows, cols, np.int64))

    @classmethod
    def alternating(cls, rows: int, odd: int, even: int) -> Layout:
        """Rows of two lengths in turn: ``odd`` for the first, third, ..., ``even`` for the rest."""
        return cls.of_rows(np.where(np.arange(rows) % 2 == 0, odd, even))

    @property
    def map_shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.counts), self.cols

    @property
    def count(self) -> int:
        """Number of patterns."""
        return int(self.counts.sum())

    @property
    def present(self) -> NDArray[np.bool_] | None:
        """Which positions have a pattern, of shape (rows, columns); None if all have."""
        if (self.counts == self.cols).all():
            return None
        return np.arange(self.cols) < self.counts[:, None]

    def cut(self, count: int) -> Layout:
        """The same scan, of which only the first ``count`` patterns were stored."""
        counts = np.clip(count - self.starts, 0, self.counts)
        return Layout(self.cols, self.starts, counts)

    def __str__(self) -> str:
        rows, cols = self.map_shape
        if self.present is None:
            return f"{rows} rows x {cols} columns = {self.count} patterns"
        lengths = " and ".join(str(length) for length in dict.fromkeys(self.counts.tolist()))
        return f"{rows} rows of {lengths} columns in turn = {self.count} patterns"


@dataclass(frozen=True, eq=False)
class Candidate:
    """A layout that something says a file has.

    Attributes
    ----------
    origin
        What says so, for a person to read.
    layout
        Of the patterns.
    grid
        Of the positions on the sample.
    """

    origin: str
    layout: Layout
    grid: Literal["square", "hexagonal"] = "square"

    def __str__(self) -> str:
        return f"{self.layout} ({self.grid} grid, from {self.origin})"


def grid_candidates(
    stored: Stored, origin: str, rows: int, cols: int, hexagonal: bool = False
) -> Iterator[Candidate]:
    """Layouts that a grid of some rows and columns may have; none if it is empty.

    Raises
    ------
    PatternFileError
        As :func:`check_missing`.
    """
    if rows <= 0 or cols <= 0:
        return
    check_missing(stored, origin, rows, cols)
    yield Candidate(origin, Layout.regular(rows, cols), "hexagonal" if hexagonal else "square")
    if hexagonal and rows > 1:
        yield Candidate(origin, Layout.alternating(rows, cols, cols - 1), "hexagonal")


def check_missing(stored: Stored, origin: str, rows: int, cols: int) -> None:
    """Check, before room is made for a grid, that a scan which was stopped may have it.

    Raises
    ------
    PatternFileError
        If far more of its patterns are missing.
    """
    missing = rows * cols - stored.count
    if missing > _MOST_MISSING or rows - stored.count > _MOST_ROWS_MISSING:
        raise PatternFileError(
            f"{stored.path}: holds {stored.count} patterns, but {origin} gives {rows} rows x "
            f"{cols} columns, of which {missing} would be missing. That is no scan: the file is "
            "damaged or was not copied whole. Copy it again, or give its rows and columns as "
            "shape=(rows, columns) (--shape)."
        )


def known_step(*steps: tuple[float, float]) -> tuple[float, float]:
    """Step of the first that says it, 1 µm if none does; a line scan may say it one way only."""
    for step in steps:
        known = [length for length in step if math.isfinite(length) and length > 0]
        if known:
            step_y, step_x = (length if length in known else known[0] for length in step)
            return step_y, step_x
    return 1.0, 1.0


@dataclass(frozen=True)
class Stored:
    """How much a file holds.

    Attributes
    ----------
    path
        The file.
    size
        Of the file, in bytes.
    offset
        Where its first pattern begins, in bytes.
    pattern_bytes
        Size of one pattern, with what is stored before and after each.
    companion
        Which file beside it would say its grid; empty if none does.
    """

    path: Path
    size: int
    offset: int
    pattern_bytes: int
    companion: str = ""

    @property
    def count(self) -> int:
        """Number of whole patterns."""
        return max(0, self.size - self.offset) // self.pattern_bytes

    def bytes_of(self, count: int) -> int:
        """Size of the file if it held ``count`` patterns and nothing else."""
        return self.offset + count * self.pattern_bytes


def choose_layout(
    stored: Stored,
    candidates: Sequence[Candidate],
    *,
    extra_patterns: bool = False,
    allow_partial: bool = False,
) -> Candidate:
    """Choose the first candidate that accounts for every byte of a file.

    Parameters
    ----------
    stored
        What the file holds.
    candidates
        In the order in which they are believed.
    extra_patterns
        Whether the file says that it holds patterns beyond the scan; they are left out. Rows of a
        hexagonal grid are then taken to be of one length if there are patterns enough.
    allow_partial
        Whether to take the first candidate where none fits: positions without a whole pattern
        are missing from its layout, and what follows the last position is left out. Not where
        the rows of a hexagonal grid may have one length or two: patterns would lie in wrong places.

    Returns
    -------
    Candidate
        Its layout has no more patterns than the file.

    Raises
    ------
    PatternFileError
        If no candidate fits: the file is truncated or too long, or the lengths of its rows cannot
        be told.
    UnknownGridError
        If there is no candidate and more than one pattern.
    """
    if stored.count == 0:
        raise PatternFileError(
            f"{stored.path}: holds no pattern: one of {stored.pattern_bytes} bytes after a header "
            f"of {stored.offset} bytes needs {stored.bytes_of(1)} bytes, but the file has "
            f"{stored.size}. Was the acquisition started, and the file copied whole?"
        )
    for candidate in candidates:
        if stored.bytes_of(candidate.layout.count) == stored.size:
            return candidate
    if not candidates:
        if stored.count == 1:
            return Candidate("its only pattern", Layout.regular(1, 1))
        raise _unknown_grid(stored)
    best = candidates[0]
    fitting = [
        one for one in candidates if one.origin == best.origin and one.layout.count <= stored.count
    ]
    if extra_patterns and fitting:
        return fitting[0]
    if allow_partial:
        _check_row_lengths(stored, candidates)
        return Candidate(best.origin, best.layout.cut(stored.count), best.grid)
    raise _misfit(stored, candidates)


def _unknown_grid(stored: Stored) -> UnknownGridError:
    count = stored.count
    shapes = [(rows, count // rows) for rows in range(isqrt(count), 0, -1) if count % rows == 0]
    examples = " or ".join(f"shape={shape}" for shape in shapes[:2])
    otherwise = f", or put {stored.companion}, beside it" if stored.companion else " (--shape)"
    return UnknownGridError(
        f"{stored.path}: holds {count} patterns, but does not say on how many rows and columns "
        f"they were recorded. Give them, for instance {examples}{otherwise}.",
        count,
        shapes,
    )


def _check_row_lengths(stored: Stored, candidates: Sequence[Candidate]) -> None:
    """Check that whatever says most about the grid says how long its rows are."""
    best, *rivals = (one for one in candidates if one.origin == candidates[0].origin)
    counts = best.layout.cut(stored.count).counts
    for rival in rivals:
        if not np.array_equal(rival.layout.cut(stored.count).counts, counts):
            raise PatternFileError(
                f"{stored.path}: holds {stored.count} patterns of a hexagonal grid, expected "
                f"{best} or {rival}: the file does not tell which. "
                "Put the .ang file of the same name, with NCOLS_ODD and NCOLS_EVEN in its header, "
                "beside it."
            )


def _misfit(stored: Stored, candidates: Sequence[Candidate]) -> PatternFileError:
    best = candidates[0].layout
    expected = stored.bytes_of(best.count)
    difference = stored.size - expected
    tried = "; ".join(map(str, candidates))
    facts = (
        f"expected {expected} bytes ({best.count} patterns), found {stored.size} bytes "
        f"({stored.count} whole patterns). Tried: {tried}."
    )
    if difference < 0:
        return PatternFileError(
            f"{stored.path}: truncated, {-difference} bytes are missing: {facts} If the "
            "acquisition was stopped, open the file with allow_partial=True (--allow-partial): "
            "missing positions are then marked. Otherwise copy it again from its source."
        )
    return PatternFileError(
        f"{stored.path}: too long by {difference} bytes: {facts} If the scan has another shape, "
        "give it as shape=(rows, columns) (--shape); to leave out what follows its last position, "
        "open the file with allow_partial=True (--allow-partial)."
    )
