"""A scan: where diffraction patterns come from."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_kikuchi.calibration import Calibration
from napari_kikuchi.file_state import FileState
from napari_kikuchi.not_finite import finite_pixels
from napari_kikuchi.pattern_source import PatternSource, SourceArray

if TYPE_CHECKING:
    import dask.array as da
    from numpy.typing import NDArray

# dask spends about 1.5 ms on one pattern of an array of fewer chunks than this, and six times as
# much with ten times the chunks; blocks of at least this size keep a disk busy.
MAX_CHUNKS = 9_000
BLOCK_BYTES = 32 * 2**20


@dataclass(frozen=True)
class Block:
    """A rectangle of scan positions."""

    rows: slice
    cols: slice

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the block."""
        return self.rows.stop - self.rows.start, self.cols.stop - self.cols.start


def row_bands(map_shape: tuple[int, int], height: int) -> list[Block]:
    """Whole rows that cover a map of some shape from top to bottom, so many in each block."""
    rows, cols = map_shape
    return [
        Block(slice(top, min(top + height, rows)), slice(0, cols)) for top in range(0, rows, height)
    ]


def squares(map_shape: tuple[int, int], side: int) -> list[Block]:
    """Squares that cover a map of some shape; at its last row and column there are parts of one."""
    cols = map_shape[1]
    return [
        Block(band.rows, slice(left, min(left + side, cols)))
        for band in row_bands(map_shape, side)
        for left in range(0, cols, side)
    ]


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
    technique
        ``"EBSD"``: Kikuchi patterns; ``"4D-STEM"``: spots or discs around the direct beam.
    calibration
        Size of a pixel in the pattern, where the file of a 4D-STEM scan tells it.
    """

    source: PatternSource
    step: tuple[float, float] = (1.0, 1.0)
    name: str = "scan"
    path: Path | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    grid: Literal["square", "hexagonal"] = "square"
    present: NDArray[np.bool_] | None = None
    state: FileState | None = None
    technique: Literal["EBSD", "4D-STEM"] = "EBSD"
    calibration: Calibration | None = None

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
            SourceArray(self.source),
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
        for row, into in zip(range(block.rows.start, block.rows.stop), out, strict=True):
            self.source.read_run(row, block.cols.start, block.cols.stop, into)
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

    def read_positions(self, positions: NDArray[np.integer], out: NDArray | None = None) -> NDArray:
        """The patterns at given positions, read in the order in which the file holds them.

        Parameters
        ----------
        positions
            Row and column of each pattern, of shape (n, 2).
        out
            Where to put them, of shape (n, height, width) and of the type of a pixel, without gaps:
            memory that is used again costs nothing to be had. None: a new array.

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
        order = np.lexsort((positions[:, 1], positions[:, 0]))
        rows, cols = positions[order].T
        # Those side by side are read as one.
        ends = np.flatnonzero((np.diff(rows) != 0) | (np.diff(cols) != 1)) + 1
        if out is None:
            out = np.empty((len(positions), *self.pattern_shape), self.dtype)
        for run in filter(len, np.split(order, ends)):
            row, start = map(int, positions[run[0]])
            which = row, start, start + len(run)
            if (np.diff(run) == 1).all():  # straight into their places
                self.source.read_run(*which, out[run[0] : run[-1] + 1])
            else:
                out[run] = self.source.read_run(*which)
        return out

    def read_readable(
        self, positions: NDArray[np.integer], out: NDArray | None = None
    ) -> tuple[NDArray, NDArray[np.bool_]]:
        """The patterns at given positions, as far as the file gives them.

        Parameters
        ----------
        positions, out
            As for :meth:`read_positions`.

        Returns
        -------
        patterns, readable
            As :meth:`read_positions` gives them, zeros where that fails; and where it does not, and
            gives one pixel at least that is finite.

        Raises
        ------
        ScanLostError
            If the file is out of reach, or has changed since it was opened.
        """
        try:
            patterns = self.read_positions(positions, out)
            return patterns, np.any(finite_pixels(patterns), axis=(1, 2))
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
        if self.path is not None and self.state is not None:
            self.state.check(self.path)

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

    def __getstate__(self) -> dict[str, Any]:
        """What travels with each block to another process: as little as tells the scan."""
        state = {each.name: getattr(self, each.name) for each in fields(self)}
        if self.present is not None:
            # Rows of a few lengths: next to nothing once it is packed.
            state["present"] = zlib.compress(np.packbits(self.present).tobytes(), 1)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self.present is not None:
            packed = np.frombuffer(zlib.decompress(state["present"]), np.uint8)
            rows, cols = self.map_shape
            present = np.unpackbits(packed, count=rows * cols).astype(bool)
            self.__dict__["present"] = present.reshape(rows, cols)

    def _chunk_positions(self) -> tuple[int, int]:
        """Rows and columns of a chunk: one row or a part of it, more where chunks get too many."""
        rows, cols = self.map_shape
        band = -(-rows // MAX_CHUNKS)
        chunks_per_row = max(1, MAX_CHUNKS // -(-rows // band))
        run = max(1, min(cols, BLOCK_BYTES // self.pattern_bytes))
        return band, max(run, -(-cols // chunks_per_row))
