"""The models that a form offers: those that come with the package, and those used last."""

from __future__ import annotations

import json
from pathlib import Path

from napari_kikuchi.io import places
from napari_kikuchi.samples import sample_folder

_KEPT = 10
_SUFFIX = ".safetensors"


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


def _record() -> Path:
    return places.user_folder() / "recent_models.json"
