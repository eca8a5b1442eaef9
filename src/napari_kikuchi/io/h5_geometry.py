"""Where the screen stood, as HDF5 files of the h5ebsd family tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.geometry import Convention, Geometry
from napari_kikuchi.io.h5ebsd import maker_of, scan_names, stripped

if TYPE_CHECKING:
    import h5py


@dataclass(frozen=True)
class _Names:
    """Where a maker puts what, in lower case.

    ``centre`` lies in ``group`` of the scan, and of one position or of each; angles in its header.
    """

    convention: Convention
    group: str
    centre: tuple[str, str, str]
    sample_tilt: str
    detector_tilt: str


_OXFORD = "oxford instruments"
_NAMES = {
    "edax": _Names(
        "edax",
        "Header/Pattern Center Calibration",
        ("x-star", "y-star", "z-star"),
        "sample tilt",
        "camera elevation angle",
    ),
    _OXFORD: _Names(
        "oxford",
        "Data",
        ("pattern center x", "pattern center y", "detector distance"),
        "tilt angle",
        "detector orientation euler",
    ),
    "bruker nano": _Names("bruker", "Data", ("pcx", "pcy", "dd"), "sample tilt", "cameratilt"),
    "kikuchipy": _Names(
        "bruker", "Header", ("pcx", "pcy", "pcz"), "sample_tilt", "elevation_angle"
    ),
}


def read_h5_geometry(path: Path, scan: str | None = None) -> Geometry | None:
    """Read the geometry of a scan from an HDF5 file of EDAX, Oxford, Bruker or kikuchipy.

    Parameters
    ----------
    path
        The file.
    scan
        Which of its scans; None for the only one.

    Returns
    -------
    Geometry or None
        Its projection centre is the mean of all positions; the tilts are the usual ones where the
        file does not tell them. None for a file of another maker, or without a projection centre.
    """
    import h5py

    with h5py.File(path, mode="r") as file:
        maker, scans = maker_of(file), scan_names(file)
        if maker not in _NAMES or not scans:
            return None
        names = _NAMES[maker]
        ebsd = file[scan or scans[0]]["EBSD"]
        if names.group not in ebsd:
            return None
        group, header = stripped(ebsd[names.group]), stripped(ebsd["Header"])
        if any(name not in group for name in names.centre):
            return None
        x, y, z = (float(np.mean(group[name])) for name in names.centre)
        if not z > 0:
            return None
        sample_tilt, detector_tilt = (
            _angle(header, name) for name in (names.sample_tilt, names.detector_tilt)
        )
        if maker == _OXFORD:
            # In radians, and the screen's from the horizontal.
            sample_tilt = None if sample_tilt is None else float(np.rad2deg(sample_tilt))
            detector_tilt = None if detector_tilt is None else float(np.rad2deg(detector_tilt)) - 90
    tilts = {"sample_tilt": sample_tilt, "detector_tilt": detector_tilt}
    told: dict[str, Any] = {name: tilt for name, tilt in tilts.items() if tilt is not None}
    return replace(Geometry((x, y, z), names.convention), **told)


def _angle(header: Mapping[str, h5py.Dataset], name: str) -> float | None:
    """An angle; the second of three Euler angles."""
    if name not in header:
        return None
    values = np.ravel(header[name])
    return float(values[1] if values.size == 3 else values[0])
