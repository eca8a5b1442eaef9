"""Maps of whole numbers in a viewer: labels that were painted or found, grains of physics maps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Labels

from napari_kikuchi.explore.segmentation import is_numbered
from napari_kikuchi.io.gathered import unique_names
from napari_kikuchi.ui.label_layer import lie_alike
from napari_kikuchi.ui.link import link_of, same_scan

if TYPE_CHECKING:
    from napari.layers import Image
    from numpy.typing import NDArray

    from napari_kikuchi.ui.session import Session


@dataclass(frozen=True, eq=False)
class LabelMap:
    """A map of whole numbers.

    Attributes
    ----------
    name
        Of which no two are alike.
    read
        Gives the numbers, of shape (rows, columns).
    layer
        Shows them; None where no labels layer does.
    """

    name: str
    read: Callable[[], NDArray]
    layer: Labels | None = None

    def fixed(self) -> LabelMap:
        """The map as it is now, which a thread may read, as it may no layer."""
        if self.layer is None:
            return self
        return replace(self, read=partial(np.asarray, self.read()))


def label_maps(session: Session, over: Image) -> list[LabelMap]:
    """The labels layers that lie where a map does, and the maps of numbers of the same scan."""
    found: list[LabelMap] = []
    layers = [one for one in reversed(session.viewer.layers) if isinstance(one, Labels)]
    for layer in layers:
        if lie_alike(layer, over):
            found.append(LabelMap(layer.name, partial(_numbers, layer), layer))
    link = link_of(over)
    shown = {(id(one.stack), one.channel) for one in map(link_of, layers) if one is not None}
    stacks = {
        id(one.stack): one.stack
        for _, one in session.links()
        if link is not None and same_scan(one.source, link.source)
    }
    for stack in stacks.values():
        if stack is None or stack.map_shape != over.data.shape:
            continue
        for index, channel in enumerate(stack.channels):
            if is_numbered(channel) and (id(stack), index) not in shown:
                found.append(LabelMap(channel.name, partial(stack.map, index)))
    names = unique_names(one.name for one in found)
    return [LabelMap(name, one.read, one.layer) for name, one in zip(names, found, strict=True)]


def _numbers(layer: Labels) -> NDArray:
    return np.array(layer.data)
