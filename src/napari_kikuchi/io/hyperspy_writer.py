"""Writes a 4D-STEM scan as HyperSpy does, for others to read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_kikuchi.io.atomic import replacing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.calibration import Calibration

_NM_PER_MICROMETRE = 1000.0
# Patterns that are packed together.
_CHUNK_COLUMNS = 16


def write_hspy(
    path: Path, patterns: NDArray, step: tuple[float, float], calibration: Calibration | None = None
) -> None:
    """Write an ``.hspy`` file.

    Parameters
    ----------
    path
        File to write; an older one is replaced once the new one is complete.
    patterns
        Of shape (rows, columns, height, width).
    step
        Distance between rows and between columns, in µm.
    calibration
        Of the detector; None: the file tells none.
    """
    from rsciio.hspy import file_writer

    pixel = (1.0, 1.0) if calibration is None else calibration.pixel
    unit = "px" if calibration is None else calibration.unit
    axes = [
        {
            "name": name,
            "size": size,
            "scale": scale,
            "offset": 0.0,
            "units": "nm" if number < 2 else unit,
            "navigate": number < 2,
            "index_in_array": number,
        }
        for number, (name, size, scale) in enumerate(
            zip(
                ("y", "x", "ky", "kx"),
                patterns.shape,
                (*(_NM_PER_MICROMETRE * one for one in step), *pixel),
                strict=True,
            )
        )
    ]
    content = {
        "data": patterns,
        "axes": axes,
        "metadata": {
            "General": {"title": path.stem},
            "Signal": {"signal_type": "electron_diffraction"},
        },
        "original_metadata": {},
        "attributes": {"_lazy": False},
        "package_info": {"package": "hyperspy", "package_version": "2.3"},
        "tmp_parameters": {},
        "learning_results": {},
        "models": {},
    }
    chunks = (1, min(_CHUNK_COLUMNS, patterns.shape[1]), *patterns.shape[2:])
    with replacing(path) as partial:
        # Counts are mostly small: they shrink with what costs next to nothing.
        file_writer(str(partial), content, compression="lzf", chunks=chunks)
