"""The maps of a stack, shown in turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_kikuchi.maps import MapStack
from napari_kikuchi.ui.label_layer import placed_as
from napari_kikuchi.ui.layers import MAX_LAYERS, browsed_layer, colours_of, map_layer
from napari_kikuchi.ui.link import ScanLink, link_of
from napari_kikuchi.ui.map_cache import LoadedMap, MapCache
from napari_kikuchi.ui.own_layers import OwnLayers

if TYPE_CHECKING:
    import napari
    from napari.layers import Image, Layer
    from qtpy.QtGui import QPixmap


class StackLayer(QObject):
    """Shows one map of a stack after another.

    Where each map is a layer, that of the map is shown in place of the one before. For a map that
    is none, and for stacks of too many maps, the data of one layer are exchanged, which napari
    does far faster than adding layers.

    Parameters
    ----------
    viewer
        Gets a layer when it is needed.
    stack
        May be on disk; a map is read when it is asked for, and its neighbours ahead of that.
    source
        The scan behind the maps.

    Attributes
    ----------
    shown
        Index of the map that is shown; None before the first.
    pictures
        Small ones of the maps, as far as they have been made.
    """

    changed = Signal(int)
    """Index of the map that is shown from now on."""
    failed = Signal(str)
    """Why a map could not be shown."""

    def __init__(
        self, viewer: napari.components.ViewerModel, stack: MapStack, source: ScanLink
    ) -> None:
        super().__init__()
        self.stack = stack
        self.source = source
        self.shown: int | None = None
        self.pictures: dict[int, QPixmap] = {}
        self._viewer = viewer
        self._own = OwnLayers(viewer, stack)
        # In a larger stack, the maps that are layers are to stay while others are looked at.
        self._few = len(stack) <= MAX_LAYERS
        self._wanted: int | None = None
        # A reader has made the layer already, or the first map to be shown will.
        self._exchanged: Image | None = next(
            (layer for layer in viewer.layers if stands_for(layer, stack)), None
        )
        # Contrast that the user has set by hand, by map.
        self._by_hand: dict[int, tuple[float, float]] = {}
        self._automatic: tuple[float, float] | None = None
        self._cache = MapCache(stack)
        self._cache.loaded.connect(self._on_loaded)
        self._cache.failed.connect(self._on_failed)

    @property
    def layer(self) -> Image | None:
        """The layer of the map that is shown, unless it was removed from the viewer."""
        return self._usual_layer(self.shown) or self._exchanged_layer

    @property
    def can_promote(self) -> bool:
        """Whether a map is shown that has no layer of its own."""
        return self.shown is not None and self._own.of(self.shown) is None

    def show(self, index: int, ahead: Sequence[int] = ()) -> None:
        """Show a map as soon as it is read, and read others that may be wanted next."""
        self._wanted = index
        layer = self._usual_layer(index)
        if layer is not None:
            self._bring_out(index, layer)
            return
        self._cache.request([index, *ahead])
        loaded = self._cache.get(index)
        if loaded is not None:
            self._display(index, loaded)

    def promote(self) -> None:
        """Add the map that is shown as a layer of its own, with the contrast it has now."""
        if self.shown is None or not self.can_promote:
            return
        data, attributes, _ = map_layer(self.stack, self.shown, self.source)
        if self._exchanged_layer is not None:
            attributes["contrast_limits"] = tuple(self._exchanged_layer.contrast_limits)
            attributes |= placed_as(self._exchanged_layer)
        self._viewer.add_image(data, **attributes)

    def leave(self) -> None:
        """Another stack is looked at: what has been asked for is not shown any more."""
        self._wanted = None

    def close(self) -> None:
        """Stop reading."""
        self.leave()
        self._cache.close()

    def _on_loaded(self, index: int) -> None:
        loaded = self._cache.get(index)
        if index == self._wanted and loaded is not None:
            self._display(index, loaded)

    def _on_failed(self, index: int, problem: str) -> None:
        if index == self._wanted:
            self.failed.emit(problem)

    def _usual_layer(self, index: int | None) -> Image | None:
        """The own layer of a map, in a stack in which that is how maps are shown."""
        return self._own.of(index) if self._few else None

    def _bring_out(self, index: int, layer: Image) -> None:
        self._own.bring_out(layer, self.shown)
        exchanged = self._exchanged_layer
        if exchanged is not None:
            self._remember_contrast()
            self._viewer.layers.remove(exchanged)
        self.shown = index
        self.changed.emit(index)

    @property
    def _exchanged_layer(self) -> Image | None:
        return self._exchanged if self._exchanged in self._viewer.layers else None

    def _display(self, index: int, loaded: LoadedMap) -> None:
        layer = self._exchanged_layer
        if index == self.shown and layer is not None:
            return
        self._remember_contrast()
        low, high = limits = self._by_hand.get(index, loaded.limits)
        self._automatic = loaded.limits
        channel = self.stack.channels[index]
        if layer is None:
            data, attributes, _ = browsed_layer(self.stack, index, self.source)
            attributes["contrast_limits"] = limits
            layer = self._exchanged = self._viewer.add_image(data, **attributes)
        else:
            layer.data = loaded.values
            layer.name = channel.name
            # Each of these redraws the thumbnail; a new colormap compiles a shader, too.
            if layer.colormap.name != (colours := colours_of(channel)):
                layer.colormap = colours
            layer.contrast_limits = limits
        # Room on the slider for a contrast other than the percentiles'.
        layer.contrast_limits_range = (low - (high - low), high + (high - low))
        if self._few:
            self._own.hide(self.shown, layer)
        self.shown = index
        self.changed.emit(index)

    def _remember_contrast(self) -> None:
        if self._exchanged_layer is None or self.shown is None:
            return
        limits = tuple(self._exchanged_layer.contrast_limits)
        if limits != self._automatic:
            self._by_hand[self.shown] = limits


def stands_for(layer: Layer, stack: MapStack) -> bool:
    """Whether a layer shows the maps of a stack in turn."""
    from napari.layers import Image

    link = link_of(layer)
    return link is not None and link.browsed and link.stack is stack and isinstance(layer, Image)
