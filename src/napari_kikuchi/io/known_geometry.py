"""Where the screen stood, as far as files tell."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from napari_kikuchi.geometry import Geometry
from napari_kikuchi.io.ang import ang_beside, read_ang_centre
from napari_kikuchi.io.h5_geometry import read_h5_geometry
from napari_kikuchi.io.h5ebsd import EXTENSIONS
from napari_kikuchi.scan import Scan
from napari_kikuchi.simulate import Detector, simulated_detector, truth_path


class KnownGeometry(NamedTuple):
    """The geometry of a scan, and the file that tells it.

    Attributes
    ----------
    geometry
        Projection centre and tilts.
    told_by
        The truth of a simulated scan, an ``.ang`` file, or the HDF5 file of the scan itself.
    """

    geometry: Geometry
    told_by: Path


def known_geometry(scan: Scan) -> KnownGeometry | None:
    """What the file of a scan and those beside it tell of its geometry; None where they do not.

    An ``.ang`` file gives the projection centre only: the tilts are the usual ones, as they are
    where an HDF5 file does not tell them.
    """
    # Of patterns that were cut or turned upside down the centre is another.
    if scan.path is None or scan.options.get("crop") or scan.options.get("flip"):
        return None
    detector = simulated_detector(scan.path)
    if detector is not None:
        return KnownGeometry(Geometry.of_detector(detector), truth_path(scan.path))
    if scan.path.suffix.lower() in EXTENSIONS:
        stored = read_h5_geometry(scan.path, scan.options.get("scan"))
        if stored is not None:
            return KnownGeometry(stored, scan.path)
    ang = ang_beside(scan.path)
    centre = None if ang is None else read_ang_centre(ang)
    if ang is None or centre is None:
        return None
    return KnownGeometry(Geometry(centre, "edax"), ang)


def assumed_geometry() -> Geometry:
    """Something to begin with where nothing is known: the geometry of kikuchipy's nickel scan."""
    return Geometry.of_detector(Detector())
