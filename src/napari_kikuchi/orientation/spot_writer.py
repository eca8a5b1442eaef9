"""Spots of a scan written block by block, in any order, from any thread or process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_kikuchi.io.atomic import move
from napari_kikuchi.io.block_file import BlockFile
from napari_kikuchi.io.block_writer import BlockWriter
from napari_kikuchi.io.tensor_places import TensorPlace, find_tensors, header_bytes, placed
from napari_kikuchi.io.unfinished import Unfinished
from napari_kikuchi.io.weights import ModelFileError
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.orientation.detection_settings import Detection
from napari_kikuchi.orientation.scan_spots import (
    CONTENT,
    COUNTS,
    SPOTS,
    ScanSpots,
    spot_values,
)
from napari_kikuchi.scan import row_bands

# Read at a time in the end, to count them.
_BAND_BYTES = 32 * 2**20


class SpotWriter(BlockWriter):
    """Collects the spots of a scan, block by block, and makes a file of them.

    The file grows in ``<path>.partial``, see :class:`.Unfinished`; it gets its header last. Make a
    writer with :meth:`open`.

    Attributes
    ----------
    spots
        Takes the spots, in one layer; NaN where there is no pattern.
    """

    def __init__(
        self,
        unfinished: Unfinished,
        spots: BlockFile,
        places: Mapping[str, TensorPlace],
        detection: Detection,
    ) -> None:
        super().__init__(unfinished, spots)
        self.spots = spots
        self._places, self._detection = places, detection

    @classmethod
    def open(
        cls,
        path: str | Path,
        shape: tuple[int, int],
        detection: Detection,
        identity: Mapping[str, Any],
        *,
        resume: bool = True,
    ) -> SpotWriter:
        """Begin a file, or go on with one that was begun.

        Parameters
        ----------
        path
            In a folder that exists; a file of spots there is replaced by :meth:`finish` only.
        shape
            Rows and columns of the scan.
        detection
            How spots are found.
        identity
            What they depend on beside it, fit for JSON: only spots of the same identity are gone
            on with.
        resume
            False begins anew whatever was begun before.

        Raises
        ------
        FileExistsError
            If something lies at ``path`` that is no file of spots.
        FileExistsError, ResumeError, DiskFullError
            See :meth:`.Unfinished.open`.
        """
        path = Path(path)
        _check_target(path)
        # The counts first, which are known last: the file then ends where its spots do.
        places = placed(
            {COUNTS: ("I32", shape), SPOTS: ("F32", (*shape, detection.most, 3))},
        )

        def at(file: Path) -> BlockFile:
            return spot_values(file, places[SPOTS])

        def make(file: Path) -> BlockFile:
            with file.open("wb") as opened:
                opened.truncate(places[SPOTS].end)
            return at(file)

        unfinished = Unfinished(path, "spots")
        depends = {"shape": shape, "detection": detection.settings(), **identity}
        spots = unfinished.open(depends, at, make, room=places[SPOTS].end, resume=resume)
        return cls(unfinished, spots, places, detection)

    def finish(self, provenance: Mapping[str, Any]) -> Job[ScanSpots]:
        """Count the spots, and give the file its header and its name.

        Parameters
        ----------
        provenance
            Fit for JSON.

        Yields
        ------
        Progress
            Rows counted so far.

        Raises
        ------
        ValueError
            If positions have not been written yet.
        """
        self.check_complete()
        counts = yield from self._count()
        header = {
            "content": CONTENT,
            "detection": self._detection.settings(),
            "provenance": dict(provenance),
        }
        with self.spots.file.open("r+b") as file:
            file.seek(self._places[COUNTS].begin)
            file.write(counts.tobytes())
            file.seek(0)
            file.write(header_bytes(self._places, header))
        self.spots.sync()  # What has its name must be whole after a power cut, too.
        move(self.spots.file, self.path)
        self.unfinished.remove()
        return ScanSpots.open(self.path)

    def _count(self) -> Job[np.ndarray]:
        _, rows, cols = self.spots.shape
        counts = np.empty((rows, cols), "<i4")
        band = max(1, _BAND_BYTES // (cols * self.spots.value_bytes))
        for block in row_bands((rows, cols), band):
            intensity = self.spots.read(block)[0, ..., 2]
            missing = np.isnan(intensity).any(axis=-1)
            counts[block.rows] = np.where(missing, -1, (intensity > 0).sum(axis=-1))
            yield Progress(block.rows.stop, rows, "Counting spots")
        return counts


def _check_target(path: Path) -> None:
    if not path.exists():
        return
    try:
        find_tensors(path, CONTENT, {COUNTS: ("I32", 2), SPOTS: ("F32", 4)})
    except (FileNotFoundError, ModelFileError) as error:
        raise FileExistsError(
            f"{path}: spots go here, but something else lies here. Move it away, or write to "
            "another name."
        ) from error
