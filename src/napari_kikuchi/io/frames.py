"""Frames in plain files: patterns with something before and after each, in one file or several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.calibration import Calibration
from napari_kikuchi.io.errors import PatternFileError
from napari_kikuchi.io.layout import Layout, Stored, choose_layout, grid_candidates, known_step
from napari_kikuchi.io.sources import FlatSource, FlippedSource, read_into
from napari_kikuchi.scan import Scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.pattern_source import PatternSource

# No detector comes near; beyond it the bytes are those of another format.
LARGEST_SIDE = 16_384
# Read at a time with what lies between patterns, which is left out then.
_BATCH_BYTES = 4 * 2**20


@dataclass(frozen=True)
class Frames:
    """How frames are stored, as the header of a file says.

    Attributes
    ----------
    path
        The file that was opened.
    files
        Each file with the place of its first frame in bytes, in their order.
    pattern_shape
        Height and width.
    dtype
        Type of a pixel, as stored.
    before, after
        Bytes before and after each pattern.
    grid
        Rows and columns; None where the file does not say.
    origin
        What says so, for a person to read.
    companion
        Which file beside it would say the grid; empty if none does.
    step
        Distance between rows and between columns, in µm; 0 where the file does not say.
    calibration
        Of the detector; None where the file does not say.
    upside_down
        Whether the last line of each pattern is stored first.
    """

    path: Path
    files: Sequence[tuple[Path, int]]
    pattern_shape: tuple[int, int]
    dtype: np.dtype
    before: int = 0
    after: int = 0
    grid: tuple[int, int] | None = None
    origin: str = "the header"
    companion: str = ""
    step: tuple[float, float] = (0.0, 0.0)
    calibration: Calibration | None = field(default=None)
    upside_down: bool = False

    @property
    def record_bytes(self) -> int:
        """Size of a frame with what is before and after it."""
        height, width = self.pattern_shape
        return self.before + height * width * self.dtype.itemsize + self.after


def scan_of_frames(
    frames: Frames,
    shape: tuple[int, int] | None,
    step: tuple[float, float] | None,
    allow_partial: bool,
) -> Scan:
    """A scan of frames, whose number accounts for every byte of their files.

    Parameters
    ----------
    frames
        How they are stored.
    shape, step, allow_partial
        As of :func:`open_scan`.

    Raises
    ------
    PatternFileError
        If the size of a pattern or of a file cannot be right.
    UnknownGridError
        If nothing says what the rows and columns are.
    """
    _check_size(frames)
    parts = _parts(frames)
    # The files as if they were one, which begins where the first does.
    offset = frames.files[0][1]
    size = offset + sum(max(0, file.stat().st_size - begin) for file, begin in frames.files)
    stored = Stored(frames.path, size, offset, frames.record_bytes, frames.companion)
    origin, grid = frames.origin, frames.grid
    if shape is not None:
        origin, grid = f"shape={tuple(shape)}", shape
    candidates = [] if grid is None else list(grid_candidates(stored, origin, *grid))
    layout = choose_layout(stored, candidates, allow_partial=allow_partial).layout
    source: PatternSource = FrameSource(
        parts=parts,
        layout=layout,
        pattern_shape=frames.pattern_shape,
        stored=frames.dtype,
        before=frames.before,
        record_bytes=frames.record_bytes,
        modified=max(file.stat().st_mtime_ns for file, _ in frames.files),
    )
    return Scan(
        source=FlippedSource(source) if frames.upside_down else source,
        step=step or known_step(frames.step),
        name=frames.path.stem,
        path=frames.path,
        present=layout.present,
        technique="4D-STEM",
        calibration=frames.calibration,
    )


def _check_size(frames: Frames) -> None:
    height, width = frames.pattern_shape
    if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE):
        raise PatternFileError(
            f"{frames.path}: its header gives patterns of {width} x {height} pixels (width x "
            f"height), expected 1 to {LARGEST_SIDE} each. The header is damaged or this is not a "
            f"{frames.path.suffix} file."
        )


@dataclass(frozen=True)
class Part:
    """The frames in one file of several.

    Attributes
    ----------
    path
        The file.
    offset
        Where its first frame begins, in bytes.
    first, count
        Number of its first frame among all, and how many it holds.
    """

    path: Path
    offset: int
    first: int
    count: int


def _parts(frames: Frames) -> tuple[Part, ...]:
    parts: list[Part] = []
    first = 0
    for number, (file, offset) in enumerate(frames.files):
        count, rest = divmod(max(0, file.stat().st_size - offset), frames.record_bytes)
        if rest and number + 1 < len(frames.files):
            raise PatternFileError(
                f"{file}: expected whole frames of {frames.record_bytes} bytes, since more files "
                f"follow, found {count} frames and {rest} bytes. Copy it again from its source."
            )
        parts.append(Part(file, offset, first, count))
        first += count
    return tuple(parts)


@dataclass(frozen=True, eq=False)
class FrameSource(FlatSource):
    """Patterns with something before and after each, in one file or several.

    Files are opened for each read, as by :class:`~napari_kikuchi.io.sources.RawSource`.

    Attributes
    ----------
    parts
        The files, in order.
    layout
        Which patterns belong to which row.
    pattern_shape
        Height and width of a pattern.
    stored
        Type of a pixel in the file.
    before
        Bytes before each pattern.
    record_bytes
        Bytes from one pattern to the next.
    modified
        When a file was last changed, in nanoseconds: tells caches a file from its successor.
    """

    parts: tuple[Part, ...]
    layout: Layout
    pattern_shape: tuple[int, int]
    stored: np.dtype
    before: int
    record_bytes: int
    modified: int

    @property
    def dtype(self) -> np.dtype:  # type: ignore[override]
        """Type of a pixel in memory: in the machine's own order of bytes."""
        return self.stored.newbyteorder("=")

    def _fill(self, out: NDArray, first: int) -> None:
        record = np.dtype(
            {
                "names": ["pattern"],
                "formats": [(self.stored, self.pattern_shape)],
                "offsets": [self.before],
                "itemsize": self.record_bytes,
            }
        )
        batch = max(1, _BATCH_BYTES // self.record_bytes)
        for part in self.parts:
            stop = min(first + len(out), part.first + part.count)
            for begin in range(max(first, part.first), stop, batch):
                count = min(batch, stop - begin)
                raw = np.empty(count * self.record_bytes, np.uint8)
                read_into(raw, part.path, part.offset + (begin - part.first) * self.record_bytes)
                out[begin - first : begin - first + count] = raw.view(record)["pattern"]
