"""What a map store says of its maps, read back and checked: others may have written it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from napari_kikuchi.io.map_attributes import KEY, MARKS
from napari_kikuchi.io.provenance import checked_provenance
from napari_kikuchi.maps import Channel, Mark, Region
from napari_kikuchi.untrusted import (
    integer,
    is_plain_name,
    mapping,
    number,
    positive,
    sequence,
    shown,
    text,
)

# All are read at once: two of them are written.
_MOST_ARRAYS = 4
# How many vertices a shape has at least and at most.
_VERTICES = {
    "polygon": (3, None),
    "rectangle": (4, 4),
    "ellipse": (4, 4),
    "line": (2, 2),
    "path": (2, None),
}


@dataclass(frozen=True)
class Described:
    """All that the attributes of a store say of its maps.

    Attributes
    ----------
    channels, step, provenance, regions
        As of :class:`~napari_kikuchi.maps.MapStack`.
    arrays
        Names of the small arrays.
    """

    channels: Sequence[Channel]
    step: tuple[float, float]
    provenance: Mapping[str, Any]
    regions: Sequence[Region]
    arrays: Sequence[str]


def described(attributes: Mapping[str, Any]) -> Described:
    """Read the attributes of a store.

    Raises
    ------
    ValueError
        If they are not what is written here.
    """
    ours = mapping(attributes.get(KEY), f'the attribute "{KEY}"')
    arrays = sequence(ours.get("arrays"), "arrays")
    for name in arrays:
        if not is_plain_name(name):
            raise ValueError(f"expected plain names of arrays, found {shown(name)}")
    if len(arrays) > _MOST_ARRAYS or len(set(arrays)) < len(arrays):
        raise ValueError(
            f"expected at most {_MOST_ARRAYS} arrays, each of another name, found {shown(arrays)}"
        )
    return Described(
        channels=_channels(ours),
        step=_step(mapping(attributes.get("ome"), "the attributes of OME-Zarr")),
        provenance=checked_provenance(ours.get("provenance")),
        regions=[_region(region) for region in sequence(ours.get("regions"), "regions")],
        arrays=arrays,
    )


def _channels(ours: Mapping[str, Any]) -> list[Channel]:
    channels = [_channel(channel) for channel in sequence(ours.get("channels"), "channels")]
    for kind, marked in mapping(ours.get(MARKS, {}), "marks").items():
        if kind not in tuple(Mark):
            raise ValueError(f"expected marks {', '.join(filter(None, Mark))}, found {shown(kind)}")
        for found in sequence(marked, "what is marked"):
            index = integer(found, "the place of a marked map", most=len(channels) - 1)
            channels[index] = replace(channels[index], mark=Mark(kind))
    return channels


def _channel(found: Any) -> Channel:
    channel = mapping(found, "a channel")
    score, limits = channel.get("score"), channel.get("limits")
    # A score may be no number, as that of a map without values.
    if score is not None and score == score:
        score = number(score, "the score of a channel")
    if limits is not None:
        low, high = (number(limit, "a limit") for limit in sequence(limits, "limits", 2))
        if low >= high:
            raise ValueError(f"expected limits with the lower one first, found {shown(limits)}")
        limits = low, high
    return Channel(
        text(channel.get("name"), "the name of a channel"),
        text(channel.get("unit", ""), "the unit of a channel"),
        text(channel.get("colormap", "gray"), "the colours of a channel"),
        score,
        limits,
    )


def _region(found: Any) -> Region:
    region = mapping(found, "a region")
    kind = text(region.get("shape_type"), "the shape of a region")
    if kind not in _VERTICES:
        raise ValueError(
            f"expected the shape of a region as {', '.join(_VERTICES)}, found {shown(kind)}"
        )
    vertices = []
    for found_vertex in sequence(region.get("vertices"), "vertices"):
        y, x = sequence(found_vertex, "a vertex", 2)
        vertices.append((number(y, "y of a vertex"), number(x, "x of a vertex")))
    least, most = _VERTICES[kind]
    if not least <= len(vertices) <= (most or len(vertices)):
        raise ValueError(f"expected a {kind} of {least} vertices, found {len(vertices)}")
    return Region(text(region.get("name"), "the name of a region"), kind, tuple(vertices))


def _step(ome: Mapping[str, Any]) -> tuple[float, float]:
    def first(found: Any, what: str) -> Mapping[str, Any]:
        # Others may add levels after the one that is written here.
        several = sequence(found, what)
        return mapping(several[0] if several else None, what)

    dataset = first(first(ome.get("multiscales"), "multiscales").get("datasets"), "datasets")
    scaling = first(dataset.get("coordinateTransformations"), "coordinateTransformations")
    _, step_y, step_x = sequence(scaling.get("scale"), "scale", 3)
    return positive(step_y, "the step between rows"), positive(step_x, "the step between columns")
