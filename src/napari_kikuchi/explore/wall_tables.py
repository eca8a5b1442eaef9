"""Tables of walls and cells."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.explore.cells import cut_cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.explore.wall_measures import WallMeasures
    from napari_kikuchi.explore.walls import Walls


def cell_table(walls: Walls) -> dict[str, NDArray]:
    """Table of the cells of a map.

    Returns
    -------
    dict
        Columns by name, with their units, a value for each cell: its number, the middle (from the
        first position of the map), area, diameter of the circle of that area, ratio and direction
        of the axes of the ellipse with the same second moments, and whether it is cut by the border
        of the map or a position without a value. The direction is that of the long axis,
        anticlockwise from that of the rows, from 0 to 180°.
    """
    from skimage.measure import regionprops_table

    names = ("label", "centroid", "area", "axis_major_length", "axis_minor_length", "orientation")
    found = regionprops_table(walls.cells, properties=names, spacing=walls.step)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = found["axis_major_length"] / found["axis_minor_length"]
    return {
        "cell": found["label"],
        "down (µm)": found["centroid-0"],
        "right (µm)": found["centroid-1"],
        "area (µm²)": found["area"],
        "diameter (µm)": np.sqrt(4 * found["area"] / np.pi),
        "aspect ratio": ratio,
        # scikit-image counts from the columns.
        "direction (°)": (np.rad2deg(found["orientation"]) + 90) % 180,
        "cut": cut_cells(walls.cells)[found["label"]],
    }


def measure_table(measures: WallMeasures) -> dict[str, list[Any]]:
    """Table of figures: columns by name, a value for each figure."""
    names = [one.name for one in fields(measures)]
    figures = [getattr(measures, name) for name in names]
    return {
        "measure": [name.replace("_", " ") for name in names],
        "value": [one.value for one in figures],
        "standard error": [one.error for one in figures],
        "unit": [one.unit for one in figures],
    }
