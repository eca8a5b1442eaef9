"""Map stacks on disk: OME-Zarr that other viewers open too.

A store is an OME-Zarr 0.5 image (zarr v3; axes c, y, x in µm), one chunk to a map, all in one file
(see :mod:`~napari_kikuchi.io.map_array`), so that showing a map reads that map. What OME-Zarr has
no words for, our provenance, scores, units and regions, stands under one attribute key,
``napari-kikuchi``.
"""

from __future__ import annotations

import glob
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from napari_kikuchi.io.array_metadata import open_zarr, read_small_array
from napari_kikuchi.io.atomic import move, replacing
from napari_kikuchi.io.map_array import MapArray
from napari_kikuchi.io.map_attributes import (
    KEY,
    MAPS,
    ome_attributes,
    our_attributes,
    window_of,
)
from napari_kikuchi.io.map_reading import described
from napari_kikuchi.io.provenance import checked_provenance
from napari_kikuchi.io.store_metadata import (
    METADATA,
    MapStoreError,
    damage_told,
    group_attributes,
    store_attributes,
)
from napari_kikuchi.jobs import Job, Progress, finish
from napari_kikuchi.maps import Channel, MapStack, Region
from napari_kikuchi.untrusted import own_file, parse_json, read_json

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ARRAYS = "arrays"
_FORMER_SUFFIX, _FORMER_DIGITS = ".former", 8


def read_provenance(path: str | Path) -> Mapping[str, Any]:
    """The provenance of a map store, without its maps: reads one small file only.

    Raises
    ------
    FileNotFoundError, MapStoreError
        As :func:`read_maps`.
    """
    path = Path(path)
    ours = store_attributes(path)[KEY]
    with damage_told(path):
        return checked_provenance(ours.get("provenance"))


def is_map_store(path: str | Path) -> bool:
    """Whether a folder holds maps that :func:`read_maps` reads; looks at one small file only."""
    try:
        return KEY in group_attributes(Path(path))
    except (OSError, ValueError):
        return False


def read_maps(path: str | Path) -> MapStack:
    """Open a map store.

    Parameters
    ----------
    path
        Folder that :func:`write_maps` or an encoding wrote.

    Returns
    -------
    MapStack
        Its values are a zarr array that reads a map when it is asked for.

    Raises
    ------
    FileNotFoundError
        If there is nothing at ``path``.
    MapStoreError
        If there is something else, a store of a newer format, or one that is not whole.
    """
    path = Path(path)
    attributes = store_attributes(path)
    with damage_told(path):
        found = described(attributes)
        maps = MapArray.found_in(path, path / MAPS)
        _check_count(len(found.channels), maps.shape[0])
        arrays = {name: read_small_array(path, path / _ARRAYS / name) for name in found.arrays}
    _check_whole(path, maps)
    return MapStack(
        values=open_zarr(maps.folder),
        channels=found.channels,
        step=found.step,
        provenance=found.provenance,
        regions=found.regions,
        arrays=arrays,
        path=path.absolute(),
    )


def write_maps(path: str | Path, stack: MapStack) -> None:
    """Save a map stack; a map store that lies at ``path`` is replaced once all is written.

    Values keep their type, but integers that float32 holds exactly become float32, as all maps
    of a scan are.

    Parameters
    ----------
    path
        Folder to write, by custom ``<name>.zarr``. Parent folders are made.
    stack
        Its values may be read from the store that is replaced.

    Raises
    ------
    FileExistsError
        If something lies at ``path`` that is no map store.
    TypeError
        If the provenance is not fit for JSON.
    """
    path = Path(path)
    check_target(path)
    json.dumps(stack.provenance)  # Fails before anything is written.
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(
        prefix=f"{path.name}.", dir=path.parent, ignore_cleanup_errors=True
    ) as temporary:
        folder = Path(temporary) / path.name
        maps = create_store(folder, stack.values.shape, _stored_dtype(stack.values))
        for i in range(len(stack)):
            maps.write_map(i, stack.map(i))
        finish(complete_store(folder, maps, stack))
        publish(folder, path)


def update_regions(path: str | Path, regions: Sequence[Region]) -> None:
    """Replace the regions of an existing store, leaving its maps alone.

    Raises
    ------
    FileNotFoundError, MapStoreError
        As :func:`read_maps`.
    """
    with changing(Path(path)) as ours:
        ours["regions"] = [asdict(region) for region in regions]


@contextmanager
def changing(path: Path) -> Iterator[dict[str, Any]]:
    """Our attributes of an existing store; what is changed in them is written at the end.

    Raises
    ------
    FileNotFoundError, MapStoreError
        As :func:`read_maps`.
    PermissionError
        If the store is write-protected.
    """
    attributes = store_attributes(path)
    with damage_told(path):
        described(attributes)
    file = path / METADATA
    if not os.access(file, os.W_OK):  # Where the folder is open, it could be replaced even so.
        raise PermissionError(f"{file} is write-protected")
    document = read_json(file)
    yield document["attributes"][KEY]
    text = json.dumps(document, indent=2)
    parse_json(text)  # What could not be read again is not written.
    with replacing(file) as partial:
        partial.write_text(text, encoding="utf-8")


def create_store(folder: Path, shape: tuple[int, int, int], dtype: np.dtype) -> MapArray:
    """Begin a store at a place where nothing lies yet; :func:`complete_store` makes it one.

    Parameters
    ----------
    folder
        To be made.
    shape
        Channels, rows and columns.
    dtype
        Type of the values.

    Returns
    -------
    MapArray
        To be filled in with the maps.
    """
    import zarr

    zarr.create_group(folder)
    return MapArray.create(folder / MAPS, shape, dtype)


def stored_array(folder: Path, shape: tuple[int, int, int], dtype: np.dtype) -> MapArray:
    """The file of a store's maps, whole or not."""
    return MapArray.at(folder / MAPS, shape, dtype)


def complete_store(
    folder: Path,
    maps: MapArray,
    stack: MapStack,
    *,
    score: Callable[[Channel, NDArray], float] | None = None,
) -> Job[None]:
    """Make a store of maps that are written.

    Parameters
    ----------
    folder
        Of the store.
    maps
        Filled in.
    stack
        What to write beside the maps; of its values only the shape is used.
    score
        Gives each map the score it is ranked by; None keeps the scores of the channels. It is
        called from several threads at once.

    Yields
    ------
    Progress
        Maps looked at so far.
    """
    import zarr

    def look(channel: int) -> tuple[Mapping[str, float], float | None]:
        values, told = maps.read_map(channel), stack.channels[channel]
        return window_of(values, told), told.score if score is None else score(told, values)

    message = "Reading the maps" if score is None else "Ranking the maps"
    windows, channels = [], []
    with ThreadPoolExecutor(os.cpu_count(), "look at maps") as pool:
        for channel, (window, given) in zip(
            stack.channels, pool.map(look, range(len(stack))), strict=True
        ):
            windows.append(window)
            channels.append(replace(channel, score=given))
            yield Progress(len(channels), len(stack), message)
    stack = replace(stack, channels=channels)
    group = zarr.open_group(folder, mode="r+")
    for name, small in stack.arrays.items():
        group.create_array(f"{_ARRAYS}/{name}", data=small, overwrite=True)
    for remains in folder.rglob("*.partial"):  # Zarr was writing them when it was killed.
        remains.unlink()
    maps.values.sync()
    # Written last: a store is one only when it is whole.
    attributes = {"ome": ome_attributes(stack, windows), KEY: our_attributes(stack)}
    parse_json(json.dumps(attributes))  # What could not be read again is not written.
    group.update_attributes(attributes)


def publish(folder: Path, path: Path) -> None:
    """Move a finished store to its place; what lies there is deleted only after that.

    Raises
    ------
    PermissionError
        If another program keeps one of the two open, as Windows does not allow. Both stay.
    """
    former = path.with_name(f"{path.name}.{uuid4().hex[:_FORMER_DIGITS]}{_FORMER_SUFFIX}")
    try:
        if path.exists():
            move(path, former)
        move(folder, path)
    except BaseException as error:
        if former.exists():
            error.add_note(f"The older maps are in {former}.")
            move(former, path)
        if isinstance(error, PermissionError):
            raise PermissionError(
                f"{path}: the finished maps could not be moved here ({error}). Close the programs "
                "that have the old maps open and try again."
            ) from error
        raise
    for former in _formers(path):
        shutil.rmtree(former, ignore_errors=True)


def restore(path: Path) -> None:
    """Put an older store back that a crash in :func:`publish` has left beside its place."""
    if not path.exists():
        for former in _formers(path)[:1]:
            move(former, path)


def _formers(path: Path) -> list[Path]:
    # Not those of a store whose name goes on after this one's.
    between = "[0-9a-f]" * _FORMER_DIGITS
    return list(path.parent.glob(f"{glob.escape(path.name)}.{between}{_FORMER_SUFFIX}"))


def check_target(path: Path) -> None:
    """Check that writing a store would destroy nothing but an older store.

    Raises
    ------
    FileExistsError
        If something else lies at ``path``.
    """
    if path.exists() and not is_map_store(path):
        raise FileExistsError(
            f"{path}: this exists and is no map store, so it is not overwritten. Choose another "
            "name, such as one that ends with .zarr."
        )


def _stored_dtype(values: Any) -> np.dtype:
    dtype = np.dtype(values.dtype)
    if dtype.kind == "b":
        return np.dtype(np.float32)
    if np.issubdtype(dtype, np.integer):
        exact = all(
            np.array_equal(one.astype(np.float32).astype(dtype), one)
            for one in (np.asarray(values[i]) for i in range(values.shape[0]))
        )
        if exact:
            return np.dtype(np.float32)
    return dtype.newbyteorder("=")


def _check_count(told: int, found: int) -> None:
    if told != found:
        raise ValueError(f"expected {told} maps, one for each channel, found {found}")


def _check_whole(path: Path, maps: MapArray) -> None:
    """Check that zarr finds each map where it lies, in a file as long as the maps need."""
    if not maps.is_whole():
        found = maps.file.stat().st_size if maps.file.exists() else "none"
        raise MapStoreError(
            f"{maps.file}: expected a file of {maps.file_bytes} bytes, found {found}. The store "
            f"was not copied whole: copy {path} again, or make the maps anew."
        )
    with damage_told(path):
        own_file(path, maps.file)
        if not maps.has_own_index():
            raise ValueError(f"{maps.file} does not end with the places of the maps in it")
