"""Do cell size, wall thickness and wall fraction agree with the truth, and up to which noise?

    python benchmarks/cells.py
    python benchmarks/cells.py --wall-blur 2 --wall-contrast 0.03

Simulated additive scans that no model has seen are encoded. Walls are found on the contrast of the
shipped encoder, and on the contrast without overlap of 64 principal components of the very scan.
Told are errors against the truth: of the wall fraction (positions whose strength is above one
half), of the wall thickness (the full width at half maximum that the structure was made with), and
of the cell size: the mean diameter of the circles that have the areas of the cells (of five
positions or more) that do not touch the border, and the mean linear intercept. The domains of the
same encoder's features are given as borders (*: of the shipped encoder's); the last two columns are
of the diameter with the grains of the truth in their place, and without borders. A noise is a
level, or the mean counts of a pixel.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from encoded import add_wall_arguments, encoded, walls_of
from scipy import ndimage
from skimage.segmentation import relabel_sequential

from napari_kikuchi.explore.domains import find_domains
from napari_kikuchi.explore.neighbour_distances import neighbour_distances, suggested_threshold
from napari_kikuchi.explore.wall_measures import measure_walls
from napari_kikuchi.explore.walls import NoWallsError, find_walls, walls_are_dark
from napari_kikuchi.jobs import finish
from napari_kikuchi.simulate import make_structure
from napari_kikuchi.simulate.structure import Structure

LEAST_POSITIONS = 5
ENCODED, WITHOUT_OVERLAP = "feature 1, contrast", "contrast without overlap"
FIGURES = ("fraction", "thickness", "diameter", "intercept", "true grains", "no borders")


def main() -> None:
    """Read the command line, measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[981, 982, 983, 984, 985])
    parser.add_argument("--noise", nargs="+", default=["low", "medium", "high", "1200", "600"])
    parser.add_argument("--side", type=int, default=128, help="rows and columns of each scan")
    parser.add_argument("--grain-size", type=float, nargs=2, help="other than the default")
    add_wall_arguments(parser)
    given = parser.parse_args()
    print(f"{'noise':>7}{'seed':>6}  {'map':<27}{'contrast':>9}" + _row(FIGURES))
    for noise in given.noise:
        errors: dict[str, list[list[float]]] = {}
        for seed in given.seeds:
            structure = _structure(seed, given)
            with TemporaryDirectory() as folder:
                for name, values, domains in _maps(Path(folder), structure, noise, seed):
                    contrast, found = _errors(values, domains, structure)
                    errors.setdefault(name, []).append(found)
                    figures = _row([_percent(error, "+") for error in found])
                    print(f"{noise:>7}{seed:>6}  {name:<27}{contrast:>9.1f}" + figures, flush=True)
        for name, found in errors.items():
            worst = [_percent(np.abs(column).max()) for column in np.transpose(found)]
            print(f"{noise:>7}{'worst':>6}  {name:<27}{'':>9}" + _row(worst), flush=True)
    print(f"{platform.machine()}, Python {platform.python_version()}, {vars(given)}")


def _row(cells: Iterable[str]) -> str:
    return "".join(f"{cell:>12}" for cell in cells)


def _percent(error: float, sign: str = "") -> str:
    return "no walls" if np.isnan(error) else f"{error:{sign}.0%}"


def _structure(seed: int, given: argparse.Namespace) -> Structure:
    grains = {"grain_size": tuple(given.grain_size)} if given.grain_size else {}
    return make_structure(
        "additive", given.side, given.side, seed=seed, **grains, **walls_of(given)
    )


def _maps(
    folder: Path, structure: Structure, noise: str, seed: int
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Name of each map, the map, and the domains of the features beside it."""
    found = {}
    for (_, stack), name in zip(
        encoded(folder, structure, noise, seed), (ENCODED, WITHOUT_OVERLAP), strict=True
    ):
        distances = finish(neighbour_distances(stack))
        domains = finish(find_domains(distances, suggested_threshold(distances)))
        found[name] = stack.map(stack.names.index(name)), domains
        yield name, *found[name]
    yield f"{WITHOUT_OVERLAP} *", found[WITHOUT_OVERLAP][0], found[ENCODED][1]


def _errors(
    values: np.ndarray, domains: np.ndarray, structure: Structure
) -> tuple[float, list[float]]:
    """Contrast of the walls, and errors relative to the truth."""
    step = structure.step
    dark = finish(walls_are_dark(values, step))
    try:
        walls, known, alone = (
            finish(find_walls(values, step, dark=dark, borders=borders))
            for borders in (domains, structure.grain, None)
        )
    except NoWallsError:
        return np.nan, [np.nan] * len(FIGURES)
    # Particles, and pieces too small to be cells, belong to the nearest cell.
    small = np.bincount(structure.cell.ravel())[structure.cell] < LEAST_POSITIONS
    none = small | (structure.cell == 0)
    nearest = ndimage.distance_transform_edt(none, return_distances=False, return_indices=True)
    true_cells = relabel_sequential(structure.cell[tuple(nearest)])[0]
    truth, found = measure_walls(replace(walls, cells=true_cells)), measure_walls(walls)
    pairs = (
        (found.wall_fraction.value, np.mean(structure.wall > 0.5)),
        (found.wall_thickness.value, structure.settings["wall_width"]),
        (found.cell_diameter.value, truth.cell_diameter.value),
        (found.intercept.value, truth.intercept.value),
        (measure_walls(known).cell_diameter.value, truth.cell_diameter.value),
        (measure_walls(alone).cell_diameter.value, truth.cell_diameter.value),
    )
    return walls.contrast, [float(value / true - 1) for value, true in pairs]


if __name__ == "__main__":
    main()
