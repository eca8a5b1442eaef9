"""Where the screen stood, as far as files tell."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from napari_kikuchi.io.ang import ang_beside, read_ang_centre
from napari_kikuchi.io.h5_geometry import read_h5_geometry
from napari_kikuchi.io.h5ebsd import EXTENSIONS
from napari_kikuchi.physics.indexing import HoughIndexing
from napari_kikuchi.scan import Scan
from napari_kikuchi.simulate import Detector, simulated_detector, truth_path


class KnownGeometry(NamedTuple):
    """The geometry of a scan, and the file that tells it.

    Attributes
    ----------
    indexing
        Its projection centre and tilts; the phase is not told.
    told_by
        The truth of a simulated scan, an ``.ang`` file, or the HDF5 file of the scan itself.
    """

    indexing: HoughIndexing
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
        return KnownGeometry(_geometry(detector), truth_path(scan.path))
    if scan.path.suffix.lower() in EXTENSIONS:
        stored = _of_h5(scan.path, scan.options.get("scan"))
        if stored is not None:
            return stored
    ang = ang_beside(scan.path)
    centre = None if ang is None else read_ang_centre(ang)
    if ang is None or centre is None:
        return None
    return KnownGeometry(HoughIndexing(centre, "edax"), ang)


def _of_h5(path: Path, scan: str | None) -> KnownGeometry | None:
    stored = read_h5_geometry(path, scan)
    if stored is None:
        return None
    usual = HoughIndexing(stored.centre, stored.convention)
    sample, detector = stored.sample_tilt, stored.detector_tilt
    indexing = replace(
        usual,
        sample_tilt=usual.sample_tilt if sample is None else sample,
        detector_tilt=usual.detector_tilt if detector is None else detector,
    )
    return KnownGeometry(indexing, path)


def assumed_geometry() -> HoughIndexing:
    """Something to begin with where nothing is known: the geometry of kikuchipy's nickel scan."""
    return _geometry(Detector())


def _geometry(detector: Detector) -> HoughIndexing:
    return HoughIndexing(detector.pc, sample_tilt=detector.sample_tilt, detector_tilt=detector.tilt)
