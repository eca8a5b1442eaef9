"""Letters on the map beside the shapes that are inspected together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from napari_kikuchi.figures.content import letters

if TYPE_CHECKING:
    from napari.layers import Shapes

    from napari_kikuchi.ui.regions import Drawn

_LOOK: dict[str, Any] = {"anchor": "upper_left", "size": 11, "color": "yellow"}


class Lettering:
    """Names shapes a, b and so on, as the inspector and figures do."""

    def __init__(self) -> None:
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
            layer.text = {"string": beside, **_LOOK}
