"""Are the domains that neighbouring latent vectors make up the grains of the truth?

    python benchmarks/domains.py

Simulated additive scans that no model has seen are encoded; domains are found with the threshold
that the data suggest. Told is the adjusted Rand index of domains and grains, 1 where they are the
same, by distances and by angles between latent vectors: of the maps as they are, and of maps each
smoothed by a median over 3 x 3 positions; then how many domains and how many grains there are.
"""

from __future__ import annotations

import argparse
import platform
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from encoded import encoded, scan_arguments
from scipy.ndimage import median_filter
from sklearn.metrics import adjusted_rand_score

from napari_kikuchi.explore.domains import find_domains
from napari_kikuchi.explore.neighbour_distances import neighbour_distances, suggested_threshold
from napari_kikuchi.jobs import finish
from napari_kikuchi.simulate import make_structure

METRICS = ("distance", "angle")


def main() -> None:
    """Read the command line, measure and print the table."""
    given = scan_arguments(__doc__).parse_args()
    titles = "".join(
        f"{f'{metric}{smooth}':>18}" for smooth in ("", ", 3 x 3") for metric in METRICS
    )
    print(f"{'seed':>6}{'maps of':>10}{titles}{'domains':>10}{'grains':>8}")
    with TemporaryDirectory() as folder:
        for seed in given.seeds:
            _measure(Path(folder), seed, given)
    print(f"{platform.machine()}, Python {platform.python_version()}, {vars(given)}")


def _measure(folder: Path, seed: int, given: argparse.Namespace) -> None:
    side = given.side
    structure = make_structure("additive", side, side, seed=seed, grain_size=(12.0, 6.0))
    for name, stack in encoded(folder, structure, given.noise, seed):
        smooth = replace(stack, values=median_filter(stack.values[:], (1, 3, 3), mode="nearest"))
        likeness, counts = "", []
        for maps in (stack, smooth):
            for metric in METRICS:
                apart = finish(neighbour_distances(maps, metric))
                domains = finish(find_domains(apart, suggested_threshold(apart)))
                found = adjusted_rand_score(structure.grain.ravel(), domains.ravel())
                likeness += f"{found:>18.3f}"
                counts.append(domains.max())
        grains = len(np.unique(structure.grain))
        print(f"{seed:>6}{name:>10}{likeness}{counts[0]:>10}{grains:>8}", flush=True)


if __name__ == "__main__":
    main()
