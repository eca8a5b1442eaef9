"""Colours of maps and of regions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.figures.content import CompositePanel
from napari_kikuchi.maps import contrast_limits

if TYPE_CHECKING:
    from matplotlib.colors import Colormap
    from numpy.typing import NDArray

# Where a map has no value: lighter than what has one, and not the white of the paper.
NO_VALUE = "#f4f1ea"
# Okabe and Ito's colours, which the colour-blind tell apart, first those that stand out on gray.
_OF_REGIONS = ("#E69F00", "#56B4E9", "#009E73", "#D55E00", "#CC79A7", "#F0E442", "#0072B2")
# Of these, those that are seen on the white, blue and red of a difference.
_OF_BANDS = ("#F0E442", "#56B4E9", "#009E73", "#CC79A7")
# napari's single colours, which begin with black; matplotlib's green is a darker one.
SINGLE = {
    "red": (1, 0, 0),
    "green": (0, 1, 0),
    "blue": (0, 0, 1),
    "cyan": (0, 1, 1),
    "magenta": (1, 0, 1),
    "yellow": (1, 1, 0),
}


def colormap_of(colormap: str | NDArray) -> Colormap:
    """A colormap by name, or of a table.

    Raises
    ------
    ValueError
        If no colormap of that name is known, or the table is none.
    """
    import matplotlib
    from matplotlib.colors import LinearSegmentedColormap

    if not isinstance(colormap, str):
        table = np.asarray(colormap, np.float64)
        if table.ndim != 2 or table.shape[1] not in (3, 4) or len(table) < 2:
            raise ValueError(
                "a table of colours has two rows at least, and red, green, blue and perhaps alpha "
                f"in its columns, not the shape {table.shape}"
            )
        found: Colormap = LinearSegmentedColormap.from_list("table", table, N=max(256, len(table)))
    elif colormap in SINGLE:
        found = LinearSegmentedColormap.from_list(colormap, [(0, 0, 0), SINGLE[colormap]])
    elif colormap in matplotlib.colormaps:
        found = matplotlib.colormaps[colormap]
    else:
        raise ValueError(
            f"there is no colormap {colormap!r} here: choose one such as gray, viridis or magma, "
            "or give its table of colours"
        )
    return found.with_extremes(bad=NO_VALUE)


def region_colour(index: int | None) -> str:
    """Colour of a region by its index; of what belongs to none, nearly black."""
    return "#222222" if index is None else _OF_REGIONS[index % len(_OF_REGIONS)]


def band_colour(number: int) -> str:
    """Colour of a band by its number, from 1."""
    return _OF_BANDS[(number - 1) % len(_OF_BANDS)]


def composite_colours(panel: CompositePanel) -> NDArray[np.float64]:
    """Red, green and blue between 0 and 1, of shape (rows, columns, 3)."""
    from matplotlib.colors import to_rgb

    values = np.asarray(panel.values, np.float64)
    limits = panel.limits or [contrast_limits(one) for one in values]
    scaled = [(one - low) / (high - low) for one, (low, high) in zip(values, limits, strict=True)]
    colours = np.stack(scaled, axis=-1)
    missing = ~np.isfinite(colours).all(axis=-1)
    colours = np.clip(colours, 0, 1)
    colours[missing] = to_rgb(NO_VALUE)
    return colours
