"""What ``napari-kikuchi orient`` works with: spots, calibration and templates, given or found."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_kikuchi.cli.options import leave_out, numbers
from napari_kikuchi.jobs import Job, JobWarning, Progress
from napari_kikuchi.untrusted import positive

if TYPE_CHECKING:
    from napari_kikuchi.calibration import Calibration
    from napari_kikuchi.cli.scan_options import ScanOptions
    from napari_kikuchi.crystals.crystal import Crystal
    from napari_kikuchi.orientation.kept_calibration import KeptCalibration
    from napari_kikuchi.orientation.kept_libraries import LibrarySettings
    from napari_kikuchi.orientation.scan_spots import ScanSpots
    from napari_kikuchi.orientation.spot_calibration import SpotCalibration
    from napari_kikuchi.scan import Scan

# Between the ends of a range of thicknesses, in Å.
_THICKNESS_STEP = 50
# Of a crystal without multiple scattering.
_THIN = "100"


def scan_in(
    source: Path, opening: ScanOptions, kept: Path | None, radius: float | None
) -> Scan | None:
    """The scan; None if the source holds its spots alone.

    Raises
    ------
    ValueError
        If it is a scan of Kikuchi patterns, or options are given that spots do not need.
    """
    from napari_kikuchi.orientation.scan_spots import SUFFIX
    from napari_kikuchi.orientation.technique import check_spots_expected

    if source.suffix.lower() != SUFFIX:
        scan = opening.open(source)
        check_spots_expected(scan.technique, source)
        return scan
    given = {f"--{name.replace('_', '-')}": value for name, value in opening.given().items()}
    leave_out({"--spots": kept, "--radius": radius, **given}, f"{source} holds the spots")
    return None


def spots_in(
    source: Path, scan: Scan | None, path: Path, radius: float | None, **how: Any
) -> Job[ScanSpots]:
    """The spots in the source, those that were found of it, or those that are found now.

    Parameters
    ----------
    source, scan
        As given, and as :func:`scan_in` gives it.
    path
        Where the spots of the scan are kept.
    radius
        Of a spot, in pixels; None: whichever, or found out.
    how
        Options of :func:`~napari_kikuchi.orientation.find_spots.find_spots`.

    Raises
    ------
    ValueError
        If they are those of Kikuchi patterns, or of another scan.
    """
    from napari_kikuchi.orientation.detection_settings import Detection
    from napari_kikuchi.orientation.find_spots import find_spots
    from napari_kikuchi.orientation.scan_spots import ScanSpots
    from napari_kikuchi.orientation.spot_radius import guess_radius
    from napari_kikuchi.orientation.technique import check_spots_expected

    if scan is None:
        found = ScanSpots.open(source)
        check_spots_expected(found.technique, source)
        return found
    if path.exists():
        found = ScanSpots.open(path)
        if found.fingerprint != scan.fingerprint():
            raise ValueError(
                f"{path}: these are the spots of another scan than {source}. Name another file "
                "for those of this one (--spots)."
            )
        if radius in (None, found.detection.radius):
            return found
    if radius is None:
        yield Progress(0, 0, "Finding the radius of spots")
        radius = round(guess_radius(scan), 2)
    return (yield from find_spots(scan, path, Detection(radius), **how))


def calibration_in(
    path: Path | None,
    scale: float | None,
    centre: str | None,
    rotation: float,
    flipped: bool,
    anew: bool,
) -> SpotCalibration | None:
    """The whole calibration, as a file tells it; None if there is no file.

    Raises
    ------
    FileNotFoundError
        If the file is not there.
    ValueError
        If it holds something else, or parts of the calibration are given, too; if the scale is not
        above 0.
    """
    from napari_kikuchi.orientation.kept_calibration import read_calibration

    if scale is not None:
        positive(scale, "--scale in 1/Å")
    if path is None:
        return None
    parts = {
        "--scale": scale,
        "--centre": centre,
        "--rotation": rotation,
        "--flipped": flipped,
        "--find-calibration": anew,
    }
    leave_out({name: part or None for name, part in parts.items()}, f"{path} holds the calibration")
    return read_calibration(path)


def kept_calibration(
    source: Path, scan: Scan | None, options: dict[str, Any]
) -> KeptCalibration | None:
    """The calibration that was set by hand and kept, of a scan or of the scan of some spots.

    Parameters
    ----------
    source, scan
        As given, and as :func:`scan_in` gives it.
    options
        With which the scan is opened.
    """
    from napari_kikuchi.orientation.kept_calibration import find_kept_calibration
    from napari_kikuchi.orientation.scan_spots import ScanSpots

    told = ScanSpots.open(source).fingerprint if scan is None else scan.fingerprint()
    return find_kept_calibration(source, options, told)


def calibration_of(
    spots: ScanSpots,
    crystals: Sequence[Crystal],
    told: Calibration | None,
    scale: float | None,
    centre: str | None,
    *,
    voltage: float,
    rotation: float,
    flipped: bool,
) -> Job[SpotCalibration]:
    """What is given of the calibration of the detector, and the rest as the spots tell it.

    Parameters
    ----------
    spots, crystals, told, voltage, rotation, flipped
        See :func:`~napari_kikuchi.orientation.find_calibration.find_calibration`.
    scale, centre
        In 1/Å, and as row and column, as a person gives them; None: to be found.

    Warns
    -----
    JobWarning
        If the scale is doubtful.
    """
    from napari_kikuchi.calibration import Calibration
    from napari_kikuchi.orientation.find_calibration import find_calibration

    yield Progress(0, 0, "Finding the calibration")
    at = None if centre is None else numbers(centre, "--centre", (float, float))
    if scale is not None:
        # 1/Å in 1/nm; with crystals it would be looked for anew around this.
        told, crystals = Calibration((10 * scale, 10 * scale), "1/nm"), ()
    found = find_calibration(
        spots,
        crystals,
        told=told,
        voltage=voltage,
        centre=at,
        rotation=rotation,
        flipped=flipped,
    )
    if found.doubt:
        warnings.warn(found.doubt, JobWarning, stacklevel=2)
    return found.calibration


def library_settings(voltage: float, thickness: str | None, kinematical: bool) -> LibrarySettings:
    """How templates are simulated, of what is given."""
    from napari_kikuchi.orientation.kept_libraries import LibrarySettings

    if thickness is None and not kinematical:
        return LibrarySettings(voltage)
    return LibrarySettings(voltage, thicknesses_in(thickness or _THIN), kinematical)


def thicknesses_in(text: str) -> tuple[float, ...]:
    """Read ``100-800``, or ``100,200,400``.

    Raises
    ------
    ValueError
        If they are no numbers above 0 from thin to thick.
    """
    if "-" in text:
        first, last = numbers(text.replace("-", ","), "--thickness", (float, float))
        count = max(1, round((last - first) / _THICKNESS_STEP))
        found = tuple(first + (last - first) * i / count for i in range(count + 1))
    else:
        found = numbers(text, "--thickness", (float,) * (text.count(",") + 1))
    if not all(one > 0 for one in found) or list(found) != sorted(set(found)):
        raise ValueError(
            f"--thickness needs thicknesses above 0 Å, from thin to thick, not {text!r}"
        )
    return found
