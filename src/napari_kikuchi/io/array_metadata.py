"""What the zarr.json of an array says, checked before zarr and numpy act on it.

zarr makes room for whatever shape a file gives, and runs whatever codecs it names. So only what is
written here is taken: plain values, and for small arrays zarr's own compression.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.untrusted import (
    integer,
    mapping,
    number,
    own_file,
    read_json,
    sequence,
    shown,
    text,
    truth,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Of a small array: such as a mask of a camera's full frame, and how many files hold it.
_MOST_BYTES, _MOST_CHUNKS = 32 * 2**20, 1024
_MOST_SIDES = 8
_TYPES = {
    name: np.dtype(name)
    for name in (
        *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
        *("float16", "float32", "float64"),
    )
}
_NO_NUMBERS = ("NaN", "Infinity", "-Infinity")
_KEYS = {
    "shape",
    "data_type",
    "chunk_grid",
    "chunk_key_encoding",
    "fill_value",
    "codecs",
    "attributes",
    "dimension_names",
    "zarr_format",
    "node_type",
    "storage_transformers",
}
#: Codecs that leave values as they are.
LITTLE = {"name": "bytes", "configuration": {"endian": "little"}}
# A type of single bytes has no order of bytes.
PLAIN = ({"name": "bytes"}, LITTLE)
_KEY_ENCODINGS = (
    {"name": "default"},
    {"name": "default", "configuration": {"separator": "/"}},
)
_ZSTD_KEYS = {"name", "configuration", "level", "checksum"}
# At the beginning of a compressed file, and how long its header is at most.
_ZSTD_MAGIC, _ZSTD_HEADER = b"\x28\xb5\x2f\xfd", 18


@dataclass(frozen=True)
class ArrayMetadata:
    """An array on disk, of which nothing but zarr.json has been read.

    Attributes
    ----------
    folder
        Of the array.
    shape
        Of its values.
    dtype
        Of its values.
    chunk_shape
        Of the values in one file.
    codecs
        How they are put into the file, as zarr words it.
    """

    folder: Path
    shape: tuple[int, ...]
    dtype: np.dtype
    chunk_shape: tuple[int, ...]
    codecs: tuple[Mapping[str, Any], ...]


def read_metadata(root: Path, folder: Path) -> ArrayMetadata:
    """Read the zarr.json of an array.

    Parameters
    ----------
    root
        Folder of the store, out of which nothing may lead.
    folder
        Of the array.

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If it is no array that is written here.
    """
    found = mapping(read_json(own_file(root, folder / "zarr.json")), "zarr.json")
    _check(found.keys() <= _KEYS, "other entries in zarr.json", sorted(found.keys() - _KEYS))
    integer(found.get("zarr_format"), "the format of zarr", 3, 3)
    _check(found.get("node_type") == "array", "an array of zarr", found.get("node_type"))
    # zarr takes no other nothing than an empty list.
    _check(found.get("storage_transformers", []) == [], "no transformers", found)
    _check(found.get("chunk_key_encoding") in _KEY_ENCODINGS, "zarr's own names of chunks", found)
    mapping(found.get("attributes", {}), "attributes")
    shape = _sides(found.get("shape"), "the shape of an array")
    kind = text(found.get("data_type"), "the type of an array")
    _check(kind in _TYPES, f"an array of one of the types {', '.join(_TYPES)}", kind)
    _check_fill_value(found.get("fill_value"), _TYPES[kind])
    if (names := found.get("dimension_names")) is not None:
        for name in sequence(names, "names of dimensions", len(shape)):
            _check(name is None or isinstance(name, str), "names of dimensions", name)
    grid = mapping(found.get("chunk_grid"), "a chunk grid")
    _check(grid.get("name") == "regular", "regular chunks", grid.get("name"))
    chunk = _sides(mapping(grid.get("configuration"), "chunks").get("chunk_shape"), "a chunk")
    _check(len(chunk) == len(shape), "chunks of as many sides as the array", chunk)
    codecs = tuple(mapping(one, "a codec") for one in sequence(found.get("codecs"), "codecs"))
    return ArrayMetadata(folder, shape, _TYPES[kind], chunk, codecs)


def read_small_array(root: Path, folder: Path) -> NDArray:
    """Read an array whole.

    Raises
    ------
    FileNotFoundError, ValueError
        As :func:`read_metadata`, and if it is large, or its files are not what it says.
    """
    array = read_metadata(root, folder)
    packed = [one for one in array.codecs if one.get("name") == "zstd"]
    _check(
        array.codecs[:1] and array.codecs[0] in PLAIN and list(array.codecs[1:]) == packed[:1],
        "an array in plain or zstd codecs",
        array.codecs,
    )
    for one in packed:
        settings = mapping(one.get("configuration"), "a codec")
        _check(one.keys() | settings.keys() <= _ZSTD_KEYS, "a codec of zstd", one)
        integer(settings.get("level"), "the level of a codec", -131_072, 22)
        truth(settings.get("checksum"), "the checksum of a codec")
    if array.dtype.itemsize > 1:
        _check(array.codecs[0] == LITTLE, "values in little endian", array.codecs[0])
    chunk_bytes = math.prod(array.chunk_shape) * array.dtype.itemsize
    for size in (math.prod(array.shape) * array.dtype.itemsize, chunk_bytes):
        _check(size <= _MOST_BYTES, f"an array of at most {_MOST_BYTES} bytes", size)
    for file in _chunk_files(root, array):
        _check_chunk(file, chunk_bytes, bool(packed))
    return _read(folder)


def open_zarr(folder: Path) -> Any:
    """The zarr array whose metadata have been read: nothing but its own folder is looked at."""
    import zarr
    from zarr.storage import LocalStore

    return zarr.open_array(LocalStore(folder, read_only=True), mode="r", zarr_format=3)


def _read(folder: Path) -> NDArray:
    try:
        return np.asarray(open_zarr(folder)[...])
    except RuntimeError as error:  # of the compression
        raise ValueError(f"the compressed values in {folder} are damaged ({error})") from error


def _chunk_files(root: Path, array: ArrayMetadata) -> Iterator[Path]:
    """Those that are there: zarr leaves out a chunk that holds the fill value alone."""
    counts = [-(-side // chunk) for side, chunk in zip(array.shape, array.chunk_shape, strict=True)]
    _check(math.prod(counts) <= _MOST_CHUNKS, f"at most {_MOST_CHUNKS} chunks", counts)
    for place in product(*map(range, counts)):
        file = array.folder.joinpath("c", *map(str, place))
        if file.exists() or file.is_symlink():
            yield own_file(root, file)


def _check_chunk(file: Path, chunk_bytes: int, packed: bool) -> None:
    size = file.stat().st_size
    if packed:
        # What cannot be made smaller becomes a little larger.
        _check(size <= chunk_bytes + chunk_bytes // 128 + 1024, f"less in {file}", size)
        with file.open("rb") as opened:
            size = _unpacked_bytes(opened.read(_ZSTD_HEADER))
    _check(size == chunk_bytes, f"{chunk_bytes} bytes of values in {file}", size)


def _unpacked_bytes(head: bytes) -> int:
    """Size that the header of a zstd frame (RFC 8878, 3.1.1.1) gives for what is packed in it.

    The decoder makes room for it before it looks at the rest. -1 if there is no such size.
    """
    head = head.ljust(_ZSTD_HEADER, b"\0")
    flags = head[4]
    single = bool(flags & 0x20)
    begin = 5 + (not single) + (0, 1, 2, 4)[flags & 3]
    length = (1 if single else 0, 2, 4, 8)[flags >> 6]
    if head[:4] != _ZSTD_MAGIC or not length:
        return -1
    size = int.from_bytes(head[begin : begin + length], "little")
    return size + 256 if length == 2 else size


def _sides(found: Any, what: str) -> tuple[int, ...]:
    sides = sequence(found, what)
    _check(len(sides) <= _MOST_SIDES, f"{what} with at most {_MOST_SIDES} sides", len(sides))
    return tuple(integer(side, f"a side of {what}", 1) for side in sides)


def _check_fill_value(found: Any, dtype: np.dtype) -> None:
    what = "a fill value"
    if dtype.kind == "b":
        truth(found, what)
    elif dtype.kind == "f":
        limits = np.finfo(dtype)
        found in _NO_NUMBERS or number(found, what, float(limits.min), float(limits.max))
    else:
        integer(found, what, np.iinfo(dtype).min, np.iinfo(dtype).max)


def _check(holds: object, expected: str, found: object) -> None:
    """Raise ValueError where something does not hold."""
    if not holds:
        raise ValueError(f"expected {expected}, found {shown(found)}")
