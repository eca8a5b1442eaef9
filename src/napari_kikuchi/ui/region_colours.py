"""Colours on the map of the regions that are inspected."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import to_rgba

from napari_kikuchi.figures.colours import region_colour

if TYPE_CHECKING:
    from napari.layers import Shapes
    from numpy.typing import NDArray

    from napari_kikuchi.ui.regions import Drawn


class RegionColours:
    """Gives outlines the colours of their histograms, and back what they had before."""

    def __init__(self) -> None:
        self._layer: Shapes | None = None
        # Each colour given, and that which it covers: by these, and not by their number, shapes are
        # known again when others are deleted.
        self._covered: list[tuple[NDArray, NDArray]] = []

    def show(self, shapes: Sequence[Drawn]) -> None:
        """Colour these regions, and nothing else; lines have no colour of their own."""
        regions = [shape for shape in shapes if shape.encloses]
        layer = regions[0].shapes if regions else None
        if self._layer is not None:
            # What is drawn next would have the colour that was given to what is selected.
            with self._layer.block_update_properties():
                (self._layer.current_edge_color,) = self._plain([self._layer.current_edge_color])
            if self._layer is not layer:
                _wear(self._layer, self._plain(self._layer.edge_color))
                self._covered = []
        if layer is not None:
            plain = self._plain(layer.edge_color)
            colours, self._covered = plain.copy(), []
            for index, region in enumerate(regions):
                given = np.array(to_rgba(region_colour(index)))
                self._covered.append((given, plain[region.index]))
                colours[region.index] = given
            _wear(layer, colours)
        self._layer = layer

    def _plain(self, colours: Iterable[Any]) -> NDArray[np.float64]:
        """Colours of outlines, with what they had before in the place of what was given."""
        shown = np.array([to_rgba(colour) for colour in colours]).reshape(-1, 4)
        plain = shown.copy()
        for given, before in self._covered:
            # napari keeps fewer digits.
            plain[np.isclose(shown, given).all(axis=1)] = before
        return plain


def _wear(layer: Shapes, colours: NDArray) -> None:
    """Give outlines these colours, if they have others: during a drag they are asked for often."""
    if not np.allclose(layer.edge_color, colours):
        layer.edge_color = colours
