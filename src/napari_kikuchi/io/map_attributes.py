"""What a map store says of its maps: the attributes of OME-Zarr, and our own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.maps import Channel, MapStack, Mark

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Attribute under which our own stand, and their format.
KEY = "napari-kikuchi"
FORMAT = 2
# Name of the array of maps.
MAPS = "0"
# Attribute of ours that names the maps with each mark, by their indices; absent if none has one.
MARKS = "marks"

# OMERO draws a channel from black to one colour: that of napari's one-colour maps, else white.
_COLORS = {
    "red": "FF0000",
    "green": "00FF00",
    "blue": "0000FF",
    "cyan": "00FFFF",
    "magenta": "FF00FF",
    "yellow": "FFFF00",
}


def ome_attributes(stack: MapStack, windows: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """What OME-Zarr says of a stack, with the window in which each channel is shown."""
    # All channels at once would be drawn over each other.
    shown = stack.shown_first()
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
                        "path": MAPS,
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


def our_attributes(stack: MapStack) -> dict[str, Any]:
    """What OME-Zarr has no words for."""
    ours = {
        "format": FORMAT,
        "channels": [_channel_to_json(channel) for channel in stack.channels],
        "provenance": dict(stack.provenance),
        "regions": [asdict(region) for region in stack.regions],
        "arrays": list(stack.arrays),
    }
    for index, channel in enumerate(stack.channels):
        set_mark(ours, index, channel.mark)
    return ours


def set_mark(ours: dict[str, Any], index: int, mark: Mark) -> None:
    """Mark a map in what :func:`our_attributes` wrote."""
    # Beside the channels, in which not every version would know them.
    marks = {kind: {*ours.get(MARKS, {}).get(kind, ())} - {index} for kind in Mark if kind}
    if mark:
        marks[mark].add(index)
    ours.pop(MARKS, None)
    if any(marks.values()):
        ours[MARKS] = {str(kind): sorted(marked) for kind, marked in marks.items() if marked}


def _channel_to_json(channel: Channel) -> dict[str, Any]:
    content = asdict(channel)
    del content["mark"]
    if channel.limits is None:  # Which not every version has known.
        del content["limits"]
    return content


def window_of(values: NDArray, channel: Channel) -> dict[str, float]:
    """Range of a map and the part of it that is shown, as OMERO words it."""
    start, end = channel.contrast(values)
    finite = np.isfinite(values)
    if not finite.all():
        values = values[finite]
    low, high = (values.min(), values.max()) if values.size else (start, end)
    return {"min": min(float(low), start), "max": max(float(high), end), "start": start, "end": end}
