"""What a map of walls measures: cell size, wall thickness, wall fraction, and how well."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import pairwise, product
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.explore.cells import cut_cells
from napari_kikuchi.explore.surroundings import NEIGHBOURS
from napari_kikuchi.explore.wall_profile import ProfileError, WallProfile

if TYPE_CHECKING:
    from napari_kikuchi.explore.walls import Walls

# Parts of a map, along each side, that are left out in turn.
_PARTS_ALONG = 4
# Whole cells by whose spread the error of their mean diameter is known.
_FEWEST = 10


@dataclass(frozen=True)
class Measure:
    """A figure and how well it is known.

    Attributes
    ----------
    value
        NaN where the map does not tell.
    error
        Standard error of the value: what another map of the same size might differ by.
    unit
        Empty for a share.
    """

    value: float
    error: float
    unit: str = ""


@dataclass(frozen=True)
class WallMeasures:
    """Figures of the walls and cells of a map.

    Attributes
    ----------
    wall_fraction
        Share of the positions with a value that lie in a wall, which is as thick as the mean wall
        at half of its depth.
    wall_thickness
        Full width at half maximum of a Gaussian fitted to the mean profile across the walls.
    cell_diameter
        Mean diameter of the circles that have the areas of the cells. Cells reach to the middle of
        their walls; those that touch the border of the map or a position without a value are cut,
        and left out.
    intercept
        Mean linear intercept: length of the rows and columns of the map over the number of times
        they cross from cell to cell. Down and right count alike, whatever the steps. All cells
        count.
    """

    wall_fraction: Measure
    wall_thickness: Measure
    cell_diameter: Measure
    intercept: Measure


def measure_walls(walls: Walls) -> WallMeasures:
    """Measure the walls and cells of a map.

    The error of the cell diameter is that of a mean over cells; of fewer than ten it is not known.
    Those of the others come of leaving out a sixteenth of the map at a time (jackknife). None of
    them holds what the choice of the map adds: overlap of neighbouring patterns thickens walls.

    Parameters
    ----------
    walls
        Found by :func:`~napari_kikuchi.explore.walls.find_walls`.
    """
    everything = _Sums.of(walls, np.s_[:, :])
    parts = [_Sums.of(walls, part) for part in _parts(walls.cells.shape)]
    without = np.array([(everything - part).figures() for part in parts if part.known])
    spread = np.square(without - without.mean(axis=0)).sum(axis=0)
    errors = np.sqrt(spread * (len(without) - 1) / len(without)).tolist()
    fraction, thickness, intercept = map(Measure, everything.figures(), errors, ("", "µm", "µm"))
    return WallMeasures(fraction, thickness, _mean_diameter(walls), intercept)


@dataclass(frozen=True, eq=False)
class _Sums:
    """What a part of a map adds to the figures.

    Attributes
    ----------
    profile
        Across its walls.
    in_wall, known
        Positions in a wall, and positions with a value.
    area, crossed
        Length of its rows and columns in µm, and how often they cross from cell to cell, both times
        the distance between such lines: those that lie closer together count less.
    """

    profile: WallProfile
    in_wall: int
    known: int
    area: float
    crossed: float

    @classmethod
    def of(cls, walls: Walls, part: tuple[slice, ...]) -> _Sums:
        cells = walls.cells[part]
        pairs, crossings = [], []
        for one, other in NEIGHBOURS:
            both = (cells[one] > 0) & (cells[other] > 0)
            pairs.append(int(np.count_nonzero(both)))
            crossings.append(int(np.count_nonzero(both & (cells[one] != cells[other]))))
        return cls(
            WallProfile.of(walls.distance[part], walls.strength[part], walls.profile.reach),
            int(np.count_nonzero(walls.mask[part])),
            int(np.count_nonzero(cells)),
            sum(pairs) * walls.step[0] * walls.step[1],
            float(np.dot(crossings, walls.step[::-1])),
        )

    def __sub__(self, part: _Sums) -> _Sums:
        names = [one.name for one in fields(self)]
        return _Sums(*(getattr(self, name) - getattr(part, name) for name in names))

    def figures(self) -> tuple[float, float, float]:
        """Wall fraction, wall thickness in µm and mean linear intercept in µm."""
        try:
            thickness = self.profile.fit().width
        except ProfileError:
            thickness = np.nan
        fraction = self.in_wall / self.known if self.known else np.nan
        return fraction, thickness, self.area / self.crossed if self.crossed else np.nan


def _parts(shape: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    sides = []
    for length in shape:
        ends = np.linspace(0, length, _PARTS_ALONG + 1).astype(int)
        sides.append([slice(*side) for side in pairwise(ends.tolist())])
    return product(*sides)


def _mean_diameter(walls: Walls) -> Measure:
    whole = ~cut_cells(walls.cells)
    whole[0] = False
    areas = np.bincount(walls.cells.ravel())[whole] * (walls.step[0] * walls.step[1])
    diameters = np.sqrt(4 * areas / np.pi)
    if not len(diameters):
        return Measure(np.nan, np.nan, "µm")
    known = len(diameters) >= _FEWEST
    error = diameters.std(ddof=1) / np.sqrt(len(diameters)) if known else np.nan
    return Measure(float(diameters.mean()), float(error), "µm")
