"""The maps of a stack that are layers of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from napari_kikuchi.ui.link import link_of

if TYPE_CHECKING:
    import napari
    from napari.layers import Image

    from napari_kikuchi.maps import MapStack


class OwnLayers:
    """Finds the layers of single maps of a stack, and shows one in place of another.

    Parameters
    ----------
    viewer
        Holds the layers, which come and go.
    stack
        Of the maps.
    """

    def __init__(self, viewer: napari.components.ViewerModel, stack: MapStack) -> None:
        self._viewer = viewer
        self._stack = stack

    def of(self, index: int | None) -> Image | None:
        """The topmost layer that shows a map and no other."""
        return next((layer for layer, channel in self._all() if channel == index), None)

    def bring_out(self, layer: Image, former: int | None) -> None:
        """Show a layer instead of a map; None: instead of all that are visible."""
        layer.visible = True
        self.hide(former, layer)
        selection = self._viewer.layers.selection
        # Whoever paints or draws on a layer goes on with it.
        if len(selection) <= 1 and all(isinstance(one, type(layer)) for one in selection):
            selection.active = layer

    def hide(self, former: int | None, but: Image) -> None:
        """Hide a map; None: all of them."""
        for layer, channel in list(self._all()):
            if layer is not but and former in (None, channel):
                layer.visible = False

    def _all(self) -> Iterator[tuple[Image, int]]:
        """The layers, the topmost first, and which map each of them shows."""
        from napari.layers import Image

        for layer in reversed(self._viewer.layers):
            link = link_of(layer)
            if link is None or link.stack is not self._stack or not isinstance(layer, Image):
                continue
            if link.channel is not None:
                yield layer, link.channel
