"""The walls and cells of a map with all that is told of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor, isfinite, log10
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.explore.cells import cut_cells
from napari_kikuchi.explore.wall_measures import Measure, WallMeasures, measure_walls
from napari_kikuchi.explore.wall_tables import cell_table, measure_table
from napari_kikuchi.explore.walls import Walls, find_walls, walls_are_dark
from napari_kikuchi.jobs import Job, Progress

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# Share of a figure below which its error is that of reckoning: all cells are alike.
_EXACT = 1e-9


@dataclass(frozen=True, eq=False)
class WallReport:
    """Walls and cells, their figures and their tables.

    Attributes
    ----------
    walls
        Where they run, and the cells between them.
    dark
        Whether walls are darker than the interior of cells.
    measures
        Cell size, wall thickness and wall fraction.
    cells
        A value for each cell in each column, see
        :func:`~napari_kikuchi.explore.wall_tables.cell_table`.
    """

    walls: Walls
    dark: bool
    measures: WallMeasures
    cells: Mapping[str, NDArray]

    @property
    def count(self) -> int:
        """How many cells there are."""
        return int(self.walls.cells.max())

    @property
    def whole(self) -> int:
        """How many of them are not cut by the border of the map or by what has no value."""
        return self.count - int(np.count_nonzero(cut_cells(self.walls.cells)[1:]))

    @property
    def figures(self) -> dict[str, Measure]:
        """The measures by what a person calls them."""
        return {
            "cell diameter": self.measures.cell_diameter,
            "mean intercept": self.measures.intercept,
            "wall thickness": self.measures.wall_thickness,
            "wall fraction": self.measures.wall_fraction,
        }

    @property
    def counted(self) -> str:
        """How many cells there are, in words."""
        return f"{self.count:,} cell{'s' * (self.count != 1)}, of which {self.whole:,} whole"

    def table(self) -> dict[str, list[Any]]:
        """Table of the figures and of the numbers of cells: columns by name."""
        table = measure_table(self.measures)
        for measure, number in (("cells", self.count), ("whole cells", self.whole)):
            row = {"measure": measure, "value": number, "standard error": "", "unit": ""}
            for name, column in table.items():
                column.append(row[name])
        return table


def report_walls(
    values: ArrayLike,
    step: tuple[float, float],
    *,
    dark: bool | None = None,
    borders: ArrayLike | None = None,
) -> Job[WallReport]:
    """Find the walls and cells of a map, and measure them.

    Parameters
    ----------
    values, step, borders
        As for :func:`~napari_kikuchi.explore.walls.find_walls`.
    dark
        Whether walls are darker than the interior of cells; None finds that out.

    Yields
    ------
    Progress
        Rows of the map and stages, then cells measured.

    Raises
    ------
    NoWallsError
        If no walls stand out on the map.
    ValueError
        If the borders have another shape than the map.
    """
    if dark is None:
        dark = yield from walls_are_dark(values, step)
    walls = yield from find_walls(values, step, dark=dark, borders=borders)
    yield Progress(0, 0, "Measuring walls and cells")
    measures = measure_walls(walls)
    return WallReport(walls, dark, measures, (yield from cell_table(walls)))


def in_words(measure: Measure) -> str:
    """A figure as it is written: ``2.31 ± 0.05 µm``; a share in percent.

    One that is no larger than its error is not known.
    """
    if not isfinite(measure.value) or measure.error >= abs(measure.value):
        return "not known"
    share = not measure.unit
    factor, unit = (100, "%") if share else (1, measure.unit)
    value, error = measure.value * factor, measure.error * factor
    if not isfinite(error) or error < _EXACT * abs(value):
        return f"{value:.3g} {unit}"
    digits = max(0, 1 - floor(log10(error)))
    return f"{value:.{digits}f} ± {error:.{digits}f} {unit}"
