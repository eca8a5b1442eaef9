"""Where files go that nobody chose a place for."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def user_folder() -> Path:
    """Where the user's own data goes that has no better place; made when something is written."""
    return platformdirs.user_data_path("napari-kikuchi", appauthor=False)


def beside(scan_path: Path, name: str) -> Path:
    """A place for what is made of a scan: beside it, or among the user's data if that is closed."""
    folder = scan_path.parent if os.access(scan_path.parent, os.W_OK) else user_folder()
    return folder / name


def model_name(path: Path) -> str:
    """What a person calls a model: its file, or the folder of the run that made it."""
    return path.parent.name if path.stem == "model" and path.parent.name else path.stem
