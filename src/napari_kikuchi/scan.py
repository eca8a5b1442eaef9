"""A scan: where diffraction patterns come from."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

if TYPE_CHECKING:
    import dask.array as da
    from numpy.typing import NDArray

# dask spends about 1.5 ms on one pattern of an array of fewer chunks than this, and six times as
# much with ten times the chunks; blocks of at least this size keep a disk busy.
MAX_CHUNKS = 9_000
BLOCK_BYTES = 32 * 2**20


class ScanLostError(OSError):
    """A scan whose file is out of reach, or has changed, since it was opened."""


class PatternSource(Protocol):
    """Random access to the patterns of one file; safe to use from several threads and to pickle."""

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Rows, columns, pattern height and pattern width."""
        ...

    @property
    def dtype(self) -> np.dtype:
        """Type of a pixel."""
        ...

    def read_run(self, row: int, start: int, stop: int) -> NDArray:
        """Patterns ``start`` to ``stop`` of one row, of shape (stop - start, height, width).

        Raises
        ------
        OSError
            If the file cannot give them.
        """
        ...


@dataclass(frozen=True)
class FileState:
    """What tells a file from what it was before somebody wrote to it.

    Attributes
    ----------
    size
        In bytes.
    modified
        When it was last changed, in nanoseconds.
    """

    size: int
    modified: int

    @classmethod
    def of(cls, path: Path) -> FileState:
        """As a file is now; opens it, for a folder may still name what is out of reach.

        Raises
        ------
        OSError
            If it cannot be opened.
        """
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
        return cls(found.st_size, found.st_mtime_ns)


@dataclass(frozen=True, eq=False)
class ArraySource:
    """Patterns that are in memory already.

    Attributes
    ----------
    array
        Of shape (rows, columns, height, width).

    Raises
    ------
    ValueError
        If the array is not 4-dimensional.
    """

    array: NDArray

    def __post_init__(self) -> None:
        if self.array.ndim != 4:
            raise ValueError(
                "patterns in memory need an array of shape (rows, columns, height, width), "
                f"not {self.array.shape}"
            )

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Rows, columns, pattern height and pattern width."""
        rows, cols, height, width = self.array.shape
        return rows, cols, height, width

    @property
    def dtype(self) -> np.dtype:
        """Type of a pixel."""
        return self.array.dtype

    def read_run(self, row: int, start: int, stop: int) -> NDArray:
        """Patterns ``start`` to ``stop`` of one row, of shape (stop - start, height, width)."""
        return self.array[row, start:stop]


@dataclass(frozen=True)
class Block:
    """A rectangle of scan positions."""

    rows: slice
    cols: slice

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the block."""
        return self.rows.stop - self.rows.start, self.cols.stop - self.cols.start


@dataclass(frozen=True, eq=False)
class Scan:
    """Diffraction patterns on the positions of a scan, read when they are asked for.

    Attributes
    ----------
    source
        Reads the patterns.
    step
        Distance between rows and between columns, in µm.
    name
        What a person calls the scan.
    path
        File that was opened; None for a scan that lives in memory.
    options
        Arguments of :func:`napari_kikuchi.open_scan` beside the path, to open the scan again.
    grid
        ``"square"``, or ``"hexagonal"``: every second row lies half a step to the right.
    present
        Which positions have a pattern, of shape (rows, columns); None if all have. A hexagonal
        grid with shorter odd rows and a scan stopped early lack some.
    state
        Of the file when it was opened; None for a scan that lives in memory.
    """

    source: PatternSource
    step: tuple[float, float] = (1.0, 1.0)
    name: str = "scan"
    path: Path | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    grid: Literal["square", "hexagonal"] = "square"
    present: NDArray[np.bool_] | None = None
    state: FileState | None = None

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Rows, columns, pattern height and pattern width."""
        return self.source.shape

    @property
    def map_shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.shape[:2]

    @property
    def pattern_shape(self) -> tuple[int, int]:
        """Height and width of a pattern in pixels."""
        return self.shape[2:]

    @property
    def dtype(self) -> np.dtype:
        """Type of a pixel."""
        return np.dtype(self.source.dtype)

    @property
    def pattern_bytes(self) -> int:
        """Size of one pattern in bytes."""
        height, width = self.pattern_shape
        return height * width * self.dtype.itemsize

    @property
    def count(self) -> int:
        """Number of positions that have a pattern."""
        rows, cols = self.map_shape
        return rows * cols if self.present is None else int(np.count_nonzero(self.present))

    @cached_property
    def patterns(self) -> da.Array:
        """All patterns, lazily, of shape (rows, columns, height, width)."""
        import dask.array as da

        return da.from_array(
            _SourceArray(self.source),
            chunks=(*self._chunk_positions(), *self.pattern_shape),
            asarray=False,
        )

    def read(self, row: int, col: int) -> NDArray:
        """One pattern, of shape (height, width); zeros where the position has none.

        Raises
        ------
        IndexError
            If the position lies outside the scan.
        """
        return self.read_positions(np.array([[row, col]]))[0]

    def read_block(self, block: Block) -> NDArray:
        """The patterns of a rectangle, of shape (rows, columns, height, width)."""
        out = np.empty((*block.shape, *self.pattern_shape), self.dtype)
        for i, row in enumerate(range(block.rows.start, block.rows.stop)):
            out[i] = self.source.read_run(row, block.cols.start, block.cols.stop)
        return out

    def present_in(self, block: Block) -> NDArray[np.bool_]:
        """Which positions of a rectangle have a pattern, of its shape."""
        if self.present is None:
            return np.ones(block.shape, bool)
        return self.present[block.rows, block.cols]

    def read_present(self, block: Block) -> NDArray:
        """The patterns there are in a rectangle, row after row, of shape (n, height, width)."""
        patterns = self.read_block(block)
        present = self.present_in(block)
        if present.all():
            return patterns.reshape(-1, *self.pattern_shape)
        return patterns[present]

    def read_positions(self, positions: NDArray[np.integer]) -> NDArray:
        """The patterns at given positions, read in the order in which the file holds them.

        Parameters
        ----------
        positions
            Row and column of each pattern, of shape (n, 2).

        Returns
        -------
        numpy.ndarray
            Of shape (n, height, width), in the order of ``positions``; zeros where a position has
            no pattern.

        Raises
        ------
        IndexError
            If a position lies outside the scan.
        """
        positions = np.asarray(positions)
        inside = ((positions >= 0) & (positions < self.map_shape)).all(axis=1)
        if not inside.all():
            (row, col), (rows, cols) = positions[~inside][0], self.map_shape
            raise IndexError(
                f"{self.name}: position (row {row}, column {col}) lies outside the scan of "
                f"{rows} rows x {cols} columns"
            )
        out = np.empty((len(positions), *self.pattern_shape), self.dtype)
        order = np.lexsort((positions[:, 1], positions[:, 0]))
        rows, cols = positions[order].T
        # Those side by side are read as one.
        ends = np.flatnonzero((np.diff(rows) != 0) | (np.diff(cols) != 1)) + 1
        for run in np.split(order, ends):
            if len(run):
                row, start = map(int, positions[run[0]])
                out[run] = self.source.read_run(row, start, start + len(run))
        return out

    def read_readable(self, positions: NDArray[np.integer]) -> tuple[NDArray, NDArray[np.bool_]]:
        """The patterns at given positions, as far as the file gives them.

        Parameters
        ----------
        positions
            Row and column of each pattern, of shape (n, 2).

        Returns
        -------
        patterns, readable
            As :meth:`read_positions` gives them, zeros where that fails; and where it does not.

        Raises
        ------
        ScanLostError
            If the file is out of reach, or has changed since it was opened.
        """
        try:
            return self.read_positions(positions), np.ones(len(positions), bool)
        except OSError:
            self.check_unchanged()
        if len(positions) == 1:
            return np.zeros((1, *self.pattern_shape), self.dtype), np.zeros(1, bool)
        # Halves, and halves of these, until what cannot be read stands alone.
        middle = len(positions) // 2
        parts = [self.read_readable(half) for half in (positions[:middle], positions[middle:])]
        patterns, readable = (np.concatenate(pair) for pair in zip(*parts, strict=True))
        return patterns, readable

    def check_unchanged(self) -> None:
        """Check that the file is there as it was when it was opened.

        Raises
        ------
        ScanLostError
            If it is out of reach, or has changed.
        """
        if self.path is None or self.state is None:
            return
        try:
            found = FileState.of(self.path)
        except OSError as error:
            raise ScanLostError(
                f"{self.path}: is out of reach ({error.strerror}). Is its drive or server still "
                "connected? Do the same again when it is."
            ) from error
        if found != self.state:
            raise ScanLostError(
                f"{self.path}: was changed since it was opened (it had {self.state.size} bytes, "
                f"now {found.size}). Wait until nothing writes to it, then open it again."
            )

    def draw(self, n: int, seed: int = 0) -> NDArray[np.int64]:
        """Positions drawn at random, without repetition, among those that have a pattern.

        Parameters
        ----------
        n
            How many; all positions if the scan has fewer.
        seed
            The same seed draws the same positions.

        Returns
        -------
        numpy.ndarray
            Rows and columns in scan order, of shape (n, 2).
        """
        rows, cols = self.map_shape
        rng = np.random.default_rng(seed)
        if self.present is None:
            flat = rng.choice(rows * cols, size=min(n, rows * cols), replace=False)
        else:
            candidates = np.flatnonzero(self.present)
            flat = rng.choice(candidates, size=min(n, candidates.size), replace=False)
        return np.stack(np.unravel_index(np.sort(flat), (rows, cols)), axis=1)

    def blocks(self, max_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
        """Rectangles that cover the scan in file order, each of at most ``max_bytes``.

        A block is a run of whole rows where a row fits, otherwise a part of one row.
        """
        rows, cols = self.map_shape
        run = max(1, min(cols, max_bytes // self.pattern_bytes))
        band = max(1, max_bytes // (cols * self.pattern_bytes))
        for top in range(0, rows, band):
            for left in range(0, cols, run):
                yield Block(slice(top, min(top + band, rows)), slice(left, min(left + run, cols)))

    def fingerprint(self) -> dict[str, Any]:
        """What tells this scan from another: shape, type and checksums of a few patterns."""
        rows, cols = self.map_shape
        places = {(0, 0), (rows // 2, cols // 2), (rows - 1, 0)}
        patterns, _ = self.read_readable(np.array(sorted(places)))
        checksums = [zlib.crc32(pattern.tobytes()) for pattern in patterns]
        return {"shape": list(self.shape), "dtype": self.dtype.str, "crc32": checksums}

    def _chunk_positions(self) -> tuple[int, int]:
        """Rows and columns of a chunk: one row or a part of it, more where chunks get too many."""
        rows, cols = self.map_shape
        band = -(-rows // MAX_CHUNKS)
        chunks_per_row = max(1, MAX_CHUNKS // -(-rows // band))
        run = max(1, min(cols, BLOCK_BYTES // self.pattern_bytes))
        return band, max(run, -(-cols // chunks_per_row))


class _SourceArray:
    """What dask needs of an array, over a source; has no ``copy``, which dask would call."""

    ndim = 4

    def __init__(self, source: PatternSource) -> None:
        self._source = source
        self.shape = source.shape
        self.dtype = np.dtype(source.dtype)

    def __getitem__(self, index: Any) -> NDArray:
        index = index if isinstance(index, tuple) else (index,)
        row_index, col_index, *inner = index + (slice(None),) * (4 - len(index))
        rows, cols = (
            range(*part.indices(size)) if isinstance(part, slice) else [int(part)]
            for part, size in zip((row_index, col_index), self.shape[:2], strict=True)
        )
        out = np.empty((len(rows), len(cols), *self.shape[2:]), self.dtype)
        if len(cols):
            first, last = min(cols), max(cols)
            for i, row in enumerate(rows):
                run = self._source.read_run(row, first, last + 1)
                out[i] = run[[col - first for col in cols]]
        keep = tuple(
            slice(None) if isinstance(part, slice) else 0 for part in (row_index, col_index)
        )
        return out[(*keep, *inner)]

    def __dask_tokenize__(self) -> Any:
        from dask.base import normalize_token

        return normalize_token((type(self._source).__name__, self._source))
