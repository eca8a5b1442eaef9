"""The spots of all patterns of a scan, in a file that is read where it is asked for.

The file is one of safetensors, with the tensors ``counts`` (int32, rows x columns) and ``spots``
(float32, rows x columns x most x 3): column, row and intensity as they were detected, in pixels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.calibration import Calibration
from napari_kikuchi.file_state import FileState
from napari_kikuchi.io.block_file import BlockFile
from napari_kikuchi.io.provenance import checked_provenance
from napari_kikuchi.io.tensor_places import TensorPlace, find_tensors
from napari_kikuchi.io.weights import damage_told
from napari_kikuchi.orientation.detection_settings import Detection
from napari_kikuchi.orientation.spots import SpotFileError
from napari_kikuchi.scan import Block

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

CONTENT = "file of the spots of a scan"
COUNTS, SPOTS = "counts", "spots"
SUFFIX = ".spots"


@dataclass(frozen=True, eq=False)
class ScanSpots:
    """The spots of a scan, in pixels; see :meth:`open`.

    Nothing but the number of spots of each pattern is in memory. It pickles.

    Attributes
    ----------
    path
        Of the file.
    counts
        Number of spots of each pattern, int32 of shape (rows, columns); -1 where there is none, or
        where the file of the scan did not give it.
    detection
        How the spots were found.
    provenance
        Of which scan, by which version and when, as the provenance of maps.
    """

    path: Path
    counts: NDArray[np.int32]
    detection: Detection
    provenance: Mapping[str, Any]
    _values: BlockFile
    _state: FileState

    @classmethod
    def open(cls, path: str | Path) -> ScanSpots:
        """Open a file that :func:`~napari_kikuchi.orientation.find_spots.find_spots` wrote.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ModelFileError
            If it is damaged, holds something else or was written by a newer version.
        """
        path = Path(path).absolute()
        places, header = find_tensors(path, CONTENT, {COUNTS: ("I32", 2), SPOTS: ("F32", 4)})
        with damage_told(path, _REMEDY):
            counts, values = places[COUNTS], places[SPOTS]
            detection = Detection.from_settings(header.get("detection"))
            rows, cols = counts.shape
            if values.shape != (rows, cols, detection.most, 3) or not rows * cols:
                raise ValueError(
                    f"expected spots of shape {(rows, cols, detection.most, 3)}, one pattern at "
                    f"least, found {values.shape}"
                )
            return cls(
                path,
                _read_counts(path, counts, detection.most),
                detection,
                checked_provenance(header.get("provenance")),
                spot_values(path, values),
                FileState.of(path),
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the scan."""
        rows, cols = self.counts.shape
        return rows, cols

    @property
    def step(self) -> tuple[float, float]:
        """Distance between rows and between columns of the scan, in µm."""
        down, across = self.provenance.get("step") or (1.0, 1.0)
        return down, across

    @property
    def calibration(self) -> Calibration | None:
        """How large a pixel is, as the file of the scan told, see :attr:`.Scan.calibration`."""
        match self.provenance.get("calibration"):
            case {
                "pixel": [int() | float() as height, int() | float() as width],
                "unit": "1/nm" | "mrad" as unit,
            } if all(0 < size < math.inf for size in (height, width)):
                return Calibration((height, width), unit)
        return None

    @property
    def most(self) -> int:
        """For how many spots of a pattern there is room."""
        return self.detection.most

    @property
    def present(self) -> NDArray[np.bool_]:
        """Which positions have a pattern that could be read, of shape (rows, columns)."""
        return self.counts >= 0

    @property
    def fingerprint(self) -> Mapping[str, Any] | None:
        """That of the scan, see :meth:`.Scan.fingerprint`; None if the file does not tell it."""
        return (self.provenance.get("scan") or {}).get("fingerprint")

    @property
    def technique(self) -> str | None:
        """That of the scan, see :class:`.Scan`; None if the file does not tell it."""
        return (self.provenance.get("scan") or {}).get("technique")

    @property
    def pattern_shape(self) -> tuple[int, int] | None:
        """Height and width of a pattern in pixels; None if the file does not tell it."""
        match (self.fingerprint or {}).get("shape"):
            case [_, _, int(height), int(width)]:
                return height, width
        return None

    def at(self, row: int, col: int) -> NDArray[np.float32]:
        """Spots of one pattern.

        Returns
        -------
        numpy.ndarray
            Column, row and intensity of each, in pixels, strongest first, of shape (n, 3); none
            where there is no pattern.

        Raises
        ------
        IndexError
            If the position lies outside the scan.
        ScanLostError, SpotFileError
            See :meth:`rows`.
        """
        found = self.read([(row, col)])[0]
        return found[found[:, 2] > 0]

    def rows(self, start: int, stop: int) -> NDArray[np.float32]:
        """Spots of whole rows of the scan.

        Returns
        -------
        numpy.ndarray
            Of shape (rows, columns, most, 3); rows of intensity 0 are no spots, and there are none
            where there is no pattern.

        Raises
        ------
        IndexError
            If the rows lie outside the scan.
        ScanLostError
            If the file is out of reach, or has changed since it was opened.
        SpotFileError
            If it is damaged there.
        """
        rows, cols = self.shape
        if not 0 <= start <= stop <= rows:
            raise IndexError(
                f"{self.path}: rows {start} to {stop} lie outside the scan of {rows} rows"
            )
        self._state.check(self.path)
        found = self._values.read(Block(slice(start, stop), slice(0, cols)))[0]
        return self._checked(found, self.present[start:stop])

    def read(self, positions: ArrayLike) -> NDArray[np.float32]:
        """Spots of some patterns.

        Parameters
        ----------
        positions
            Row and column of each, of shape (n, 2).

        Returns
        -------
        numpy.ndarray
            Of shape (n, most, 3), as those of :meth:`rows`.

        Raises
        ------
        IndexError
            If a position lies outside the scan.
        ScanLostError, SpotFileError
            See :meth:`rows`.
        """
        positions = np.asarray(positions, np.int64).reshape(-1, 2)
        outside = ((positions < 0) | (positions >= self.shape)).any(axis=1)
        if outside.any():
            (row, col), (rows, cols) = positions[outside][0], self.shape
            raise IndexError(
                f"{self.path}: position (row {row}, column {col}) lies outside the scan of "
                f"{rows} rows x {cols} columns"
            )
        self._state.check(self.path)
        found = np.zeros((len(positions), self.most, 3), np.float32)
        for into, (row, col) in zip(found, positions.tolist(), strict=True):
            into[:] = self._values.read(Block(slice(row, row + 1), slice(col, col + 1)))[0, 0, 0]
        return self._checked(found, self.present[tuple(positions.T)])

    def _checked(self, found: NDArray, present: NDArray[np.bool_]) -> NDArray[np.float32]:
        found = np.where(present[..., None, None], found, 0).astype(np.float32, copy=False)
        if not np.isfinite(found).all() or (found[..., 2] < 0).any():
            raise SpotFileError(
                f"{self.path}: expected places and intensities of spots, found numbers that are "
                f"not finite or below 0. {_REMEDY}"
            )
        return found


_REMEDY = "Find the spots of the scan anew."


def spot_values(file: Path, place: TensorPlace) -> BlockFile:
    """Where spots are written and read."""
    rows, cols, *each = place.shape
    return BlockFile(file, (1, rows, cols), np.dtype("<f4"), tuple(each), place.begin)


def _read_counts(path: Path, place: TensorPlace, most: int) -> NDArray[np.int32]:
    rows, cols = place.shape
    found = np.fromfile(path, "<i4", rows * cols, offset=place.begin).reshape(rows, cols)
    if found.min() < -1 or found.max() > most:
        raise ValueError(
            f"expected -1 to {most} spots in a pattern, found {found.min()} to {found.max()}"
        )
    return found.astype(np.int32)
