"""A map of symmetry as a layer: each space group has its colour, and its label is its number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.symmetry.map_readings import (
    CONFIDENCE,
    NOTHING,
    SYMMETRY,
    group_numbers,
    has_symmetry,
)
from napari_kikuchi.symmetry.summary import group_name, partners_told
from napari_kikuchi.ui.symmetry_colours import group_colour

if TYPE_CHECKING:
    from napari.layers import Labels
    from numpy.typing import ArrayLike, NDArray

    from napari_kikuchi.maps import MapStack
    from napari_kikuchi.ui.link import LayerLink

# What lies below, as the map of image quality does, shades the colours.
_OPACITY = 0.8


def is_symmetry_map(stack: MapStack, channel: int | None) -> bool:
    """Whether a map of a stack tells the space groups of patterns."""
    return channel is not None and has_symmetry(stack) and stack.names[channel] == SYMMETRY


def shows_symmetry(link: LayerLink | None) -> bool:
    """Whether a layer with this link shows the space groups of patterns."""
    return link is not None and link.stack is not None and is_symmetry_map(link.stack, link.channel)


def symmetry_labels(stack: MapStack, values: NDArray) -> tuple[NDArray[np.int16], dict[str, Any]]:
    """The numbers of the groups as labels, and the attributes of a labels layer of theirs.

    Under the cursor napari then tells a group's name, and which others look like it.
    """
    from napari.utils.colormaps import DirectLabelColormap

    groups = group_numbers(values)
    found = [one for one in np.unique(groups).tolist() if one != NOTHING]
    colours: dict[Any, Any] = {None: "transparent", NOTHING: "transparent"}
    colours |= {group: group_colour(group) for group in {0, *found}}
    features = {
        "index": [NOTHING, *found],
        "group": ["no pattern", *(group_name(group) for group in found)],
        "note": [None, *(partners_told(stack.provenance, group) or None for group in found)],
    }
    colormap = DirectLabelColormap(color_dict=colours)
    return groups, {"colormap": colormap, "features": features, "opacity": _OPACITY}


def tell_confidence(layer: Labels, stack: MapStack) -> None:
    """Let napari's status tell the confidence, too, which its features cannot: it is of positions.

    Parameters
    ----------
    layer
        Shows the symmetry of ``stack``.
    stack
        Maps; nothing more is told where there is no confidence among them.
    """
    if CONFIDENCE not in stack.names or layer.data.shape != stack.map_shape:
        return
    groups, confidence = (stack.map(stack.names.index(name)) for name in (SYMMETRY, CONFIDENCE))
    told = layer.get_status

    def get_status(position: ArrayLike | None = None, **settings: Any) -> dict[str, str]:
        status = told(position, **settings)
        if position is not None:
            place = layer.world_to_data(position) if settings.get("world") else position
            row, col = np.rint(np.asarray(place)[-2:]).astype(int)
            there = 0 <= row < confidence.shape[0] and 0 <= col < confidence.shape[1]
            # What is painted over the map has none.
            as_mapped = there and 0 < layer.data[row, col] == groups[row, col]
            if as_mapped and np.isfinite(confidence[row, col]):
                for part in ("coordinates", "value"):
                    status[part] += f", {CONFIDENCE}: {confidence[row, col]:.2f}"
        return status

    # napari asks the layer, and has no other way to let it tell what is of a position.
    layer.get_status = get_status


def symmetry_values(labels: NDArray) -> NDArray[np.float32]:
    """The map of which :func:`symmetry_labels` made labels, painted over or not."""
    return np.where(labels == NOTHING, np.nan, labels).astype(np.float32)
