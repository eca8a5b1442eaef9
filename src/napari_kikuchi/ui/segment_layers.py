"""What a segmentation found comes into the viewer: numbers as labels, measures as maps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels

from napari_kikuchi.explore.segmentation import is_numbered, is_segmentation
from napari_kikuchi.maps import MapStack
from napari_kikuchi.ui.label_layer import lie_alike, placed_as
from napari_kikuchi.ui.layers import map_layer, thumbnail
from napari_kikuchi.ui.link import LayerLink, same_scan, step_of
from napari_kikuchi.ui.show_maps import step_by_step

if TYPE_CHECKING:
    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_kikuchi.explore.segmentation import Segmentation
    from napari_kikuchi.ui.link import ScanLink
    from napari_kikuchi.ui.session import Session

_OPACITY = 0.45


class SegmentLayers:
    """The layers of a segmentation. One that is made anew with other settings renews them.

    Parameters
    ----------
    session
        Of the viewer that gets them.
    looks
        Attributes of labels layers, by the name of the map.
    """

    def __init__(
        self, session: Session, looks: Mapping[str, Mapping[str, Any]] | None = None
    ) -> None:
        self._session = session
        self._looks = looks or {}
        self._stack: MapStack | None = None
        self._provenance: dict[str, Any] = {}
        self._layers: dict[str, Labels | Image] = {}
        # Limits that were set here, and not by the user.
        self._limits: dict[str, tuple[float, float]] = {}

    def layer(self, name: str) -> Labels | Image | None:
        """The layer of a map, unless there is none or it was removed."""
        layer = self._layers.get(name)
        return layer if layer in self._session.viewer.layers else None

    def forget(self) -> None:
        """Leave the layers alone; what comes next gets layers of its own."""
        self._stack = None
        # That of the layers that stay is theirs.
        self._provenance = {}
        self._layers.clear()
        self._limits.clear()

    def show(self, found: Segmentation, over: Layer, source: ScanLink) -> None:
        """Show what is known of a segmentation; what is not known yet is blank.

        Where none of its labels is seen yet, those of other segmentations of the scan are hidden:
        colours that lie on each other are not those of any table.

        Parameters
        ----------
        found
            Of the same channels as what is shown already, or after :meth:`forget`.
        over
            Where its layers lie.
        source
            The scan behind it.
        """
        there = [layer for name in self._layers if (layer := self.layer(name)) is not None]
        if not there or not lie_alike(there[0], over):
            self.forget()
        self._come_forward(source)
        if self._stack is None:
            shape = (len(found.channels), *over.data.shape)
            self._stack = MapStack(
                np.full(shape, np.nan, np.float32), found.channels, step_of(over), self._provenance
            )
        self._provenance.clear()
        self._provenance |= found.provenance
        for values, channel in zip(self._stack.values, found.channels, strict=True):
            values[:] = found.maps.get(channel.name, np.nan)
        step_by_step(self._renew(self._stack, dict(found.maps), over, source))

    def _come_forward(self, source: ScanLink) -> None:
        """Hide the labels of other segmentations, unless the user has them beside these."""
        own = [layer for name in self._layers if isinstance(layer := self.layer(name), Labels)]
        if any(layer.visible for layer in own):
            return
        for layer, link in self._session.links():
            found = link.stack is not None and is_segmentation(link.stack)
            if isinstance(layer, Labels) and found and same_scan(link.source, source):
                layer.visible = layer in own

    def _renew(
        self, stack: MapStack, maps: Mapping[str, NDArray], over: Layer, source: ScanLink
    ) -> Iterator[None]:
        for index, channel in enumerate(stack.channels):
            if stack is not self._stack or over not in self._session.viewer.layers:
                return
            name, layer = channel.name, self.layer(channel.name)
            if layer is not None:
                self._exchange(name, layer, maps.get(name))
            elif name in maps:
                if is_numbered(channel):
                    layer = self._labels(stack, index, maps[name], over, source)
                else:
                    layer = self._image(stack, index, over, source)
                self._layers[name] = layer
                self._add(layer)
                yield

    def _labels(
        self, stack: MapStack, index: int, numbers: NDArray, over: Layer, source: ScanLink
    ) -> Labels:
        name = stack.channels[index].name
        attributes = {"opacity": _OPACITY, **self._looks.get(name, {}), **placed_as(over)}
        metadata = LayerLink(source, stack, index).metadata()
        return Labels(np.array(numbers), name=name, metadata=metadata, **attributes)

    def _image(self, stack: MapStack, index: int, over: Layer, source: ScanLink) -> Image:
        values, attributes, _ = map_layer(stack, index, source, visible=False)
        self._limits[stack.channels[index].name] = attributes["contrast_limits"]
        return Image(values, **{**attributes, **placed_as(over)})

    def _add(self, layer: Labels | Image) -> None:
        """Labels on top of all; maps below them, so that they are not covered."""
        layers = self._session.viewer.layers
        selected = set(layers.selection)
        labels = [layers.index(one) for one in self._layers.values() if one in layers]
        if isinstance(layer, Image) and labels:
            layers.insert(min(labels), layer)
        else:
            layers.append(layer)
        # Whoever draws or paints goes on with that.
        layers.selection = selected

    def _exchange(self, name: str, layer: Labels | Image, values: NDArray | None) -> None:
        if isinstance(layer, Labels):
            layer.data = np.array(values)
            return
        assert self._stack is not None
        index = self._stack.names.index(name)
        if values is not None and np.allclose(layer.contrast_limits, self._limits[name]):
            self._limits[name] = layer.contrast_limits = self._stack.channels[index].contrast(
                values
            )
        # A new array, by which others see that it has changed.
        layer.data = self._stack.values[index].copy()
        if not layer.visible:
            layer.thumbnail = thumbnail(layer)
