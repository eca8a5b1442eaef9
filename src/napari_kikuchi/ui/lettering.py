"""Letters on the map beside the shapes that are inspected together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.figures.content import letters

if TYPE_CHECKING:
    from napari.components import Camera
    from napari.layers import Shapes

    from napari_kikuchi.ui.regions import Drawn

_LOOK: dict[str, Any] = {"anchor": "upper_left", "size": 13}
# In pixels of the screen: left of a shape and below its upper edge, clear of the handles by which
# napari lets it be stretched and turned.
_BELOW_EDGE, _BESIDE, _LETTER = 20, 9, 10


class Lettering:
    """Names shapes a, b and so on, as the inspector and figures do, in the colours they have.

    Parameters
    ----------
    camera
        Of the viewer.
    """

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._lettered: Shapes | None = None

    def show(self, shapes: Sequence[Drawn]) -> None:
        """Write letters beside these shapes, and nowhere else; a single shape needs none."""
        layer = shapes[0].shapes if len(shapes) > 1 else None
        if self._lettered is not None and self._lettered is not layer:
            self._lettered.text = None
        self._lettered = layer
        if layer is not None:
            beside = [""] * layer.nshapes
            for shape, letter in zip(shapes, letters(len(shapes)), strict=True):
                beside[shape.index] = letter
            layer.text = {"string": beside, "color": layer.edge_color, **_LOOK}
            self.keep_apart()

    def keep_apart(self, *_: object) -> None:
        """Keep letters as far from their shapes, on the screen, however large these are shown."""
        layer = self._lettered
        if layer is not None:
            longest = max(map(len, layer.text.values))
            pixels = np.array([_BELOW_EDGE, -_BESIDE - _LETTER * longest])
            layer.text.translation = pixels / (self._camera.zoom * layer.scale[-2:])
