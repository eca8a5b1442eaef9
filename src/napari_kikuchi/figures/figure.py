"""A figure of maps, the patterns behind them and the profiles across them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.figures.bands import draw_bands
from napari_kikuchi.figures.colours import colormap_of, composite_colours, region_colour
from napari_kikuchi.figures.content import (
    CompositePanel,
    FigureContent,
    MapPanel,
    PatternPanel,
    ProfileCurve,
    letters,
)
from napari_kikuchi.figures.layout import (
    BELOW_TITLE,
    PROFILE_NUMBERS,
    lay_out,
    profile_groups,
    profile_name,
)
from napari_kikuchi.figures.map_key import draw_key
from napari_kikuchi.figures.page import HAIRLINE, SHARP, Box, Page, frame
from napari_kikuchi.figures.regions import draw_regions
from napari_kikuchi.figures.text import SIZE, TITLE_SIZE, families, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from napari_kikuchi.maps import Region

_REGION_FRAME = 1.2
_DIVERGING = "RdBu_r"
_BAND_OPACITY = 0.25
# Between two numbers below a profile, in mm, at least.
_BETWEEN_TICKS = 12.0
# Half the width of a number at an axis, in mm: nearer to the edge it would be cut.
_NUMBER_HALF = 1.8


def map_figure(content: FigureContent) -> Figure:
    """Draw a figure for a publication, 85 mm or 170 mm wide at most.

    Parameters
    ----------
    content
        What it shows.

    Returns
    -------
    matplotlib.figure.Figure
        Without a window; :func:`~napari_kikuchi.figures.save.save_figure` writes it.

    Raises
    ------
    ValueError
        If a colormap is not known.
    """
    layout = lay_out(content)
    page = Page(layout.width, layout.height)
    for panel, box in zip(content.maps, layout.maps, strict=True):
        _draw_map(page, panel, box, content.regions)
    for pattern, box in zip(content.patterns, layout.patterns, strict=True):
        _draw_pattern(page, pattern, box)
    for group, box in zip(profile_groups(content.profiles), layout.profiles, strict=True):
        _draw_profiles(page, group, box)
    return page.figure


def _draw_map(
    page: Page, panel: MapPanel | CompositePanel, box: Box, regions: Sequence[Region]
) -> None:
    (rows, cols), (dy, dx) = panel.map_shape, panel.step
    # Regions count from the middle of the first position.
    extent = ((-0.5) * dx, (cols - 0.5) * dx, (rows - 0.5) * dy, (-0.5) * dy)
    axes = page.axes(box, "map")
    colours: dict[str, Any] = {}
    if isinstance(panel, CompositePanel):
        picture = composite_colours(panel)
    else:
        low, high = panel.shown_limits()
        picture = np.ma.masked_invalid(panel.values)
        colours = {"cmap": colormap_of(panel.colormap), "vmin": low, "vmax": high}
    axes.imshow(picture, extent=extent, interpolation=SHARP, aspect="auto", **colours)
    frame(axes)
    axes.autoscale(False)
    draw_regions(axes, regions, box.width / (cols * dx))
    if panel.title:
        page.title(box, panel.title, BELOW_TITLE, TITLE_SIZE)
    draw_key(page, panel, box)


def _draw_pattern(page: Page, pattern: PatternPanel, box: Box) -> None:
    axes = page.axes(box, "pattern")
    values = np.ma.masked_invalid(pattern.values)
    colormap = colormap_of(_DIVERGING if pattern.diverging else "gray")
    low, high = pattern.limits()
    axes.imshow(values, cmap=colormap, vmin=low, vmax=high, interpolation=SHARP)
    axes.set_anchor("N")
    draw_bands(axes, pattern.bands)
    if pattern.region is None:
        frame(axes)
    else:
        frame(axes, region_colour(pattern.region), _REGION_FRAME)
    if caption := pattern.caption():
        page.title(box, caption, BELOW_TITLE)


def _draw_profiles(page: Page, group: Sequence[ProfileCurve], box: Box) -> None:
    axes = page.axes(box, "profile")
    for profile in group:
        colour = region_colour(profile.region)
        axes.plot(profile.distance, profile.value, color=colour, linewidth=1.0)
        if profile.deviation is not None:
            axes.fill_between(
                profile.distance,
                profile.value - profile.deviation,
                profile.value + profile.deviation,
                color=colour,
                alpha=_BAND_OPACITY,
                linewidth=0,
            )
    _style_axes(axes, box)
    axes.set_xlabel("distance (µm)", labelpad=1.5, **style())
    axes.set_ylabel(profile_name(group), va="bottom", **style())
    axes.yaxis.set_label_coords(-PROFILE_NUMBERS / box.width, 0.5)
    known = [profile.region for profile in group if profile.region is not None]
    for place, region in enumerate(reversed(known)):
        letter = letters(region + 1)[region]
        page.text(
            box.right - 4.0 * place,
            box.top,
            letter,
            ha="right",
            size=TITLE_SIZE,
            bold=True,
            colour=region_colour(region),
        )


def _style_axes(axes: Axes, box: Box) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.margins(x=0)
    start, end = axes.get_xlim()
    locator = MaxNLocator(int(box.width / _BETWEEN_TICKS), steps=[1, 2, 2.5, 5, 10])
    ticks = np.asarray(locator.tick_values(start, end))
    ticks = ticks[(ticks >= start) & (ticks <= end)]
    axes.set_xticks(ticks)
    if (end - ticks[-1]) / (end - start) * box.width < _NUMBER_HALF:
        axes.get_xticklabels()[-1].set_horizontalalignment("right")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_linewidth(HAIRLINE)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.tick_params(width=HAIRLINE, length=2, pad=1.5, labelsize=SIZE, labelfontfamily=families())
