"""Where the patterns of a scan are read from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


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

    def read_run(self, row: int, start: int, stop: int, out: NDArray | None = None) -> NDArray:
        """Patterns ``start`` to ``stop`` of one row, of shape (stop - start, height, width).

        Parameters
        ----------
        row, start, stop
            Which patterns.
        out
            Where to put them, of that shape and of the type of a pixel, without gaps; it is what is
            returned. None: the source's own memory or new one, not to be written to.

        Raises
        ------
        OSError
            If the file cannot give them.
        """
        ...


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

    def read_run(self, row: int, start: int, stop: int, out: NDArray | None = None) -> NDArray:
        """Patterns ``start`` to ``stop`` of one row, of shape (stop - start, height, width)."""
        return put(self.array[row, start:stop], out)


def put(patterns: NDArray, out: NDArray | None) -> NDArray:
    """Patterns where a caller of :meth:`PatternSource.read_run` wants them."""
    if out is None:
        return patterns
    out[...] = patterns
    return out


class SourceArray:
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
