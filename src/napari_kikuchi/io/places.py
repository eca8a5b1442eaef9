"""Where files go that nobody chose a place for."""

from __future__ import annotations

import os
import re
import zlib
from pathlib import Path

import platformdirs


def user_folder() -> Path:
    """Where the user's own data goes that has no better place; made when something is written."""
    return platformdirs.user_data_path("napari-kikuchi", appauthor=False)


def beside(scan_path: Path, name: str) -> Path:
    """A place for what is made of a scan: beside it, or among the user's data if that is closed."""
    folder = scan_path.parent
    if os.access(folder, os.W_OK):
        return folder / name
    # Archives are full of scans of one name: each of their folders has one of its own.
    archive = folder.absolute()
    return user_folder() / f"{archive.name}-{zlib.crc32(str(archive).encode()):08x}" / name


def scan_label(scan_path: Path, scan_name: str | None = None) -> str:
    """What files made of a scan begin with: its file's name, and its own if the file holds several.

    Characters of ``scan_name`` that no file name may have become underscores.
    """
    if scan_name is None:
        return scan_path.stem
    return f"{scan_path.stem} " + re.sub(r'[<>:"/\\|?*]', "_", scan_name)


def model_name(path: Path) -> str:
    """What a person calls a model: its file, or the folder of the run that made it."""
    return path.parent.name if path.stem == "model" and path.parent.name else path.stem
