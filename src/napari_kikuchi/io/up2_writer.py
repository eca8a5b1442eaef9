"""EDAX's UP1 and UP2 pattern files: writing. The format is described in :mod:`.up2`."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

import numpy as np

from napari_kikuchi.io.atomic import move
from napari_kikuchi.io.errors import PatternFileError
from napari_kikuchi.io.layout import Layout
from napari_kikuchi.io.up2 import LONG_HEADER, PIXEL_TYPES, SHORT_HEADER
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.scan import Scan

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Up2Writer:
    """Write patterns one after another into a UP1 or UP2 file of any size.

    Patterns go to ``<stem>.partial<suffix>`` beside the target, which takes the target's name
    when all are written. What was written before an interruption stays in that file until the
    same target is written again, and :func:`open_scan` opens it with ``allow_partial=True`` (on a
    hexagonal grid with an ``.ang`` file beside it); a target that exists is untouched until then.

    Parameters
    ----------
    path
        Target; ends in ``.up1`` (uint8) or ``.up2`` (uint16).
    map_shape
        Rows and columns of the scan.
    pattern_shape
        Height and width of a pattern.
    step
        Distance between rows and between columns, in µm; version 1 does not store it.
    grid
        ``"square"`` or ``"hexagonal"``; version 1 does not store it.
    short_rows
        Whether every second row has one column less, as hexagonal grids may.
    version
        1, which stores no grid, or 3.

    Attributes
    ----------
    written
        How many patterns the file holds.

    Raises
    ------
    PatternFileError
        If the target has another extension or its folder does not exist, if something else
        than such patterns is appended, or if fewer or more of them than the scan has positions.

    Examples
    --------
    >>> with Up2Writer("scan.up2", (2, 3), (60, 60), step=(0.5, 0.5)) as writer:  # doctest: +SKIP
    ...     for row in rows:
    ...         writer.append(row)
    """

    def __init__(
        self,
        path: str | Path,
        map_shape: tuple[int, int],
        pattern_shape: tuple[int, int],
        *,
        step: tuple[float, float] = (1.0, 1.0),
        grid: Literal["square", "hexagonal"] = "square",
        short_rows: bool = False,
        version: Literal[1, 3] = 3,
    ) -> None:
        self.path = Path(path)
        self.dtype = pixel_type(self.path)
        self.pattern_shape = pattern_shape
        rows, cols = map_shape
        self.total = Layout.alternating(rows, cols, cols - int(short_rows)).count
        self.partial_path = _partial_path(self.path)
        if not self.path.parent.is_dir():
            raise PatternFileError(
                f"{self.path}: its folder {self.path.parent.absolute()} does not exist. Make it "
                "or choose another one."
            )
        self.written = 0
        self._file = self.partial_path.open("wb")
        if version == 1:
            height, width = pattern_shape
            self._file.write(SHORT_HEADER.pack(1, width, height, SHORT_HEADER.size))
        else:
            self._file.write(long_header(map_shape, pattern_shape, step, grid))

    def append(self, patterns: NDArray) -> None:
        """Write patterns, in scan order.

        Parameters
        ----------
        patterns
            Of shape (..., height, width) and of the file's pixel type, or uint8 for UP2.
        """
        if patterns.shape[-2:] != tuple(self.pattern_shape):
            raise PatternFileError(
                f"{self.path}: expected patterns of {self._size()} pixels (height x width), "
                f"found an array of shape {patterns.shape}."
            )
        check_pixels(self.path, patterns.dtype)
        count = int(np.prod(patterns.shape[:-2]))
        if self.written + count > self.total:
            raise PatternFileError(
                f"{self.path}: expected {self.total} patterns, found {self.written + count}. Give "
                "the writer the rows and columns of the whole scan."
            )
        self._file.write(np.ascontiguousarray(patterns, self.dtype).reshape(-1).data)
        self.written += count

    def close(self) -> None:
        """Give the file its name if it is complete.

        Raises
        ------
        PatternFileError
            If patterns are lacking; says where those written are.
        """
        if self._file.closed:
            return
        self._release()
        if self.written < self.total:
            raise PatternFileError(
                f"{self.path}: not written: expected {self.total} patterns, found {self.written}. "
                f"{self._whereabouts()}"
            )
        move(self.partial_path, self.path)

    def _release(self) -> None:
        if self.written == self.total:
            self._file.flush()
            os.fsync(self._file.fileno())  # What has its name must be whole after a power cut, too.
        self._file.close()
        if not self.written:
            self.partial_path.unlink()

    def _whereabouts(self) -> str:
        if not self.written:
            return "Nothing was kept."
        return f"They are kept in {self.partial_path}; open it with allow_partial=True."

    def _size(self) -> str:
        return " x ".join(map(str, self.pattern_shape))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
        elif not self._file.closed:
            # What stopped the writing is the news; that the file is incomplete follows from it.
            self._release()


def write_scan(path: str | Path, scan: Scan, *, version: Literal[1, 3] = 3) -> Job[Path]:
    """Write a scan as a UP1 or UP2 file.

    Positions without a pattern become zeros, which the format cannot tell from dark patterns;
    but where a hexagonal grid lacks the last column of every second row, so does the file.

    Parameters
    ----------
    path
        Ends in ``.up1`` (uint8) or ``.up2`` (uint16). May be the file that the scan is read from.
    scan
        Of unsigned integers that fit.
    version
        1, which stores no grid, or 3.

    Yields
    ------
    Progress
        Patterns written so far.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    PatternFileError
        If the extension is another one, the scan's pixels do not fit, or the scan is read from
        what an earlier writing to the same path has left.
    """
    path = Path(path)
    partial_path = _partial_path(path)
    if scan.path is not None and scan.path.absolute() == partial_path.absolute():
        raise PatternFileError(
            f"{path}: would be written through {partial_path}, which is the scan to be written. "
            "Choose another name."
        )
    short_rows = _has_short_rows(scan)
    with Up2Writer(
        path,
        scan.map_shape,
        scan.pattern_shape,
        step=scan.step,
        grid=scan.grid,
        short_rows=short_rows,
        version=version,
    ) as writer:
        yield Progress(0, writer.total, "Writing patterns")
        for block in scan.blocks():
            writer.append(scan.read_present(block) if short_rows else scan.read_block(block))
            yield Progress(writer.written, writer.total, "Writing patterns")
    return writer.path


def _has_short_rows(scan: Scan) -> bool:
    if scan.grid == "square" or scan.present is None:
        return False
    rows, cols = scan.map_shape
    expected = Layout.alternating(rows, cols, cols - 1).present
    return expected is not None and np.array_equal(scan.present, expected)


def _partial_path(path: Path) -> Path:
    return path.with_name(f"{path.stem}.partial{path.suffix}")


def pixel_type(path: Path) -> np.dtype:
    """Of the pixels of a file, by its extension.

    Raises
    ------
    PatternFileError
        If the extension is another one.
    """
    try:
        return PIXEL_TYPES[path.suffix.lower()]
    except KeyError:
        raise PatternFileError(
            f"{path}: expected a name that ends in .up1 (uint8 pixels) or .up2 (uint16 pixels), "
            f"found {path.suffix or 'no extension'}."
        ) from None


def check_pixels(path: Path, found: np.dtype) -> None:
    """Check that a file can hold pixels of a type.

    Raises
    ------
    PatternFileError
        If they would lose information.
    """
    dtype = pixel_type(path)
    if not np.can_cast(found, dtype, "safe"):
        raise PatternFileError(
            f"{path}: stores {dtype.name} pixels, found {found.name}, which would lose "
            "information. Rescale and convert the patterns first."
        )


def long_header(
    map_shape: tuple[int, int],
    pattern_shape: tuple[int, int],
    step: tuple[float, float],
    grid: Literal["square", "hexagonal"] = "square",
) -> bytes:
    """What a file of version 3 begins with, see :class:`Up2Writer`."""
    (rows, cols), (height, width), (step_y, step_x) = map_shape, pattern_shape, step
    return LONG_HEADER.pack(
        *(3, width, height, LONG_HEADER.size),
        *(0, cols, rows, grid == "hexagonal", step_x, step_y),
    )
