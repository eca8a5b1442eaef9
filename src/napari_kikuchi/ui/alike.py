"""The same map of several scans, shown between the same limits in the same colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image

from napari_kikuchi.explore.several_scans import common_limits
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.ui.label_layer import placed_as
from napari_kikuchi.ui.layers import LayerData, map_layer
from napari_kikuchi.ui.link import same_scan
from napari_kikuchi.ui.scan_maps import OneMap

if TYPE_CHECKING:
    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_kikuchi.ui.session import Session

_LINKED = ("contrast_limits", "gamma", "colormap")


@dataclass(frozen=True, eq=False)
class ReadMaps:
    """Maps that mean the same, in memory.

    Attributes
    ----------
    maps
        Which they are.
    layers
        The layer of each, or what is to become one.
    values
        Of each, of shape (rows, columns).
    limits
        Between which all of them are shown.
    """

    maps: Sequence[OneMap]
    layers: Sequence[Image | LayerData]
    values: Sequence[NDArray]
    limits: tuple[float, float]


def read_alike(maps: Sequence[OneMap]) -> Job[ReadMaps]:
    """Read a map of each of several scans.

    Parameters
    ----------
    maps
        Which mean the same.

    Yields
    ------
    Progress
        Maps read.
    """
    # Asked for here: the job runs in a thread, which must not touch layers.
    return _read(maps, [None if one.layer is None else one.layer.data for one in maps])


def _read(maps: Sequence[OneMap], shown: Sequence[NDArray | None]) -> Job[ReadMaps]:
    layers: list[Image | LayerData] = []
    values: list[NDArray] = []
    for one, there in zip(maps, shown, strict=True):
        if one.layer is not None and there is not None:
            layers.append(one.layer)
            values.append(np.asarray(there))
        else:
            suffix = f" ({one.maps.source.name})"
            made = map_layer(one.maps.stack, one.index, one.maps.source, suffix=suffix)
            layers.append(made)
            values.append(made[0])
        yield Progress(len(values), len(maps), "Reading the maps")
    own = {one.maps.stack.channels[one.index].limits for one in maps}
    # Limits that belong to what is mapped, such as the colours of a picture, are better.
    fixed = own.pop() if len(own) == 1 else None
    return ReadMaps(maps, layers, values, fixed or common_limits(values))


class Alike:
    """Shows maps alike, and keeps them so.

    Parameters
    ----------
    session
        Of the viewer.

    Attributes
    ----------
    layers
        Those that were shown last, as far as they are still in the viewer.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._keep = False
        self.layers: list[Image] = []
        session.viewer.layers.events.removed.connect(self._on_removed)

    def show(self, found: ReadMaps) -> None:
        """Show a map of each scan and hide all others of these scans."""
        self._unlink()
        self.layers = [
            layer if isinstance(layer, Image) else self._add(layer, one.place)
            for one, layer in zip(found.maps, found.layers, strict=True)
            if one.place in self._session.viewer.layers  # not removed while they were read
        ]
        scans = [one.maps.source for one in found.maps]
        for layer, link in self._session.links():
            if isinstance(layer, Image) and any(same_scan(link.source, scan) for scan in scans):
                layer.visible = layer in self.layers
        for layer in self.layers:
            layer.contrast_limits = found.limits
        self._make_alike()
        self._link()
        selection = self._session.viewer.layers.selection
        # Whoever paints or draws on a layer goes on with it.
        if self.layers and all(isinstance(layer, Image) for layer in selection):
            selection.active = self.layers[-1]

    def keep(self, keep: bool) -> None:
        """Let a change of contrast or colours of one be a change of all, from now on, or not."""
        self._keep = keep
        self._unlink()
        if keep:
            self._make_alike()
        self._link()

    def close(self) -> None:
        """Let the layers go."""
        self._session.viewer.layers.events.removed.disconnect(self._on_removed)
        self._unlink()

    def _add(self, made: LayerData, under: Image) -> Image:
        data, attributes, _ = made
        return self._session.viewer.add_image(data, **attributes | placed_as(under))

    def _make_alike(self) -> None:
        for layer in self.layers[1:]:
            for name in _LINKED:
                setattr(layer, name, getattr(self.layers[0], name))

    def _link(self) -> None:
        if self._keep and len(self.layers) > 1:
            self._session.viewer.layers.link_layers(self.layers, _LINKED)

    def _unlink(self) -> None:
        # napari takes one layer alone for all that is linked to it.
        if len(self.layers) > 1:
            self._session.viewer.layers.unlink_layers(self.layers, _LINKED)

    def _on_removed(self, event: Any) -> None:
        gone: Layer = event.value
        if gone in self.layers:
            self._unlink()
            self.layers.remove(gone)
            self._link()
