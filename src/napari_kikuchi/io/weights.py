"""Trained models on disk: safetensors with one JSON header.

A downloaded model must not run code, so nothing is ever pickled. The header holds what the
numbers mean: the kind of model and its architecture, the recipe by which patterns are prepared
for it, and where it comes from. The recipe's signal mask is one more tensor.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.io.atomic import replacing
from napari_kikuchi.preprocess import Recipe

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMAT_VERSION = 1
_HEADER = "napari-kikuchi"
_MASK = "recipe.mask"


class ModelFileError(ValueError):
    """A file that cannot be read as the model or checkpoint it should be."""


@dataclass(frozen=True, eq=False)
class StoredModel:
    """What a model file holds.

    Attributes
    ----------
    kind
        Which class can use it: ``"linear"``, ``"vae"``.
    architecture
        All that is needed to build the model before its tensors are filled in; fit for JSON.
    recipe
        How patterns are prepared for the model, with its signal mask.
    tensors
        The weights, by name.
    provenance
        Scans, settings, version and date; fit for JSON.
    """

    kind: str
    architecture: Mapping[str, Any]
    recipe: Recipe
    tensors: Mapping[str, NDArray]
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def digest(self) -> str:
        """SHA-256 of the weights; of nothing that changes when the same model is saved again.

        Those that a file keeps in half precision count as what they are once they are used.
        """
        digest = hashlib.sha256()
        for name in sorted(self.tensors):
            tensor = np.ascontiguousarray(self.tensors[name])
            if tensor.dtype == np.float16:
                tensor = tensor.astype(np.float32)
            digest.update(f"{name} {tensor.dtype.str} {tensor.shape}".encode())
            digest.update(tensor.tobytes())
        return digest.hexdigest()


def write_model(path: Path | str, model: StoredModel) -> None:
    """Write a model file, replacing an older one of that name only when complete.

    Raises
    ------
    ValueError
        If the recipe has no signal mask: what the model saw would be unknown.
    """
    if model.recipe.mask is None:
        raise ValueError(f"{path}: a model is saved with the signal mask its recipe was fitted to")
    header = {
        "content": "model",
        "kind": model.kind,
        "architecture": dict(model.architecture),
        "recipe": model.recipe.settings(),
        "provenance": dict(model.provenance),
    }
    write_tensors(path, {**model.tensors, _MASK: model.recipe.mask}, header)


def read_model(path: Path | str) -> StoredModel:
    """Read a model file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ModelFileError
        If it is no model of this package, was written by a newer version, or is damaged.
    """
    tensors, header = read_tensors(path, content="model")
    try:
        mask = tensors.pop(_MASK).astype(bool)
        kind, architecture = header["kind"], header["architecture"]
        recipe = Recipe.from_settings(header["recipe"], mask)
        if mask.shape != recipe.size:
            raise ModelFileError(
                f"{path}: its signal mask has {mask.shape} pixels, but its recipe bins patterns to "
                f"{recipe.size}. Fetch or train the model again."
            )
        return StoredModel(
            kind=kind,
            architecture=architecture,
            recipe=recipe,
            tensors=tensors,
            provenance=header["provenance"],
        )
    except KeyError as missing:
        raise ModelFileError(f"{path}: the model file lacks {missing}; it is damaged") from missing


def require_tensors(
    path: Path | str, model: StoredModel, expected: Mapping[str, tuple[int, ...]]
) -> None:
    """Check that a model file holds the tensors that its architecture needs.

    Parameters
    ----------
    path
        Named in the error.
    model
        As read.
    expected
        Shape of each tensor by name.

    Raises
    ------
    ModelFileError
        If tensors are missing or of another shape.
    """
    missing = [name for name in expected if name not in model.tensors]
    if missing:
        raise ModelFileError(
            f"{path}: a {model.kind} model of this architecture has {len(expected)} tensors, but "
            f"{len(missing)} are missing from the file ({', '.join(missing[:3])}"
            f"{', …' if len(missing) > 3 else ''}). Fetch or train the model again."
        )
    for name, shape in expected.items():
        found = tuple(model.tensors[name].shape)
        if found != tuple(shape):
            raise ModelFileError(
                f"{path}: tensor {name} has shape {found}, but the architecture in the header "
                f"needs {tuple(shape)}. Fetch or train the model again."
            )


def write_tensors(
    path: Path | str, tensors: Mapping[str, NDArray], header: Mapping[str, Any]
) -> None:
    """Write tensors and a JSON header as one safetensors file, whole or not at all.

    Parameters
    ----------
    path
        Of the file.
    tensors
        By name.
    header
        Fit for JSON; its ``content`` says what the file is.
    """
    from safetensors.numpy import save

    text = json.dumps({"version": FORMAT_VERSION, **header}, allow_nan=False)
    contiguous = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    with replacing(Path(path)) as partial:
        # Not its save_file, whose files nobody else on a cluster may read.
        partial.write_bytes(save(contiguous, metadata={_HEADER: text}))


def read_tensors(path: Path | str, content: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Read tensors and JSON header of a safetensors file.

    Parameters
    ----------
    path
        Of the file.
    content
        What the file should be: its header's ``content``.

    Returns
    -------
    tensors, header
        As they were written.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ModelFileError
        If it is no such file of this package, was written by a newer version, or is damaged.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no {content} file of this name")
    try:
        with safe_open(path, framework="np") as file:
            header = _header(path, file.metadata(), content)
            # A copy each: nothing may point into a file that is about to be closed.
            return {name: np.array(file.get_tensor(name)) for name in file.keys()}, header  # noqa: SIM118
    except SafetensorError as error:
        raise ModelFileError(
            f"{path}: expected a {content} written by napari-kikuchi (safetensors), but the file "
            f"is damaged or of another format ({error})"
        ) from error


def _header(path: Path, metadata: Mapping[str, str] | None, content: str) -> dict[str, Any]:
    text = (metadata or {}).get(_HEADER)
    if text is None:
        raise ModelFileError(
            f"{path}: expected a {content} written by napari-kikuchi, found safetensors without "
            "its header; weights of other programs cannot be used"
        )
    header = json.loads(text)
    if header["version"] > FORMAT_VERSION:
        raise ModelFileError(
            f"{path}: written in format {header['version']}, but this napari-kikuchi reads up to "
            f"format {FORMAT_VERSION}. Update napari-kikuchi."
        )
    if header["content"] != content:
        raise ModelFileError(f"{path}: expected a {content}, found a {header['content']}")
    return header
