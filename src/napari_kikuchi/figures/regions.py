"""Regions drawn on a map, with their letters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.figures.colours import region_colour
from napari_kikuchi.figures.content import letters
from napari_kikuchi.figures.text import MM_PER_POINT, TITLE_SIZE, style, width_of
from napari_kikuchi.shapes import corners, encloses

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from napari_kikuchi.maps import Region

_LINE_WIDTH = 1.1
# A darker line below the coloured one: it is seen on bright and on dark.
_HALO_WIDTH = 2.2
_HALO = "#1a1a1a"
# Between a region and its letter, in mm.
_LETTER_GAP = 0.9


def outline(region: Region) -> NDArray[np.float64]:
    """Points of a region's line, y and x in µm, of shape (n, 2); closed if the region is."""
    points = corners(region.shape_type, region.vertices)
    return np.concatenate([points, points[:1]]) if encloses(region.shape_type) else points


def draw_regions(axes: Axes, regions: Sequence[Region], mm_per_um: float) -> None:
    """Draw regions on axes whose x and y are in µm, with y downwards.

    Parameters
    ----------
    axes
        Of a map.
    regions
        To draw; where a line begins, from which its profile counts, is a dot.
    mm_per_um
        Size of a µm on the figure, which tells how much room a letter needs.
    """
    from matplotlib.patheffects import Normal, Stroke

    taken: list[NDArray[np.float64]] = []
    for index, (region, letter) in enumerate(zip(regions, letters(len(regions)), strict=True)):
        points, colour = outline(region), region_colour(index)
        halo = [Stroke(linewidth=_HALO_WIDTH, foreground=_HALO), Normal()]
        begins: dict[str, Any] = {"marker": "o", "markersize": 3.0, "markevery": [0]}
        axes.plot(
            points[:, 1],
            points[:, 0],
            color=colour,
            linewidth=_LINE_WIDTH,
            solid_joinstyle="round",
            solid_capstyle="round",
            path_effects=halo,
            gid=f"region {letter}",
            **({} if encloses(region.shape_type) else begins),
        )
        box = _place(axes, points, letter, mm_per_um, taken)
        taken.append(box)
        y, x = box.mean(axis=0)
        # What has a path effect is no text in an SVG: the halo is a text of its own.
        for effects in ([Stroke(linewidth=1.8, foreground=_HALO)], None):
            axes.text(
                x,
                y,
                letter,
                ha="center",
                va="center_baseline",
                path_effects=effects,
                **style(TITLE_SIZE, bold=True, colour=colour),
            )


def _place(
    axes: Axes,
    points: NDArray[np.float64],
    letter: str,
    mm_per_um: float,
    taken: Sequence[NDArray[np.float64]],
) -> NDArray[np.float64]:
    """A box for a letter beside its region: inside the map and clear of others, where there is one.

    Boxes are their lower and upper corner, of shape (2, 2), in µm.
    """
    size = np.array([TITLE_SIZE * MM_PER_POINT, width_of(letter, TITLE_SIZE)]) / mm_per_um
    gap = _LETTER_GAP / mm_per_um
    low, high = points.min(axis=0), points.max(axis=0)
    # Above its highest point, the leftmost of them.
    top_x = points[points[:, 0] == low[0], 1].min()
    middle = (low + high) / 2 - size / 2
    before, after = low - size - gap, high + gap
    candidates = [
        (before[0], top_x if top_x == low[1] else top_x - size[1] / 2),
        (before[0], middle[1]),
        (middle[0], before[1]),
        (middle[0], after[1]),
        (after[0], middle[1]),
        (before[0], after[1]),
        (after[0], before[1]),
        (middle[0], middle[1]),
    ]
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    inside = np.array([[top, left], [bottom, right]]) + gap * np.array([[1], [-1]])
    boxes = [np.stack([corner, corner + size]) for corner in map(np.array, candidates)]
    fitting = [box for box in boxes if (box[0] >= inside[0]).all() and (box[1] <= inside[1]).all()]
    free = [box for box in fitting if not any(_overlap(box, other) for other in taken)]
    if free or fitting:
        return (free or fitting)[0]
    corner = np.clip(boxes[0][0], inside[0], inside[1] - size)
    return np.stack([corner, corner + size])


def _overlap(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    return bool((one[0] < other[1]).all() and (other[0] < one[1]).all())
