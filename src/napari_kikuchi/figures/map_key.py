"""What stands below a map: a scale bar at its left, what its colours mean at its right."""

from __future__ import annotations

import math

import numpy as np

from napari_kikuchi.figures.colours import SINGLE, colormap_of
from napari_kikuchi.figures.content import CompositePanel, MapPanel
from napari_kikuchi.figures.direction_keys import draw_direction_keys, keys_height, keys_width
from napari_kikuchi.figures.page import SHARP, Box, Page, frame
from napari_kikuchi.figures.scale_bar import length_text, round_length
from napari_kikuchi.figures.text import height_of, quantity, width_of, wrapped

# In mm: from the map to the bars, their height, and from there to the text.
_BELOW_MAP = 1.8
_BAR = 1.3
_BELOW_BAR = 0.7
# Shares of the map's width.
_COLOUR_BAR = 0.6
# Of a colour beside its name, in mm.
_SQUARE = 1.6
# Around a name that stands between the numbers of a colour bar; between a colour and its name.
_AROUND = 1.5
_STEPS = 256
# Between the scale bar and keys of directions, at least.
_BESIDE_BAR = 4.0


def key_height(panel: MapPanel | CompositePanel, width: float) -> float:
    """Room that the key of a map of some width needs below it, in mm."""
    if isinstance(panel, CompositePanel) and panel.keys:
        place = _keys_place(panel, Box(0, 0, width, 0))
        return place.top + keys_height(panel, place.width)
    if isinstance(panel, CompositePanel):
        lines = max(len(panel.names) * height_of(1), _BAR + _BELOW_BAR + height_of(1))
        return _BELOW_MAP + lines
    lines = 1 if _fits_between(panel, width) else 1 + _name(panel, width).count("\n") + 1
    return _BELOW_MAP + _BAR + _BELOW_BAR + height_of(lines)


def key_right(panel: MapPanel | CompositePanel, box: Box) -> float:
    """Where the key of a map that stands in a box ends: beyond it where the map is narrow."""
    bar, (told, left) = _colour_bar(box), _scale_text(panel, box)
    ends = [box.right, left + width_of(told)]
    if isinstance(panel, CompositePanel) and panel.keys:
        place = _keys_place(panel, box)
        ends.append(place.left + keys_width(panel, place.width))
    elif isinstance(panel, CompositePanel):
        ends += [bar.left + _SQUARE + _AROUND / 2 + width_of(name) for name in panel.names]
    else:
        start, _ = numbers_text(*panel.shown_limits())
        lines = _name(panel, box.width).split("\n")
        ends += [bar.left + width_of(start), _middle(bar) + max(map(width_of, lines)) / 2]
    return max(ends)


def draw_key(page: Page, panel: MapPanel | CompositePanel, box: Box) -> None:
    """Draw the key of a map that stands in a box."""
    _draw_scale_bar(page, panel, box)
    if isinstance(panel, CompositePanel) and panel.keys:
        place = _keys_place(panel, box)
        draw_direction_keys(page, panel, place.left, place.top, place.width)
    elif isinstance(panel, CompositePanel):
        _draw_names(page, panel, box)
    else:
        _draw_colour_bar(page, panel, box)


def numbers_text(low: float, high: float) -> tuple[str, str]:
    """Two limits with as many decimals as tell a hundredth of what lies between them."""
    largest = max(abs(low), abs(high))
    if largest >= 1e5 or largest < 1e-3:
        texts = f"{low:.2g}", f"{high:.2g}"
    else:
        decimals = max(0, 2 - math.ceil(math.log10(high - low)))
        texts = f"{low:.{decimals}f}", f"{high:.{decimals}f}"
    return texts[0].replace("-", "−"), texts[1].replace("-", "−")


def _draw_scale_bar(page: Page, panel: MapPanel | CompositePanel, box: Box) -> None:
    bar = _scale_bar(panel, box)
    page.bar(bar, "black", "scale bar")
    told, left = _scale_text(panel, box)
    page.text(left, bar.bottom + _BELOW_BAR, told)


def _draw_colour_bar(page: Page, panel: MapPanel, box: Box) -> None:
    low, high = panel.shown_limits()
    bar = _colour_bar(box)
    axes = page.axes(bar, "colour bar")
    axes.imshow(
        np.linspace(low, high, _STEPS)[None],
        cmap=colormap_of(panel.colormap),
        vmin=low,
        vmax=high,
        interpolation=SHARP,
        aspect="auto",
    )
    frame(axes)
    top = bar.bottom + _BELOW_BAR
    start, end = numbers_text(low, high)
    page.text(bar.left, top, start)
    page.text(bar.right, top, end, ha="right")
    if not _fits_between(panel, box.width):
        top += height_of(1)
    page.text(_middle(bar), top, _name(panel, box.width), ha="center")


def _draw_names(page: Page, panel: CompositePanel, box: Box) -> None:
    left = _colour_bar(box).left
    for i, (name, colour) in enumerate(zip(panel.names, SINGLE, strict=False)):
        top = box.bottom + _BELOW_MAP + i * height_of(1)
        square = box._replace(left=left, top=top + 0.4, width=_SQUARE, height=_SQUARE)
        page.bar(square, SINGLE[colour], f"colour {colour}")
        page.text(square.right + _AROUND / 2, top, name)


def _keys_place(panel: CompositePanel, box: Box) -> Box:
    """Where keys of directions begin: at the right of the scale bar, or below it."""
    below = box.below(_BELOW_MAP, 0)
    told, left = _scale_text(panel, box)
    room = box.right - max(left + width_of(told), _scale_bar(panel, box).right) - _BESIDE_BAR
    needed = keys_width(panel, room)
    if needed <= room:
        return below._replace(left=box.right - needed, width=needed)
    return box.below(_BELOW_MAP + _BAR + _BELOW_BAR + height_of(1) + _BELOW_BAR, 0)


def _scale_length(panel: MapPanel | CompositePanel) -> float:
    return round_length(panel.map_shape[1] * panel.step[1])


def _scale_bar(panel: MapPanel | CompositePanel, box: Box) -> Box:
    share = _scale_length(panel) / (panel.map_shape[1] * panel.step[1])
    return box.below(_BELOW_MAP, _BAR)._replace(width=box.width * share)


def _scale_text(panel: MapPanel | CompositePanel, box: Box) -> tuple[str, float]:
    """What stands below the middle of the scale bar, and where it begins: on the page at least."""
    bar, told = _scale_bar(panel, box), length_text(_scale_length(panel))
    return told, max(bar.left, _middle(bar) - width_of(told) / 2)


def _middle(bar: Box) -> float:
    return bar.left + bar.width / 2


def _colour_bar(box: Box) -> Box:
    bar = box.below(_BELOW_MAP, _BAR)
    return bar._replace(left=bar.right - _COLOUR_BAR * box.width, width=_COLOUR_BAR * box.width)


def _name(panel: MapPanel, width: float) -> str:
    return wrapped(quantity(panel.name, panel.unit), _COLOUR_BAR * width)


def _fits_between(panel: MapPanel, width: float) -> bool:
    """Whether the name of the values stands between the numbers, on one line."""
    texts = [quantity(panel.name, panel.unit), *numbers_text(*panel.shown_limits())]
    return sum(map(width_of, texts)) + 2 * _AROUND <= _COLOUR_BAR * width
