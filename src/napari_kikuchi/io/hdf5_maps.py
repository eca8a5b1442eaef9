"""Map stacks as plain HDF5, for MATLAB, h5py and whatever else reads an array.

::

    /maps/<name>      float32, rows x columns; attributes name, unit, step_y_um and step_x_um
    /regions/<name>   y and x of each vertex in µm; attributes name and shape_type
    /arrays/<name>    what belongs to the provenance, such as the static background
    /provenance       JSON
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.io.atomic import replacing
from napari_kikuchi.io.gathered import unique_names
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.maps import MapStack

if TYPE_CHECKING:
    import h5py

# Attribute by which a file of ours is known, and its format.
_KEY = "napari-kikuchi"
_FORMAT = 1


def write_hdf5_maps(path: str | Path, stack: MapStack) -> Job[Path]:
    """Write a map stack as plain HDF5.

    Parameters
    ----------
    path
        File to write. One that this function wrote is replaced once all is written.
    stack
        May be on disk: one map at a time is read.

    Yields
    ------
    Progress
        Maps written.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    FileExistsError
        If something else lies at ``path``: it may be a measured scan.
    TypeError
        If the provenance is not fit for JSON.
    """
    import h5py

    path = Path(path)
    _check_target(path)
    provenance = json.dumps(dict(stack.provenance), ensure_ascii=False)
    with replacing(path) as partial, h5py.File(partial, "w", track_order=True) as file:
        file.attrs[_KEY] = _FORMAT
        file["provenance"] = provenance
        _write_regions(file, stack)
        for key, array in zip(dataset_names(stack.arrays), stack.arrays.values(), strict=True):
            file.create_dataset(f"arrays/{key}", data=array)
        maps = file.create_group("maps", track_order=True)
        for i, key in enumerate(dataset_names(stack.names)):
            channel = stack.channels[i]
            dataset = maps.create_dataset(
                key,
                data=stack.map(i).astype(np.float32, copy=False),
                chunks=True,
                compression="gzip",
                shuffle=True,
            )
            dataset.attrs["name"] = channel.name
            dataset.attrs["unit"] = channel.unit
            dataset.attrs["step_y_um"], dataset.attrs["step_x_um"] = map(float, stack.step)
            yield Progress(i + 1, len(stack), "Writing the maps")
    return path


def _check_target(path: Path) -> None:
    import h5py

    if not path.exists():
        return
    try:
        with h5py.File(path) as file:
            ours = _KEY in file.attrs
    except OSError:
        ours = False
    if not ours:
        raise FileExistsError(
            f"{path}: this exists and holds no maps that napari-kikuchi wrote, so it is not "
            "overwritten. Choose another name."
        )


def _write_regions(file: h5py.File, stack: MapStack) -> None:
    regions = file.create_group("regions", track_order=True)
    for key, region in zip(
        dataset_names(one.name for one in stack.regions), stack.regions, strict=True
    ):
        dataset = regions.create_dataset(key, data=np.asarray(region.vertices, np.float64))
        dataset.attrs["name"] = region.name
        dataset.attrs["shape_type"] = region.shape_type


def dataset_names(names: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """Names under which datasets can stand beside each other; a slash would begin a group.

    Parameters
    ----------
    names
        Of maps, regions or arrays.
    taken
        Names of what stands there already.
    """
    plain = (name.replace("/", "_").strip(".") or "unnamed" for name in names)
    return unique_names(plain, taken)
