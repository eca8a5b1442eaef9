"""The stacks of maps that are among the layers, and the scans behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari.layers import Image

from napari_kikuchi.explore.segmentation import is_segmentation
from napari_kikuchi.maps import MapStack
from napari_kikuchi.ui.layers import made_by
from napari_kikuchi.ui.link import ScanLink
from napari_kikuchi.ui.own_layers import OwnLayers

if TYPE_CHECKING:
    from napari_kikuchi.ui.session import Session


@dataclass(frozen=True, eq=False)
class ScanMaps:
    """A stack of maps, and the scan from which they were made.

    Attributes
    ----------
    stack
        May be on disk.
    source
        The scan behind it.
    """

    stack: MapStack
    source: ScanLink

    @property
    def made_by(self) -> str:
        """What a person calls the model or the method that made the maps."""
        return made_by(self.stack) or "unknown"


@dataclass(frozen=True, eq=False)
class OneMap:
    """One map of a stack that is among the layers.

    Attributes
    ----------
    maps
        The stack.
    index
        Which of its maps.
    layer
        Shows it and no other; None if there is none.
    place
        Any layer of the stack: lies where its maps do.
    """

    maps: ScanMaps
    index: int
    layer: Image | None
    place: Image


def scan_maps(session: Session) -> list[ScanMaps]:
    """The stacks that some layers show, each once, from the lowest layer to the topmost.

    What these were divided into, such as domains, has numbers of its own on every scan.
    """
    found = {}
    for layer, link in session.links():
        if isinstance(layer, Image) and layer.ndim == 2 and link.stack is not None:
            found[link.stack] = ScanMaps(link.stack, link.source)
    return [one for one in found.values() if not is_segmentation(one.stack)][::-1]


def one_map(session: Session, maps: ScanMaps, name: str) -> OneMap:
    """The map of a name, and where it lies."""
    index = maps.stack.names.index(name)
    layer = OwnLayers(session.viewer, maps.stack).of(index)
    place = layer or next(
        shown
        for shown, link in session.links()
        if isinstance(shown, Image) and shown.ndim == 2 and link.stack is maps.stack
    )
    return OneMap(maps, index, layer, place)
