"""The navigator: a quick map of contrast, coarse at once and refined step by step.

That is the standard deviation of a pattern, relative to its mean, after the mean of the sampled
patterns is taken away likewise; as patterns are binned to some tens of pixels first, its values are
others than those of the maps of pattern contrast. What the detector and the sample's tilt make of
every pattern drops out; what is left grows with the strength of the bands. So grains, boundaries,
scratches and pores show, where the mean intensity shows little but topography.

Of a 4D-STEM scan it is a virtual bright field: the mean of the pixels that the direct beam meets,
which are those that are at least half as bright as any in the mean of the sampled patterns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.scan import Scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Patterns read before anything is shown: enough for the grains, few enough to be at once.
COARSE_PATTERNS = 400
# How much of a file refining may read: a second or so to some tens of seconds of a disk's time.
REFINE_BYTES = 2 * 2**30
# Bands are still resolved at this size, and noise is averaged out.
_SKETCH_PIXELS = 32
_STRIDED_PIXELS = 128
_RUN_BYTES = 4 * 2**20


@dataclass(eq=False)
class Navigator:
    """A map of quick contrast that is being refined.

    Attributes
    ----------
    values
        The map, of shape (rows, columns): every position carries the value of the nearest
        position that was read; NaN where there is no pattern.
    stride
        Distance between the positions that have been read, a power of two; 1 when all have.
    """

    scan: Scan
    values: NDArray[np.float32]
    stride: int
    _reference: NDArray[np.float32]

    @property
    def title(self) -> str:
        """What the map shows."""
        return "virtual bright field" if _is_stem(self.scan) else "quick contrast"

    @classmethod
    def coarse(cls, scan: Scan, patterns: int = COARSE_PATTERNS) -> Navigator:
        """Sample a scan evenly, reading no more than a number of patterns."""
        rows, cols = scan.map_shape
        stride = 1
        while -(-rows // stride) * -(-cols // stride) > patterns:
            stride *= 2
        sampled = [
            (row, columns, _sketch(scan, _read(scan, row, columns)))
            for row, columns in _rows(scan, stride)
        ]
        reference = np.concatenate([sketches for _, _, sketches in sampled]).mean(axis=0)
        values = np.full((rows, cols), np.nan, np.float32)
        navigator = cls(scan, values, stride, reference)
        for row, columns, sketches in sampled:
            navigator._fill(row, columns, sketches, stride)
        navigator._hide_absent()
        return navigator

    def refine(self, max_bytes: float = REFINE_BYTES) -> Job[None]:
        """Read ever more positions, halving their distance, until all or enough are read.

        Parameters
        ----------
        max_bytes
            How much to read at most. A scan of any size is then refined for about as long.

        Yields
        ------
        Progress
            Positions read so far; ``values`` has changed.
        """
        total = self._refinable(max_bytes)
        done = 0
        while self.stride > 1 and done < total:
            half = self.stride // 2
            for row, columns in _rows(self.scan, half, self.stride):
                self._fill(row, columns, _sketch(self.scan, _read(self.scan, row, columns)), half)
                done += len(columns)
                yield Progress(done, total, "Refining the navigator")
            self.stride = half
            self._hide_absent()

    def _refinable(self, max_bytes: float) -> int:
        """Positions that whole halvings of the stride add within what may be read."""
        rows, cols = self.scan.map_shape
        stride = self.stride
        start = total = -(-rows // stride) * -(-cols // stride)
        while stride > 1:
            count = -(-rows // (stride // 2)) * -(-cols // (stride // 2))
            if (count - start) * self.scan.pattern_bytes > max_bytes:
                break
            total, stride = count, stride // 2
        return total - start

    def _fill(self, row: int, columns: NDArray, sketches: NDArray, size: int) -> None:
        if _is_stem(self.scan):
            mean = np.nan_to_num(self._reference)
            looks = sketches[:, mean >= mean.max() / 2].mean(axis=1)
        else:
            looks = np.std(sketches - self._reference, axis=(-2, -1))
        for col, value in zip(columns, looks, strict=True):
            self.values[row : row + size, col : col + size] = value

    def _hide_absent(self) -> None:
        if self.scan.present is not None:
            self.values[~self.scan.present] = np.nan


def _rows(
    scan: Scan, stride: int, known: int | None = None
) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Rows of a grid and the columns to read in each, without those of a coarser, known grid."""
    rows, cols = scan.map_shape
    for row in range(0, rows, stride):
        columns = np.arange(0, cols, stride)
        if known is not None and row % known == 0:
            columns = columns[columns % known != 0]
        if scan.present is not None:
            columns = columns[scan.present[row, columns]]
        if columns.size:
            yield row, columns


def _read(scan: Scan, row: int, columns: NDArray[np.intp]) -> NDArray:
    """Patterns of one row: in one go where that is little, otherwise each for itself."""
    first, last = int(columns[0]), int(columns[-1])
    if (last - first + 1) * scan.pattern_bytes <= _RUN_BYTES:
        return scan.source.read_run(row, first, last + 1)[columns - first]
    return np.stack([scan.read(row, int(col)) for col in columns])


def _is_stem(scan: Scan) -> bool:
    return scan.technique == "4D-STEM"


def _sketch(scan: Scan, patterns: NDArray) -> NDArray[np.float32]:
    """Patterns at a glance: few pixels each, and their means 1, where only contrast counts."""
    small = _small(patterns)
    if _is_stem(scan):
        return small
    mean = small.mean(axis=(-2, -1), keepdims=True)
    return np.divide(small, mean, out=np.ones_like(small), where=mean > 0)


def _small(patterns: NDArray) -> NDArray[np.float32]:
    thin = max(1, max(patterns.shape[-2:]) // _STRIDED_PIXELS)
    small = patterns[:, ::thin, ::thin]
    for axis in (1, 2):
        # Means of whole pixels: plain sums, where a matrix product would wake a thread per core.
        size = min(small.shape[axis], _SKETCH_PIXELS)
        edges = np.arange(size + 1) * small.shape[axis] // size
        widths = np.diff(edges).reshape(-1, *[1] * (2 - axis))
        small = np.add.reduceat(small, edges[:-1], axis=axis, dtype=np.float32) / widths.astype(
            np.float32
        )
    return small
