"""Trained models on disk: safetensors with one JSON header.

A downloaded model must not run code, so nothing is ever pickled. The header holds what the
numbers mean: the kind of model and its architecture, the recipe by which patterns are prepared
for it, and where it comes from. The recipe's signal mask is one more tensor.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.io.atomic import replacing
from napari_kikuchi.recipe import Recipe
from napari_kikuchi.untrusted import (
    MOST_BYTES,
    integer,
    mapping,
    parse_json,
    sequence,
    shortened,
    shown,
    text,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMAT_VERSION = 1
HEADER = "napari-kikuchi"
_MASK = "recipe.mask"
# Of safetensors: entry of its table that is no tensor, and what its first bytes say, its length.
METADATA, LENGTH_BYTES = "__metadata__", 8
# Far beyond any model: how many tensors, and dimensions of each.
_MOST_TENSORS, _MOST_SIDES = 10_000, 8
# Those that numpy knows.
_TYPES = ("BOOL", "U8", "I8", "U16", "I16", "U32", "I32", "U64", "I64", "F16", "F32", "F64")
_REMEDY = "Fetch or train the model again."


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
        """SHA-256 of the weights, see :func:`digest_of`."""
        return digest_of(self.tensors)


def digest_of(tensors: Mapping[str, NDArray]) -> str:
    """SHA-256 of weights; of nothing that changes when the same model is saved again.

    Those that a file keeps in half precision count as what they are once they are used.
    """
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = np.ascontiguousarray(tensors[name])
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
    with damage_told(path):
        return StoredModel(
            kind=text(header.get("kind"), "the kind of the model"),
            architecture=mapping(header.get("architecture"), "the architecture"),
            recipe=_recipe(header, tensors.pop(_MASK, None)),
            tensors=tensors,
            provenance=mapping(header.get("provenance"), "the provenance"),
        )


@contextmanager
def damage_told(path: Path | str, remedy: str = _REMEDY) -> Iterator[None]:
    """Name the file in which something else was found than expected, and what to do.

    Raises
    ------
    ModelFileError
        For any other ValueError.
    """
    try:
        yield
    except ModelFileError:
        raise
    except ValueError as error:
        raise ModelFileError(f"{path}: {error}. {remedy}") from error


def _recipe(header: Mapping[str, Any], mask: NDArray | None) -> Recipe:
    if mask is None:
        raise ValueError("expected the signal mask of the recipe, found none")
    recipe = Recipe.from_settings(header.get("recipe", {}), mask.astype(bool))
    if mask.shape != recipe.size:
        raise ValueError(
            f"its signal mask has {mask.shape} pixels, but its recipe bins patterns to "
            f"{recipe.size}"
        )
    if not mask.any():
        raise ValueError("its signal mask is empty, expected one pixel at least")
    return recipe


def require_tensors(
    path: Path | str,
    kind: str,
    tensors: Mapping[str, NDArray],
    expected: Mapping[str, tuple[int, ...]],
    *,
    whole: bool = False,
) -> None:
    """Check that a model file holds the tensors that its architecture needs.

    Parameters
    ----------
    path
        Named in the error.
    kind
        Of the model.
    tensors
        As read, by name.
    expected
        Shape of each tensor by name.
    whole
        Whether they are of signed whole numbers, not of floating point.

    Raises
    ------
    ModelFileError
        If tensors are missing or of another shape.
    """
    missing = [name for name in expected if name not in tensors]
    if missing:
        raise ModelFileError(
            f"{path}: a {kind} model of this architecture has {len(expected)} tensors, but "
            f"{len(missing)} are missing from the file ({', '.join(missing[:3])}"
            f"{', …' if len(missing) > 3 else ''}). {_REMEDY}"
        )
    for name, shape in expected.items():
        tensor = tensors[name]
        if tensor.shape != tuple(shape):
            raise ModelFileError(
                f"{path}: tensor {name} has shape {tensor.shape}, but the architecture in the "
                f"header needs {tuple(shape)}. {_REMEDY}"
            )
        if tensor.dtype.kind != ("i" if whole else "f"):
            raise ModelFileError(
                f"{path}: tensor {name} is of type {tensor.dtype}, expected "
                f"{'whole numbers' if whole else 'floating point'}. {_REMEDY}"
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
        partial.write_bytes(save(contiguous, metadata={HEADER: text}))


def read_tensors(
    path: Path | str, content: str
) -> tuple[dict[str, NDArray[Any]], Mapping[str, Any]]:
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
        header = own_header(path, tensor_table(path), content)
        with safe_open(path, framework="np") as file:
            # A copy each: nothing may point into a file that is about to be closed.
            return {name: np.array(file.get_tensor(name)) for name in file.keys()}, header  # noqa: SIM118
    except ModelFileError:
        raise
    except (ValueError, SafetensorError) as error:
        raise ModelFileError(
            f"{path}: expected a {content} written by napari-kikuchi (safetensors), but the file "
            f"is damaged or of another format ({shortened(error)})"
        ) from error


def tensor_table(path: Path) -> Mapping[str, Any]:
    """What a safetensors file says of its tensors, checked before room is made for any.

    That they lie side by side and fill the file is checked by safetensors.

    Raises
    ------
    ValueError
        If it says what cannot be.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(LENGTH_BYTES), "little")
        if not 0 < length <= min(size - LENGTH_BYTES, MOST_BYTES):
            raise ValueError(
                f"expected a header that fits the file of {size} bytes, found one of {length} bytes"
            )
        table = mapping(parse_json(file.read(length)), "the header")
    if len(table) > _MOST_TENSORS:
        raise ValueError(f"expected at most {_MOST_TENSORS} tensors, found {len(table)}")
    for name, tensor in table.items():
        if name != METADATA:
            _check_tensor(name, mapping(tensor, f"tensor {shown(name)}"), size)
    return table


def _check_tensor(name: str, tensor: Mapping[str, Any], size: int) -> None:
    what = f"tensor {shown(name)}"
    if text(tensor.get("dtype"), f"the type of {what}") not in _TYPES:
        raise ValueError(
            f"expected {what} of one of the types {', '.join(_TYPES)}, found "
            f"{shown(tensor['dtype'])}"
        )
    shape = sequence(tensor.get("shape"), f"the shape of {what}")
    sides = [integer(side, f"a side of {what}", most=size) for side in shape]
    # Of an empty tensor the other sides count, too: numpy multiplies them.
    if len(sides) > _MOST_SIDES or math.prod(side or 1 for side in sides) > size:
        raise ValueError(f"expected {what} to fit the file, found one of shape {shown(sides)}")


def own_header(path: Path, table: Mapping[str, Any], content: str) -> Mapping[str, Any]:
    """The JSON header that this package wrote among the metadata of a safetensors file.

    Parameters
    ----------
    path
        Named in the error.
    table
        As :func:`tensor_table` gives it.
    content
        What the file should be.

    Raises
    ------
    ModelFileError
        If it is something else, or was written by a newer version.
    ValueError
        If the header is damaged.
    """
    told = mapping(table.get(METADATA, {}), "the metadata").get(HEADER)
    if told is None:
        raise ModelFileError(
            f"{path}: expected a {content} written by napari-kikuchi, found safetensors without "
            "its header; weights of other programs cannot be used"
        )
    header = mapping(parse_json(text(told, "the header", MOST_BYTES)), "the header")
    version = integer(header.get("version"), "the version of the format", 1)
    if version > FORMAT_VERSION:
        raise ModelFileError(
            f"{path}: written in format {version}, but this napari-kikuchi reads up to "
            f"format {FORMAT_VERSION}. Update napari-kikuchi."
        )
    found = text(header.get("content"), "what the file holds")
    if found != content:
        raise ModelFileError(f"{path}: expected a {content}, found a {found[:60]}")
    return header
