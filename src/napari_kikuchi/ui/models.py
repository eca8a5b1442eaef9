"""The models that a form offers: those that come with the package, and those used last."""

from __future__ import annotations

import json
import os
from pathlib import Path

from qtpy.QtCore import QStandardPaths

from napari_kikuchi.ui.samples import sample_folder

_KEPT = 10
_SUFFIX = ".safetensors"


def user_folder() -> Path:
    """Where the window may write what has no better place; made when something is written."""
    place = QStandardPaths.StandardLocation.GenericDataLocation
    return Path(QStandardPaths.writableLocation(place)) / "napari-kikuchi"


def shipped_models() -> list[Path]:
    """Models that come with the package."""
    return sorted(sample_folder().glob(f"*{_SUFFIX}"))


def recent_models() -> list[Path]:
    """Models used last that are still there, the latest first."""
    try:
        paths = [Path(path) for path in json.loads(_record().read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return []
    return [path for path in paths if path.is_file()]


def remember_model(path: Path) -> None:
    """Note that a model was used; that it cannot be noted is no reason to fail."""
    path = path.resolve()
    paths = [path, *(other for other in recent_models() if other != path)][:_KEPT]
    try:
        _record().parent.mkdir(parents=True, exist_ok=True)
        _record().write_text(json.dumps([str(one) for one in paths]), encoding="utf-8")
    except OSError:
        return


def model_name(path: Path) -> str:
    """What a person calls a model: its file, or the folder of the run that made it."""
    return path.parent.name if path.stem == "model" and path.parent.name else path.stem


def beside(scan: Path, name: str) -> Path:
    """A place for what is made of a scan: beside it, or among the user's data if that is closed."""
    folder = scan.parent if os.access(scan.parent, os.W_OK) else user_folder()
    return folder / name


def _record() -> Path:
    return user_folder() / "recent_models.json"
