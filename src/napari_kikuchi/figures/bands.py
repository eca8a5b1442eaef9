"""Bands drawn over a pattern, with their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from napari_kikuchi.figures.colours import band_colour
from napari_kikuchi.figures.text import SIZE, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

_LINE_WIDTH = 1.0
# Along a band, from its first end.
_NUMBER_AT = 0.2


def draw_bands(axes: Axes, bands: Sequence[NDArray]) -> None:
    """Draw the centre lines of bands over a picture, with their numbers from 1.

    Parameters
    ----------
    axes
        Of the picture.
    bands
        Row and column of both ends of each, of shape (2, 2), in pixels of the picture.
    """
    # Lines that end at the border of a picture must not make room around it.
    axes.autoscale(False)
    for number, ends in enumerate(bands, 1):
        rows, cols = ends.T
        colour = band_colour(number)
        axes.plot(cols, rows, color=colour, linewidth=_LINE_WIDTH, gid=f"band {number}")
        # Where lines are apart, and inside the picture.
        share = _NUMBER_AT if number % 2 else 1 - _NUMBER_AT
        row, col = ends[0] + share * (ends[1] - ends[0])
        axes.text(
            col,
            row,
            str(number),
            ha="center",
            va="center",
            bbox={"facecolor": colour, "linewidth": 0, "boxstyle": "circle,pad=0.15"},
            **style(SIZE),
        )
