"""Map stacks on disk: OME-Zarr that other viewers open too.

A store is an OME-Zarr 0.5 image (zarr v3; axes c, y, x in µm), one chunk to a map up to 2048 x
2048 positions, so that showing a map reads that map. What OME-Zarr has no words for, our
provenance, scores, units and regions, stands under one attribute key, ``napari-kikuchi``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.io.atomic import move, replacing
from napari_kikuchi.jobs import Job, Progress, finish
from napari_kikuchi.maps import Channel, MapStack, Region, contrast_limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEY = "napari-kikuchi"
FORMAT = 1
PARTIAL_SUFFIX = ".partial"

_MAX_CHUNK = 2048
_ARRAYS = "arrays"
# OMERO draws a channel from black to one colour: that of napari's one-colour maps, else white.
_COLORS = {
    "red": "FF0000",
    "green": "00FF00",
    "blue": "0000FF",
    "cyan": "00FFFF",
    "magenta": "FF00FF",
    "yellow": "FFFF00",
}


class MapStoreError(ValueError):
    """A path that holds no map store that this version can read."""


def is_map_store(path: str | Path) -> bool:
    """Whether a folder holds maps that :func:`read_maps` reads; looks at one small file only."""
    return KEY in _group_attributes(Path(path))


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
        If there is something else, or a store of a newer format.
    """
    import zarr

    path = Path(path)
    attributes = _store_attributes(path)
    ours = attributes[KEY]
    (dataset,) = attributes["ome"]["multiscales"][0]["datasets"]
    step = dataset["coordinateTransformations"][0]["scale"][1:]
    group = zarr.open_group(path, mode="r")
    return MapStack(
        values=group[dataset["path"]],
        channels=[Channel(**channel) for channel in ours["channels"]],
        step=(step[0], step[1]),
        provenance=ours["provenance"],
        regions=[_region_from_json(region) for region in ours["regions"]],
        arrays={name: np.asarray(group[f"{_ARRAYS}/{name}"]) for name in ours["arrays"]},
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
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(
        prefix=f"{path.name}.", dir=path.parent, ignore_cleanup_errors=True
    ) as temporary:
        folder = Path(temporary) / path.name
        maps = (stack.map(i) for i in range(len(stack)))
        finish(build_store(folder, stack, maps, dtype=_stored_dtype(stack.values)))
        publish(folder, path)


def update_regions(path: str | Path, regions: Sequence[Region]) -> None:
    """Replace the regions of an existing store, leaving its maps alone.

    Raises
    ------
    FileNotFoundError, MapStoreError
        As :func:`read_maps`.
    """
    path = Path(path)
    _store_attributes(path)
    document = json.loads(_metadata_file(path).read_text(encoding="utf-8"))
    document["attributes"][KEY]["regions"] = [asdict(region) for region in regions]
    with replacing(_metadata_file(path)) as partial:
        partial.write_text(json.dumps(document, indent=2), encoding="utf-8")


def build_store(
    folder: Path,
    stack: MapStack,
    maps: Iterable[NDArray],
    *,
    dtype: np.dtype,
    score: Callable[[NDArray], float] | None = None,
) -> Job[MapStack]:
    """Write a store at a place where nothing lies yet, one map in memory at a time.

    Parameters
    ----------
    folder
        To be made.
    stack
        What to write beside the maps; of its values only the shape is used.
    maps
        The maps, in the order of the channels.
    dtype
        Type in which they are stored.
    score
        Gives each map the score it is ranked by; None keeps the scores of the channels.

    Yields
    ------
    Progress
        Maps written so far.

    Returns
    -------
    MapStack
        ``stack`` with the scores given.
    """
    import zarr

    json.dumps(stack.provenance)  # Fails before anything is written.
    count, rows, cols = stack.values.shape
    group = zarr.create_group(folder)
    array = group.create_array(
        "0",
        shape=(count, rows, cols),
        dtype=dtype,
        chunks=(1, min(rows, _MAX_CHUNK), min(cols, _MAX_CHUNK)),
        dimension_names=("c", "y", "x"),
    )
    channels, windows = [], []
    for i, (channel, values) in enumerate(zip(stack.channels, maps, strict=True)):
        values = np.asarray(values, dtype)
        array[i] = values
        windows.append(_window(values))
        channels.append(channel if score is None else replace(channel, score=score(values)))
        yield Progress(i + 1, count, "Writing the maps")
    for name, small in stack.arrays.items():
        group.create_array(f"{_ARRAYS}/{name}", data=small)
    stack = replace(stack, channels=channels)
    # Written last: a store is one only when it is whole.
    group.update_attributes({"ome": _ome_attributes(stack, windows), KEY: _our_attributes(stack)})
    return stack


def publish(folder: Path, path: Path) -> None:
    """Move a finished store to its place; what lies there is deleted only after that.

    Raises
    ------
    PermissionError
        If another program keeps one of the two open, as Windows does not allow. Both stay.
    """
    with TemporaryDirectory(
        prefix=f"{path.name}.", dir=path.parent, ignore_cleanup_errors=True
    ) as aside:
        former = Path(aside) / path.name
        try:
            if path.exists():
                move(path, former)
            move(folder, path)
        except OSError as error:
            if former.exists():
                move(former, path)
            raise PermissionError(
                f"{path}: the finished maps could not be moved here ({error}). Close the programs "
                "that have the old maps open and try again."
            ) from error


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


def _metadata_file(path: Path) -> Path:
    return path / "zarr.json"


def _group_attributes(path: Path) -> Mapping[str, Any]:
    try:
        document = json.loads(_metadata_file(path).read_text(encoding="utf-8"))
        return document["attributes"]
    except (OSError, ValueError, LookupError, TypeError):
        return {}


def _store_attributes(path: Path) -> Mapping[str, Any]:
    attributes = _group_attributes(path)
    if KEY not in attributes:
        if not path.exists():
            raise FileNotFoundError(f"{path}: there is no map store here")
        if path.name.endswith(PARTIAL_SUFFIX):
            raise MapStoreError(
                f"{path}: these maps are not finished. Run the encoding that began them again: it "
                "goes on where it stopped."
            )
        raise MapStoreError(
            f"{path}: expected a folder of maps that napari-kikuchi wrote (a zarr.json with the "
            f'attribute "{KEY}"), found something else. A scan is encoded into one with '
            "napari-kikuchi encode."
        )
    found = attributes[KEY].get("format")
    if found != FORMAT:
        raise MapStoreError(
            f"{path}: maps of format {found}; this version of napari-kikuchi reads format "
            f"{FORMAT}. Update napari-kikuchi."
        )
    return attributes


def _ome_attributes(stack: MapStack, windows: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    # All channels at once would be drawn over each other: only the best is shown.
    shown = stack.ranking()[:1]
    return {
        "version": "0.5",
        "multiscales": [
            {
                "axes": [
                    {"name": "c", "type": "channel"},
                    {"name": "y", "type": "space", "unit": "micrometer"},
                    {"name": "x", "type": "space", "unit": "micrometer"},
                ],
                "datasets": [
                    {
                        "path": "0",
                        "coordinateTransformations": [
                            {"type": "scale", "scale": [1.0, *map(float, stack.step)]}
                        ],
                    }
                ],
            }
        ],
        "omero": {
            "channels": [
                {
                    "label": channel.name,
                    "color": _COLORS.get(channel.colormap, "FFFFFF"),
                    "window": window,
                    "active": i in shown,
                }
                for i, (channel, window) in enumerate(zip(stack.channels, windows, strict=True))
            ]
        },
    }


def _our_attributes(stack: MapStack) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "channels": [asdict(channel) for channel in stack.channels],
        "provenance": dict(stack.provenance),
        "regions": [asdict(region) for region in stack.regions],
        "arrays": list(stack.arrays),
    }


def _region_from_json(region: Mapping[str, Any]) -> Region:
    vertices = tuple((float(y), float(x)) for y, x in region["vertices"])
    return Region(region["name"], region["shape_type"], vertices)


def _window(values: NDArray) -> dict[str, float]:
    start, end = contrast_limits(values)
    finite = values[np.isfinite(values)]
    low, high = (finite.min(), finite.max()) if finite.size else (start, end)
    return {"min": min(float(low), start), "max": max(float(high), end), "start": start, "end": end}
