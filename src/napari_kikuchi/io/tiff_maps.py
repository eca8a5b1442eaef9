"""Map stacks as TIFF, for ImageJ, Fiji and whatever else opens a picture."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from napari_kikuchi.io.atomic import replacing
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.maps import MapStack

# Where the 32-bit offsets of a TIFF that ImageJ reads end, less room for what describes the maps.
_MOST_BYTES = 2**32 - 2**25


def write_tiff_maps(path: str | Path, stack: MapStack) -> Job[Path]:
    """Write a map stack as an ImageJ hyperstack: one page for each map, in float32.

    ImageJ shows each map with its name, between the limits at which napari shows it, and on a
    scale in µm. Provenance and regions stand in the picture's info (Image > Show Info…) as JSON.

    Parameters
    ----------
    path
        File to write; an older one is replaced once all is written.
    stack
        May be on disk: one map at a time is read.

    Yields
    ------
    Progress
        Maps looked at, then maps written.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ValueError
        If the maps need 4 GB or more, which ImageJ cannot read.
    TypeError
        If the provenance is not fit for JSON.
    """
    import tifffile

    path = Path(path)
    needed = int(np.prod(stack.values.shape, dtype=np.int64)) * np.dtype(np.float32).itemsize
    check_size(path, f"{len(stack)} maps", needed, "Choose fewer maps, or write HDF5 (.h5).")
    told = _told(stack)
    limits = []
    for i, channel in enumerate(stack.channels):
        limits.append(channel.contrast(stack.map(i)))
        yield Progress(i + 1, len(stack), "Reading the maps")
    height, width = stack.step
    with replacing(path) as partial:
        placed = tifffile.imwrite(
            partial,
            shape=tuple(stack.values.shape),
            dtype=np.float32,
            byteorder=">",
            imagej=True,
            resolution=(1 / width, 1 / height),
            metadata={
                "axes": "CYX",
                "mode": "grayscale",
                "unit": "um",
                # ImageJ takes the ranges for a hyperstack, and these two for a single map.
                "min": limits[0][0],
                "max": limits[0][1],
                "Ranges": tuple(limit for pair in limits for limit in pair),
                "Labels": stack.names,
                "Info": json.dumps(told, ensure_ascii=False, indent=2),
            },
            returnoffset=True,
        )
        with partial.open("rb+") as file:
            assert placed is not None
            file.seek(placed[0])
            for i in range(len(stack)):
                file.write(stack.map(i).astype(">f4").tobytes())
                yield Progress(i + 1, len(stack), "Writing the maps")
    return path


def check_size(path: Path, what: str, needed: int, remedy: str) -> None:
    """Check that a TIFF file can hold so many bytes.

    Raises
    ------
    ValueError
        If ImageJ could not read it: 4 GB or more.
    """
    if needed > _MOST_BYTES:
        raise ValueError(
            f"{path}: {what} need {needed / 1e9:.1f} GB, and a TIFF that ImageJ reads holds "
            f"{_MOST_BYTES / 1e9:.1f} GB. {remedy}"
        )


def _told(stack: MapStack) -> dict[str, Any]:
    return {
        "units": {channel.name: channel.unit for channel in stack.channels if channel.unit},
        "regions": [asdict(region) for region in stack.regions],
        "provenance": dict(stack.provenance),
    }
