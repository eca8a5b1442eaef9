"""Where files go that nobody chose a place for."""

from __future__ import annotations

import glob
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import platformdirs

from napari_kikuchi.io.up2 import PIXEL_TYPES
from napari_kikuchi.samples import sample_folder


def user_folder() -> Path:
    """Where the user's own data goes that has no better place; made when something is written."""
    return platformdirs.user_data_path("napari-kikuchi", appauthor=False)


def beside(scan_path: Path, name: str) -> Path:
    """A place for what is made of a scan: beside it, if that is not closed or part of the package.

    Else it is a folder among the user's data.
    """
    folder = scan_path.parent
    if folder.resolve() != sample_folder().resolve() and _is_open(folder):
        return folder / name
    return among_user_data(scan_path, name)


def among_user_data(scan_path: Path, name: str) -> Path:
    """A place among the user's data for what is made of a scan."""
    # Archives are full of scans of one name: each of their folders has one of its own.
    archive = scan_path.parent.absolute()
    return user_folder() / f"{archive.name}-{zlib.crc32(str(archive).encode()):08x}" / name


def _is_open(folder: Path) -> bool:
    """Whether files can be made in a folder; Windows tells only those who try."""
    trial = folder / f".{uuid4().hex}"
    try:
        trial.touch(exist_ok=False)
        trial.unlink()
    except OSError:
        return False
    return True


def is_there(path: Path) -> bool:
    """Whether a file is there; not, where a system cannot have a file of such a name."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def scan_label(scan_path: Path, options: Mapping[str, Any]) -> str:
    """What files made of a scan begin with: its file's name, and what tells it from others in it.

    The ending of the file is part of it where another scan of the same name lies beside it.
    Characters of a scan's name that no file name may have become underscores.

    Parameters
    ----------
    scan_path
        The file.
    options
        With which it was opened: ``"scan"`` names one of several, ``"crop"`` leaves the central
        squares of its patterns.
    """
    parts = [scan_path.name if _has_twin(scan_path) else scan_path.stem]
    if options.get("scan") is not None:
        parts.append(re.sub(r'[<>:"/\\|?*]', "_", options["scan"]))
    if options.get("crop"):
        parts.append("cropped")
    return " ".join(parts)


def _has_twin(scan_path: Path) -> bool:
    """Whether a scan of the same name but another ending lies beside a UP1 or UP2 file.

    Exports of the same scan by other programs do not count.
    """
    if scan_path.suffix.lower() not in PIXEL_TYPES or not scan_path.parent.is_dir():
        return False
    return any(
        other.suffix.lower() in PIXEL_TYPES and other.name != scan_path.name
        for other in scan_path.parent.glob(f"{glob.escape(scan_path.stem)}.*")
    )


def model_name(path: Path) -> str:
    """What a person calls a model: its file, or the folder of the run that made it."""
    return path.parent.name if path.stem == "model" and path.parent.name else path.stem
