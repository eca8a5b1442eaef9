"""The calibration of a scan that was set by hand, kept for the next time beside the scan.

It is the JSON that ``napari-kikuchi orient --calibration`` reads, with what tells the scan.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_kikuchi.io.atomic import replacing
from napari_kikuchi.io.places import among_user_data, beside, is_there, scan_label
from napari_kikuchi.orientation.spot_calibration import SpotCalibration
from napari_kikuchi.untrusted import mapping, read_json, shortened

if TYPE_CHECKING:
    from napari_kikuchi.scan import Scan

SUFFIX = ".calibration.json"


@dataclass(frozen=True)
class KeptCalibration:
    """A calibration in a file.

    Attributes
    ----------
    path
        Of the file.
    calibration
        What it tells.
    """

    path: Path
    calibration: SpotCalibration


def read_calibration(path: Path) -> SpotCalibration:
    """Read a calibration from a file of JSON: it alone, or among what ``orient --json`` tells.

    Raises
    ------
    FileNotFoundError
        If it is not there.
    ValueError
        If it holds something else.
    """
    try:
        told = mapping(read_json(path), "the calibration")
        return SpotCalibration.from_settings(told.get("calibration", told))
    except ValueError as error:
        raise ValueError(
            f"{path}: expected the calibration of a detector as JSON, as "
            f"napari-kikuchi orient SCAN --json tells it. What is wrong: {shortened(error)}"
        ) from error


def find_kept_calibration(
    source: Path, options: Mapping[str, Any], fingerprint: Mapping[str, Any] | None
) -> KeptCalibration | None:
    """The calibration that was kept of a scan.

    Parameters
    ----------
    source
        File of the scan, or of its spots.
    options
        With which the scan was opened, see :func:`~napari_kikuchi.io.places.scan_label`.
    fingerprint
        Of the scan, see :meth:`.Scan.fingerprint`; None: whichever.

    Returns
    -------
    KeptCalibration or None
        None if there is none of this very scan.

    Raises
    ------
    ValueError
        If the file is damaged.
    """
    name = _name(source, options)
    for path in (source.with_name(name), among_user_data(source, name)):
        if is_there(path):
            calibration = read_calibration(path)
            # Another scan may have come to have the name of an older one.
            if fingerprint is None or read_json(path).get("scan") in (None, dict(fingerprint)):
                return KeptCalibration(path, calibration)
    return None


def keep_calibration(scan: Scan, calibration: SpotCalibration) -> Path:
    """Keep the calibration of a scan: beside it, or among the user's data if that is closed.

    Returns
    -------
    pathlib.Path
        Where.

    Raises
    ------
    OSError
        If it cannot be written, or the scan cannot be read.
    """
    if scan.path is None:
        raise ValueError(f"{scan.name}: expected a scan in a file, found one in memory")
    path = beside(scan.path, _name(scan.path, scan.options))
    told = calibration.settings() | {"scan": scan.fingerprint()}
    with replacing(path) as partial:
        partial.write_text(json.dumps(told, indent=1), "utf-8")
    return path


def forget_calibration(scan: Scan) -> None:
    """Keep the calibration of a scan no longer.

    Raises
    ------
    OSError
        If its file cannot be removed.
    """
    if scan.path is not None:
        name = _name(scan.path, scan.options)
        for path in (scan.path.with_name(name), among_user_data(scan.path, name)):
            path.unlink(missing_ok=True)


def _name(source: Path, options: Mapping[str, Any]) -> str:
    return f"{scan_label(source, options)}{SUFFIX}"
