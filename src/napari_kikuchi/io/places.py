"""Where files go that nobody chose a place for."""

from __future__ import annotations

import re
import zlib
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryFile

import platformdirs

from napari_kikuchi.io.opening import EXTENSIONS
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
    # Archives are full of scans of one name: each of their folders has one of its own.
    archive = folder.absolute()
    return user_folder() / f"{archive.name}-{zlib.crc32(str(archive).encode()):08x}" / name


@lru_cache(maxsize=64)
def _is_open(folder: Path) -> bool:
    """Whether files can be made in a folder; Windows tells only those who try."""
    try:
        with TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def scan_label(scan_path: Path, scan_name: str | None = None) -> str:
    """What files made of a scan begin with: its file's name, and its own if the file holds several.

    The ending of the file is part of it where another scan of the same name lies beside it.
    Characters of ``scan_name`` that no file name may have become underscores.
    """
    alike = (scan_path.with_suffix(extension) for extension in EXTENSIONS)
    twin = any(other != scan_path and other.is_file() for other in alike)
    label = scan_path.name if twin else scan_path.stem
    if scan_name is None:
        return label
    return f"{label} " + re.sub(r'[<>:"/\\|?*]', "_", scan_name)


def model_name(path: Path) -> str:
    """What a person calls a model: its file, or the folder of the run that made it."""
    return path.parent.name if path.stem == "model" and path.parent.name else path.stem
