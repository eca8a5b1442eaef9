"""Safetensors files that are filled in and read where their tensors lie, without memory for all."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_kikuchi.io.weights import (
    FORMAT_VERSION,
    HEADER,
    LENGTH_BYTES,
    METADATA,
    ModelFileError,
    own_header,
    tensor_table,
)
from napari_kikuchi.untrusted import shortened

# What is in front of the tensors, with room for whatever is told of them in the end.
HEADER_BYTES = 2**19
_ITEM_BYTES = {"I32": 4, "F32": 4}


@dataclass(frozen=True)
class TensorPlace:
    """Where a tensor lies in a file.

    Attributes
    ----------
    dtype
        As safetensors names it: ``"I32"`` or ``"F32"``.
    shape
        Of the tensor.
    begin
        At which byte of the file it begins.
    """

    dtype: str
    shape: tuple[int, ...]
    begin: int

    @property
    def end(self) -> int:
        """At which byte of the file it ends."""
        return self.begin + math.prod(self.shape) * _ITEM_BYTES[self.dtype]


def placed(tensors: Mapping[str, tuple[str, tuple[int, ...]]]) -> dict[str, TensorPlace]:
    """Where tensors go in a file that is made: one after the other behind its header.

    Parameters
    ----------
    tensors
        Type and shape by name.
    """
    places: dict[str, TensorPlace] = {}
    begin = HEADER_BYTES
    for name, (dtype, shape) in tensors.items():
        places[name] = TensorPlace(dtype, shape, begin)
        begin = places[name].end
    return places


def header_bytes(places: Mapping[str, TensorPlace], header: Mapping[str, Any]) -> bytes:
    """What comes in front of the tensors.

    Parameters
    ----------
    places
        As :func:`placed` gives them.
    header
        As for :func:`~napari_kikuchi.io.weights.write_tensors`.

    Raises
    ------
    ValueError
        If it tells more than there is room for.
    """
    told = json.dumps({"version": FORMAT_VERSION, **header}, allow_nan=False)
    table: dict[str, Any] = {METADATA: {HEADER: told}}
    for name, place in places.items():
        offsets = [place.begin - HEADER_BYTES, place.end - HEADER_BYTES]
        table[name] = {"dtype": place.dtype, "shape": place.shape, "data_offsets": offsets}
    length = HEADER_BYTES - LENGTH_BYTES
    text = json.dumps(table).encode().ljust(length)
    if len(text) > length:
        raise ValueError(f"expected a header of at most {length} bytes, found {len(text)}")
    return length.to_bytes(LENGTH_BYTES, "little") + text


def find_tensors(
    path: Path, content: str, expected: Mapping[str, tuple[str, int]]
) -> tuple[dict[str, TensorPlace], Mapping[str, Any]]:
    """Where the tensors of a file lie, and its header; the tensors are not read.

    Parameters
    ----------
    path
        Of the file.
    content
        What the file should be: its header's ``content``.
    expected
        Type and number of dimensions of each tensor by name.

    Returns
    -------
    places, header
        Of the tensors by name, checked to lie in the file; and as it was written.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ModelFileError
        If it is no such file of this package, was written by a newer version, or is damaged.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no {content} file of this name")
    try:
        table = tensor_table(path)
        header = own_header(path, table, content)
        # Checks that the tensors fill the file.
        with safe_open(path, framework="np") as whole:
            whole.keys()
        with path.open("rb") as file:
            first = LENGTH_BYTES + int.from_bytes(file.read(LENGTH_BYTES), "little")
        found = {
            name: TensorPlace(
                table[name]["dtype"],
                tuple(table[name]["shape"]),
                first + table[name]["data_offsets"][0],
            )
            for name in expected
            if name in table
        }
        for name, (dtype, dimensions) in expected.items():
            place = found.get(name)
            if place is None or place.dtype != dtype or len(place.shape) != dimensions:
                told = "none" if place is None else f"{place.dtype} of shape {place.shape}"
                raise ValueError(f"expected {name} as {dtype} of {dimensions} sides, found {told}")
    except ModelFileError:
        raise
    except (ValueError, SafetensorError) as error:
        raise ModelFileError(
            f"{path}: expected a {content} written by napari-kikuchi (safetensors), but the file "
            f"is damaged or of another format ({shortened(error)})"
        ) from error
    return found, header
