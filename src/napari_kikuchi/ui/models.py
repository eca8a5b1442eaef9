"""The models that are known: those that come with the package, and those used last."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_kikuchi.io import places
from napari_kikuchi.io.weights import read_model
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.samples import sample_folder

if TYPE_CHECKING:
    from napari_kikuchi.maps import MapStack

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


def model_of(stack: MapStack) -> Mapping[str, Any]:
    """What the provenance of some maps says of their model; empty if none made them.

    Of maps that were saved together with others, the first of them that a model made tells.
    """
    told = (stack.provenance, *stack.provenance.get("together", ()))
    return next((one["model"] for one in told if one.get("model")), {})


def find_model(model: Mapping[str, Any]) -> Job[Path | None]:
    """Look for a model that does not lie where the maps say among those that are known.

    Returns
    -------
    pathlib.Path or None
        A file with the same weights.
    """
    known = list(dict.fromkeys([*shipped_models(), *recent_models()]))
    for done, path in enumerate(known):
        yield Progress(done, len(known), "Looking for the model")
        try:
            found = read_model(path)
        except (OSError, ValueError):  # it is no model any more
            continue
        if found.digest() == model.get("weights"):
            return path
    return None


def not_found(model: Mapping[str, Any]) -> str:
    """What to say of the model of some maps of which there is no file."""
    size = f"{model.get('kind', 'a model')}, {model.get('latent', 'unknown')} features"
    if not model.get("path"):
        return f"The model of these maps ({size}) was not kept: press Model… to choose another"
    path = Path(model["path"])
    return (
        f"These maps were made with {places.model_name(path)} ({size}), which is not at {path}: "
        "press Model… to say where it is"
    )


def _record() -> Path:
    return places.user_folder() / "recent_models.json"
