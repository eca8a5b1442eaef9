"""The plot of a region, or of two that are compared: values, patterns, bands that changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.explore.regions import Histograms, RegionValues
from napari_kikuchi.figures.bands import draw_bands
from napari_kikuchi.figures.colours import region_colour
from napari_kikuchi.ui.pattern_views import View, view_limits
from napari_kikuchi.ui.plot import Plot, entitle, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from napari_kikuchi.explore.bands import Band
    from napari_kikuchi.ui.plot import Sheet
    from napari_kikuchi.ui.session import Session

# Heights in pixels: of a histogram with its title, of a title, of what stands below the axes.
_HISTOGRAM, _TITLE, _FOOT = 84, 22, 24
_LEFT, _EDGE, _GAP = 12, 12, 6
# For more letters there is no room above a histogram.
_TITLE_LETTERS = 58
_HEIGHT = 420
_TILES_ALONG = 3
_DIVERGING = "RdBu_r"


@dataclass(frozen=True, eq=False)
class MapValues:
    """What regions say of one map.

    Attributes
    ----------
    name, title, unit
        Of the map.
    values
        One for each region.
    histograms
        Of the regions and of the rest of the map.
    """

    name: str
    title: str
    unit: str
    values: Sequence[RegionValues]
    histograms: Histograms


@dataclass(frozen=True, eq=False)
class Tile:
    """One pattern.

    Attributes
    ----------
    title
        Stands above it.
    pattern
        Of shape (height, width), NaN where nothing is to be seen.
    diverging
        Whether it is a difference.
    """

    title: str
    pattern: NDArray[np.floating]
    diverging: bool = False


@dataclass(frozen=True, eq=False)
class ChangedBands:
    """Bands drawn over a difference, in recorded pixels.

    Attributes
    ----------
    bands
        The most significant change first.
    shape
        Height and width of the patterns in which they were found.
    """

    bands: Sequence[Band]
    shape: tuple[int, int]

    def over(self, tile: Tile) -> list[NDArray[np.float64]]:
        """Both ends of each, in pixels of a tile, which may be fewer; none over a mere pattern."""
        if not tile.diverging:
            return []
        scale = np.divide(tile.pattern.shape, self.shape)
        return [(band.ends + 0.5) * scale - 0.5 for band in self.bands]


class RegionPlot(Plot):
    """Draws what is known of regions so far; the patterns come later.

    Parameters
    ----------
    session
        Of the viewer whose theme is worn.
    """

    def __init__(self, session: Session) -> None:
        super().__init__(session, _HEIGHT)

    def show_regions(
        self,
        maps: Sequence[MapValues],
        tiles: Sequence[Tile] = (),
        bands: ChangedBands | None = None,
    ) -> None:
        """Draw values, and patterns and bands if they are known already."""
        rows = -(-len(tiles) // _TILES_ALONG)
        height = _HISTOGRAM * len(maps) + rows * (_TITLE + _side(self.width())) + _EDGE
        self.set_height(int(height))
        self.show_figure(partial(_draw_regions, maps, tiles, bands))


def _side(width: int) -> float:
    """Of a pattern in a plot of some width, in pixels."""
    return (width - 2 * _EDGE - (_TILES_ALONG - 1) * _GAP) / _TILES_ALONG


def _draw_regions(
    maps: Sequence[MapValues], tiles: Sequence[Tile], bands: ChangedBands | None, sheet: Sheet
) -> None:
    top = float(sheet.height)
    for one in maps:
        bottom, height = top - _HISTOGRAM + _FOOT, _HISTOGRAM - _TITLE - _FOOT
        _draw_histograms(sheet.axes((_LEFT, bottom, sheet.width - _LEFT - 2 * _EDGE, height)), one)
        top -= _HISTOGRAM
    side = _side(sheet.width)
    for i, tile in enumerate(tiles):
        row, col = divmod(i, _TILES_ALONG)
        bottom = top - (row + 1) * (_TITLE + side)
        axes = sheet.axes((_EDGE + col * (side + _GAP), bottom, side, side))
        _draw_tile(axes, tile)
        if bands is not None:
            draw_bands(axes, bands.over(tile))


def _draw_histograms(axes: Axes, one: MapValues) -> None:
    edges, counts = one.histograms.edges, one.histograms.places
    for index, place in enumerate(counts):
        colour = region_colour(index)
        shares = place / max(place.sum(), 1)
        axes.stairs(shares, edges, color=colour, fill=True, alpha=0.35)
        axes.stairs(shares, edges, color=colour, linewidth=1.2)
    rest = one.histograms.rest / max(one.histograms.rest.sum(), 1)
    axes.stairs(rest, edges, color="#909090", linewidth=1)
    axes.set_xlim(edges[0], edges[-1])
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    unit = f" {one.unit}" if one.unit else ""
    told = ", ".join(f"{each.mean:.3g} ± {each.deviation:.2g}" for each in one.values) + unit
    entitle(axes, f"{shortened(one.title, _TITLE_LETTERS - len(told))}: {told}")


def _draw_tile(axes: Axes, tile: Tile) -> None:
    limits = view_limits(View.DIFFERENCE if tile.diverging else View.RAW, tile.pattern)
    axes.imshow(
        tile.pattern,
        cmap=_DIVERGING if tile.diverging else "gray",
        vmin=limits[0],
        vmax=limits[1],
        interpolation="nearest",
    )
    entitle(axes, tile.title)
    axes.set_axis_off()
