"""Maps of walls, domains or clusters: how they are named, shown and accounted for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_kikuchi.io.origin import maps_provenance
from napari_kikuchi.maps import Channel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.maps import MapStack

_METHODS = ("walls", "domains", "clusters")
# As maps of grains are shown.
_NUMBERS = "tab20"


@dataclass(frozen=True, eq=False)
class Segmentation:
    """What a map, or a stack of maps, was divided into.

    Attributes
    ----------
    channels
        Of all maps that the segmentation consists of.
    maps
        Those that are known so far, by name, of shape (rows, columns).
    provenance
        Of the maps.
    """

    channels: Sequence[Channel]
    maps: Mapping[str, NDArray]
    provenance: Mapping[str, Any]


def numbered(name: str) -> Channel:
    """Channel of a map of whole numbers, from 1; 0 where there is nothing numbered."""
    return Channel(name, colormap=_NUMBERS)


def is_numbered(channel: Channel) -> bool:
    """Whether the values of a map are numbers of grains, cells or the like."""
    return channel.colormap == _NUMBERS


def is_segmentation(stack: MapStack) -> bool:
    """Whether maps are what others were divided into: there is nothing to explore in them."""
    return stack.provenance.get("method") in _METHODS


def segmented(method: str, stack: MapStack, **settings: Any) -> dict[str, Any]:
    """Provenance of a segmentation.

    Parameters
    ----------
    method
        What was looked for.
    stack
        In whose maps.
    **settings
        How; fit for JSON.
    """
    maps = dict(stack.provenance)
    scan = maps.pop("scan", None)
    path = None if stack.path is None else str(stack.path)
    origin = {"scan": scan, "maps": {"path": path, **maps}, "settings": settings}
    return maps_provenance(method, origin)
