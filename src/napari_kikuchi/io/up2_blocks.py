"""UP1 and UP2 pattern files written block by block, in any order, from any thread or process."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_kikuchi.io.atomic import move
from napari_kikuchi.io.block_file import BlockFile
from napari_kikuchi.io.block_writer import BlockWriter
from napari_kikuchi.io.unfinished import Unfinished
from napari_kikuchi.io.up2_writer import check_pixels, long_header, pixel_type


class Up2BlockWriter(BlockWriter):
    """Collects the patterns of a scan on a square grid, block by block, and makes a file of them.

    The file grows in ``<path>.partial``, see :class:`.Unfinished`; it gets its header last, so
    that nobody takes it for a scan before. Make a writer with :meth:`open`.

    Attributes
    ----------
    patterns
        Takes the patterns, in one layer.
    """

    def __init__(self, unfinished: Unfinished, patterns: BlockFile, header: bytes) -> None:
        super().__init__(unfinished, patterns)
        self.patterns = patterns
        self._header = header

    @classmethod
    def open(
        cls,
        path: str | Path,
        shape: tuple[int, int, int, int],
        dtype: np.dtype,
        identity: Mapping[str, Any],
        *,
        step: tuple[float, float] = (1.0, 1.0),
        resume: bool = True,
    ) -> Up2BlockWriter:
        """Begin a file, or go on with one that was begun.

        Parameters
        ----------
        path
            Ends in ``.up1`` (uint8) or ``.up2`` (uint16), in a folder that exists; a file there is
            replaced by :meth:`finish` only.
        shape
            Rows, columns, pattern height and pattern width.
        dtype
            Of the pixels that will come.
        identity
            What the patterns depend on, fit for JSON: only patterns of the same identity are gone
            on with.
        step
            Distance between rows and between columns, in µm.
        resume
            False begins anew whatever was begun before.

        Raises
        ------
        PatternFileError
            If the extension is another one, or the pixels do not fit.
        FileExistsError, ResumeError, DiskFullError
            See :meth:`.Unfinished.open`.
        """
        path = Path(path)
        check_pixels(path, dtype)
        rows, cols, *pattern = shape
        header = long_header(shape[:2], shape[2:], step)

        def at(file: Path) -> BlockFile:
            return BlockFile(file, (1, rows, cols), pixel_type(path), tuple(pattern), len(header))

        def make(file: Path) -> BlockFile:
            patterns = at(file)
            with file.open("wb") as opened:
                opened.truncate(patterns.end)
            return patterns

        unfinished = Unfinished(path, "patterns")
        sizes = {"shape": shape, "step": step}
        room = at(path).end
        patterns = unfinished.open({**sizes, **identity}, at, make, room=room, resume=resume)
        return cls(unfinished, patterns, header)

    def finish(self) -> Path:
        """Give the file its header and its name.

        Raises
        ------
        ValueError
            If positions have not been written yet.
        """
        self.check_complete()
        with self.patterns.file.open("r+b") as file:
            file.write(self._header)
            file.flush()
            os.fsync(file.fileno())  # What has its name must be whole after a power cut, too.
        move(self.patterns.file, self.path)
        self.unfinished.remove()
        return self.path
