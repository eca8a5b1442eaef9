"""The maps of a stack that are layers of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from napari_kikuchi.ui.composite import COLOURS
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
        """The topmost layer that shows a map and no other, as the map is shown by itself."""
        return next(
            (
                layer
                for layer, channel in self._all()
                if channel == index and not self._is_tinted(layer, channel)
            ),
            None,
        )

    def bring_out(self, layer: Image, former: int | None) -> None:
        """Show a layer instead of a map; None: instead of all that are visible."""
        layer.visible = True
        self.hide(former, layer)
        selection = self._viewer.layers.selection
        # Whoever paints or draws on a layer goes on with it.
        if len(selection) <= 1 and all(isinstance(one, type(layer)) for one in selection):
            selection.active = layer

    def hide(self, former: int | None, but: Image) -> None:
        """Hide a map, and the pictures that would cover the next; None: all maps."""
        for layer, channel in list(self._all()):
            hidden = former in (None, channel) or self._is_tinted(layer, channel)
            if layer is not but and hidden:
                layer.visible = False

    def _is_tinted(self, layer: Image, channel: int) -> bool:
        """Whether a layer is one of the three colours of a picture.

        Any other colormap may be the user's choice for the map.
        """
        colour = layer.colormap.name
        return colour in COLOURS and colour != self._stack.channels[channel].colormap

    def _all(self) -> Iterator[tuple[Image, int]]:
        """The layers, the topmost first, and which map each of them shows."""
        from napari.layers import Image

        for layer in reversed(self._viewer.layers):
            link = link_of(layer)
            if link is None or link.stack is not self._stack or not isinstance(layer, Image):
                continue
            if link.channel is not None:
                yield layer, link.channel
