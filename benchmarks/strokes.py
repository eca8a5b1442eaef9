"""Do a few strokes on wall and interior bring the map to the top that shows walls best?

    python benchmarks/strokes.py

Simulated additive scans that no model has seen are encoded; strokes of twenty positions each are
laid at random along a wall and in the interior nearby, as a person would paint them, and the maps
are ranked by how far they set the two apart. Told is how often the first of them comes within 0.02
of the best single map, as areas under the ROC curve of all walls against all interiors, by how much
it misses on average, and how often a ranking does that asks for no difference to the surroundings.
"""

from __future__ import annotations

import argparse
import platform
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from encoded import add_wall_arguments, encoded, scan_arguments, walls_of
from roc import auc_either_way

from napari_kikuchi.explore.separation import separations
from napari_kikuchi.jobs import finish
from napari_kikuchi.simulate import make_structure

WALL, INTERIOR = 0.5, 0.1
NEAR = 12  # positions from a stroke on a wall to where one in the interior begins
TOLERANCE = 0.02


def main() -> None:
    """Read the command line, measure and print the table."""
    parser = scan_arguments(__doc__)
    parser.add_argument("--positions", type=int, default=20, help="under each stroke")
    parser.add_argument("--strokes", type=int, default=1, help="on walls and in interiors, each")
    parser.add_argument("--trials", type=int, default=100)
    add_wall_arguments(parser)
    given = parser.parse_args()
    titles = f"{'best map':<28}{'AUC':>6}{'within':>9}{'missed':>8}{'plain':>9}"
    print(f"{'seed':>6}{'maps of':>10}  {titles}")
    with TemporaryDirectory() as folder:
        for seed in given.seeds:
            _measure(Path(folder), seed, given)
    print(f"{platform.machine()}, Python {platform.python_version()}, {vars(given)}")


def _measure(folder: Path, seed: int, given: argparse.Namespace) -> None:
    side, size = given.side, (12.0, 6.0)
    structure = make_structure(
        "additive", side, side, seed=seed, grain_size=size, **walls_of(given)
    )
    wall, interior = structure.wall > WALL, structure.wall < INTERIOR
    for name, stack in encoded(folder, structure, given.noise, seed):
        sure = wall | interior
        shown = np.array([auc_either_way(values[sure], wall[sure]) for values in stack.values[:]])
        best = int(shown.argmax())
        rng = np.random.default_rng(seed)
        missed: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(given.trials):
            places = _strokes(wall, interior, given, rng)
            for fine, found in missed.items():
                first = np.abs(finish(separations(stack, *places, fine=fine))).argmax()
                found.append(shown[best] - shown[first])
        within = {fine: np.mean(np.array(found) <= TOLERANCE) for fine, found in missed.items()}
        print(
            f"{seed:>6}{name:>10}  {stack.names[best]:<28}{shown[best]:>6.3f}{within[True]:>9.0%}"
            f"{np.mean(missed[True]):>8.3f}{within[False]:>9.0%}",
            flush=True,
        )


def _strokes(
    wall: np.ndarray, interior: np.ndarray, given: argparse.Namespace, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Positions under strokes on walls, and under as many in interiors beside them."""
    on, off = [], []
    for _ in range(given.strokes):
        on.append(_stroke(wall, rng.choice(np.argwhere(wall)), given.positions, rng))
        beside = np.argwhere(interior)
        near = beside[np.linalg.norm(beside - on[-1].mean(axis=0), axis=1) < NEAR]
        off.append(_stroke(interior, rng.choice(near), given.positions, rng))
    return np.concatenate(on), np.concatenate(off)


def _stroke(
    allowed: np.ndarray, start: np.ndarray, length: int, rng: np.random.Generator
) -> np.ndarray:
    """A path from a position through others that are allowed; where it ends the pen is lifted."""
    left = np.argwhere(allowed)
    here, heading = start, rng.normal(size=2)
    path = []
    for _ in range(length):
        path.append(here)
        left = left[(left != here).any(axis=1)]
        away = left - here
        distance = np.abs(away).max(axis=1)
        # The nearest, and of those the one ahead.
        cost = distance - 0.3 * (away @ heading) / np.linalg.norm(away, axis=1)
        onward = int(cost.argmin())
        heading = 0.7 * heading + 0.3 * away[onward]
        here = left[onward]
    return np.array(path)


if __name__ == "__main__":
    main()
