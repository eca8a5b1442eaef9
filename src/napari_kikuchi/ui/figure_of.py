"""What is seen in the window as the content of a figure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.explore.colour_keys import colour_key
from napari_kikuchi.figures.content import (
    CompositePanel,
    DirectionKey,
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

    from napari_kikuchi.explore.orientation_readings import OrientationReadings
    from napari_kikuchi.ui.regions import Drawn

_COLOURS = 256
# Of the pictures of inverse pole figures: along the surface's normal where nothing is said.
_INVERSE_POLE_FIGURE = re.compile(r"IPF(?: ([xyz]))? red")


def figure_of(
    maps: Sequence[Image],
    shapes: Sequence[Drawn] = (),
    patterns: Sequence[PatternPanel] = (),
    profiles: Sequence[ProfileCurve] = (),
    readings: OrientationReadings | None = None,
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
    readings
        Orientations of the scan, whose phases tell what the colours of an inverse pole figure mean.
    """
    return FigureContent(
        maps=[_panel(maps, readings)],
        regions=[_region(shape, maps[0]) for shape in shapes],
        patterns=patterns,
        profiles=profiles,
    )


def _panel(
    maps: Sequence[Image], readings: OrientationReadings | None
) -> MapPanel | CompositePanel:
    alike = [layer for layer in maps if layer.data.shape == maps[0].data.shape]
    # Of two pictures the upper one is seen.
    parts = {layer.colormap.name: layer for layer in reversed(alike)}
    if maps[0].colormap.name in COLOURS and parts.keys() >= {*COLOURS}:
        primaries = [parts[colour] for colour in COLOURS]
        names = [map_name(layer) for layer in primaries]
        along = _INVERSE_POLE_FIGURE.fullmatch(names[0])
        keys = [] if along is None or readings is None else _keys(readings)
        return CompositePanel(
            np.stack([layer.data for layer in primaries]),
            step_of(maps[0]),
            limits=[_limits(layer) for layer in primaries],
            names=names,
            keys=keys,
            heading=f"crystal direction along {along[1] or 'z'}" if along and keys else "",
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


def _keys(readings: OrientationReadings) -> list[DirectionKey]:
    """One for each phase of which there is a position."""
    orientations = readings.orientations
    keys = []
    for number, phase in enumerate(readings.phases, 1):
        if (orientations.numbers == number).any():
            key = colour_key(orientations.symmetries[number - 1], phase)
            keys.append(DirectionKey(phase.name, key.colours, key.extent, key.outline, key.corners))
    return keys


def _limits(layer: Image) -> tuple[float, float]:
    low, high = layer.contrast_limits
    return float(low), float(high)


def _region(shape: Drawn, layer: Image) -> Region:
    vertices = shape.outline(layer).vertices * step_of(layer)
    return Region(shape.name, shape.kind, tuple((float(y), float(x)) for y, x in vertices))
