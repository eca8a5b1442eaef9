"""Pattern sources: files that store one pattern after another, and views of other sources."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.io.errors import UnreadableError
from napari_kikuchi.io.layout import Layout
from napari_kikuchi.pattern_source import put

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.pattern_source import PatternSource


class FlatSource(ABC):
    """Patterns stored one after another; zeros where a position has none.

    Attributes
    ----------
    layout
        Which patterns belong to which row.
    pattern_shape
        Height and width of a pattern.
    dtype
        Type of a pixel, as stored.
    """

    layout: Layout
    pattern_shape: tuple[int, int]
    dtype: np.dtype

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Rows, columns, pattern height and pattern width."""
        return *self.layout.map_shape, *self.pattern_shape

    def read_run(self, row: int, start: int, stop: int, out: NDArray | None = None) -> NDArray:
        """Patterns ``start`` to ``stop`` of one row, of shape (stop - start, height, width)."""
        if out is None:
            out = np.empty((stop - start, *self.pattern_shape), self.dtype)
        stored = max(0, min(stop, int(self.layout.counts[row])) - start)
        out[stored:] = 0
        if stored:
            self._fill(out[:stored], int(self.layout.starts[row]) + start)
        return out

    @abstractmethod
    def _fill(self, out: NDArray, first: int) -> None:
        """Fill an array with the patterns that follow each other from number ``first`` on."""


@dataclass(frozen=True, eq=False)
class RawSource(FlatSource):
    """Uncompressed patterns in a plain file.

    The file is opened for each read. That costs some microseconds, needs no lock between threads,
    and leaves no handle behind that would keep Windows from moving the file. A memory map would
    let resident memory grow with all that was ever read.

    Attributes
    ----------
    path
        The file.
    offset
        Where the first pattern begins, in bytes.
    layout
        Which patterns belong to which row.
    pattern_shape
        Height and width of a pattern.
    dtype
        Type of a pixel, as stored.
    modified
        When the file was last changed, in nanoseconds: tells caches a file from its successor.
    """

    path: Path
    offset: int
    layout: Layout
    pattern_shape: tuple[int, int]
    dtype: np.dtype
    modified: int

    def _fill(self, out: NDArray, first: int) -> None:
        read_into(out, self.path, self.offset + first * out[0].nbytes)


def read_into(out: NDArray, path: Path, begin: int) -> None:
    """Fill an array without gaps with the bytes of a file.

    Parameters
    ----------
    out
        To be filled.
    path
        The file.
    begin
        The first byte.

    Raises
    ------
    UnreadableError
        If the file cannot be read, or ends too early.
    """
    rest = out.data.cast("B")
    try:
        with path.open("rb", buffering=0) as file:
            file.seek(begin)
            # One call reads 2 GiB at most.
            while rest and (got := file.readinto(rest)):
                rest = rest[got:]
    except OSError as error:
        raise UnreadableError(
            f"{path}: could not be read ({error}). Was it moved, or its drive "
            "disconnected, since it was opened?"
        ) from error
    if rest:
        end = begin + out.nbytes
        raise UnreadableError(
            f"{path}: ends at byte {end - len(rest)}, but patterns were expected up to "
            f"byte {end}: it has become shorter since it was opened. Open it again."
        )


class HDF5Source(FlatSource):
    """Patterns in one HDF5 dataset of shape (patterns, height, width).

    The file is kept open for its cache of decompressed chunks; h5py lets one thread in at a time.

    Parameters
    ----------
    path
        The file.
    dataset
        Name of the dataset in it.
    layout
        Which patterns belong to which row.
    """

    def __init__(self, path: Path, dataset: str, layout: Layout) -> None:
        import h5py

        self.path = path
        self.layout = layout
        self._dataset = h5py.File(path, mode="r")[dataset]
        self.pattern_shape = self._dataset.shape[1:]
        self.dtype = self._dataset.dtype

    def _fill(self, out: NDArray, first: int) -> None:
        self._dataset.read_direct(out, np.s_[first : first + len(out)])

    def __reduce__(self) -> tuple:
        return type(self), (self.path, self._dataset.name, self.layout)

    def __dask_tokenize__(self) -> Any:
        from dask.base import normalize_token

        return normalize_token((*self.__reduce__()[1], self.path.stat().st_mtime_ns))


@dataclass(frozen=True, eq=False)
class CroppedSource:
    """The central square of each pattern.

    Attributes
    ----------
    source
        Of the whole patterns.
    """

    source: PatternSource

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Rows, columns, pattern height and pattern width."""
        rows, cols, height, width = self.source.shape
        return rows, cols, min(height, width), min(height, width)

    @property
    def dtype(self) -> np.dtype:
        """Type of a pixel."""
        return self.source.dtype

    def read_run(self, row: int, start: int, stop: int, out: NDArray | None = None) -> NDArray:
        """Patterns ``start`` to ``stop`` of one row, of shape (stop - start, size, size)."""
        height, width = self.source.shape[2:]
        size = min(height, width)
        top, left = (height - size) // 2, (width - size) // 2
        patterns = self.source.read_run(row, start, stop)
        square = patterns[:, top : top + size, left : left + size]
        return put(np.ascontiguousarray(square) if out is None else square, out)


@dataclass(frozen=True, eq=False)
class FlippedSource:
    """Each pattern upside down.

    Attributes
    ----------
    source
        Of the patterns as recorded.
    """

    source: PatternSource

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Rows, columns, pattern height and pattern width."""
        return self.source.shape

    @property
    def dtype(self) -> np.dtype:
        """Type of a pixel."""
        return self.source.dtype

    def read_run(self, row: int, start: int, stop: int, out: NDArray | None = None) -> NDArray:
        """Patterns ``start`` to ``stop`` of one row, of shape (stop - start, height, width)."""
        turned = self.source.read_run(row, start, stop)[:, ::-1]
        return put(np.ascontiguousarray(turned) if out is None else turned, out)
