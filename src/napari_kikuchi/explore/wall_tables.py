"""Tables of walls and cells."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.explore.cells import cut_cells
from napari_kikuchi.jobs import Job, Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.explore.wall_measures import WallMeasures
    from napari_kikuchi.explore.walls import Walls

# Cells measured at once.
_TOGETHER = 256


def cell_table(walls: Walls) -> Job[dict[str, NDArray]]:
    """Table of the cells of a map.

    Yields
    ------
    Progress
        Cells measured.

    Returns
    -------
    dict
        Columns by name, with their units, a value for each cell: its number, the middle (from the
        first position of the map), area, diameter of the circle of that area, ratio and direction
        of the axes of the ellipse with the same second moments, and whether it is cut by the border
        of the map or a position without a value. The direction is that of the long axis,
        anticlockwise from that of the rows, from 0 to 180°.
    """
    from skimage.measure import regionprops

    cells = regionprops(walls.cells, spacing=walls.step)
    number = np.array([cell.label for cell in cells], np.intp)
    figures = np.empty((len(cells), 6))
    for i, cell in enumerate(cells):
        figures[i] = (
            *cell.centroid,
            cell.area,
            cell.axis_major_length,
            cell.axis_minor_length,
            cell.orientation,
        )
        if i % _TOGETHER == 0:
            yield Progress(i, len(cells), "Measuring each cell")
    down, right, area, major, minor, orientation = figures.T
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = major / minor
    return {
        "cell": number,
        "down (µm)": down,
        "right (µm)": right,
        "area (µm²)": area,
        "diameter (µm)": np.sqrt(4 * area / np.pi),
        "aspect ratio": ratio,
        # scikit-image counts from the columns.
        "direction (°)": (np.rad2deg(orientation) + 90) % 180,
        "cut": cut_cells(walls.cells)[number],
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
