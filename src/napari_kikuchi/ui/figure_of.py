"""What is seen in the window as the content of a figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.figures.content import (
    CompositePanel,
    FigureContent,
    MapPanel,
    PatternPanel,
    ProfileCurve,
)
from napari_kikuchi.maps import Region
from napari_kikuchi.ui.composite import COLOURS
from napari_kikuchi.ui.link import map_name, step_of, unit_of

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_kikuchi.ui.regions import Drawn

_COLOURS = 256


def figure_of(
    maps: Sequence[Image],
    shapes: Sequence[Drawn] = (),
    patterns: Sequence[PatternPanel] = (),
    profiles: Sequence[ProfileCurve] = (),
) -> FigureContent:
    """The figure of what is inspected.

    Parameters
    ----------
    maps
        Visible maps of one scan, the topmost first: that one is shown, or all three if they are a
        picture in red, green and blue.
    shapes
        Drawn on it.
    patterns, profiles
        What was found there.
    """
    return FigureContent(
        maps=[_panel(maps)],
        regions=[_region(shape, maps[0]) for shape in shapes],
        patterns=patterns,
        profiles=profiles,
    )


def _panel(maps: Sequence[Image]) -> MapPanel | CompositePanel:
    alike = [layer for layer in maps if layer.data.shape == maps[0].data.shape]
    # Of two pictures the upper one is seen.
    parts = {layer.colormap.name: layer for layer in reversed(alike)}
    if maps[0].colormap.name in COLOURS and parts.keys() >= {*COLOURS}:
        primaries = [parts[colour] for colour in COLOURS]
        return CompositePanel(
            np.stack([layer.data for layer in primaries]),
            step_of(maps[0]),
            limits=[_limits(layer) for layer in primaries],
            names=[map_name(layer) for layer in primaries],
        )
    shown = maps[0]
    return MapPanel(
        shown.data,
        step_of(shown),
        shown.name,
        unit_of(shown),
        _limits(shown),
        shown.colormap.map(np.linspace(0, 1, _COLOURS)),
    )


def _limits(layer: Image) -> tuple[float, float]:
    low, high = layer.contrast_limits
    return float(low), float(high)


def _region(shape: Drawn, layer: Image) -> Region:
    vertices = shape.outline(layer).vertices * step_of(layer)
    return Region(shape.name, shape.kind, tuple((float(y), float(x)) for y, x in vertices))
