"""How well the particles of a second phase are found, and how long a map of symmetry takes.

    python benchmarks/symmetry_scan.py [--particles NbCr2] [--model MODEL] [--size 120] [--repeat 1]

A scan of nickel grains with particles of a Laves phase, each particle in an orientation of its own;
recorded with the noise of kikuchipy's real nickel scan, mapped as any scan is: that of the menu of
samples, but larger. With ``--repeat 4`` the same patterns come sixteen times, for the time that a
large scan takes.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from napari_kikuchi.io import open_scan
from napari_kikuchi.io.known_geometry import known_geometry
from napari_kikuchi.io.map_store import read_maps
from napari_kikuchi.jobs import finish
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.scan import Scan
from napari_kikuchi.simulate import truth_path
from napari_kikuchi.symmetry.classifier import SymmetryClassifier
from napari_kikuchi.symmetry.maps import symmetry_maps
from napari_kikuchi.symmetry.references import References
from napari_kikuchi.symmetry.simulated_alloy import AlloySettings, simulate_alloy
from napari_kikuchi.symmetry.summary import symmetry_told

MATRIX = 225


def main() -> None:
    """Simulate, map, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--particles", default="NbCr2", help="one of the reference phases")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--size", type=int, default=120)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    settings = AlloySettings(
        shape=(given.size, given.size), seed=given.seed, particles=given.particles
    )
    classifier = SymmetryClassifier.chosen(given.model)
    references = References.shipped()
    group = int(references.groups[references.names.index(given.particles)])
    with tempfile.TemporaryDirectory() as folder:
        path = finish(simulate_alloy(Path(folder) / "alloy.up2", settings))
        alloy = open_scan(path)
        patterns = alloy.patterns.compute()
        geometry = known_geometry(alloy).geometry
        scan = Scan(ArraySource(np.tile(patterns, (given.repeat, given.repeat, 1, 1))))
        began = time.perf_counter()
        stack = finish(symmetry_maps(scan, classifier, geometry, Path(folder) / "maps.zarr"))
        seconds = time.perf_counter() - began
        print(f"{scan.count:,} patterns in {seconds:.0f} s: {scan.count / seconds:,.0f} per second")
        print(*symmetry_told(stack), sep="\n")
        found = stack.map(stack.names.index("symmetry"))
        print(f"background: {stack.provenance['symmetry']['background']}")
        maps = read_maps(truth_path(path))
        particle = maps.map(maps.names.index("particle")) > 0
    truth = np.tile(particle, (given.repeat, given.repeat))
    print("share of the matrix told as such:", f"{(found[~truth] == MATRIX).mean():.3f}")
    told = found == group
    hits = (told & truth).sum()
    precision, recall = hits / max(told.sum(), 1), hits / truth.sum()
    print(
        f"particles ({group}): {truth.mean():.3f} of the map, precision {precision:.3f}, recall "
        f"{recall:.3f}, F1 {2 * precision * recall / max(precision + recall, 1e-9):.3f}"
    )
    other = (found != MATRIX) & np.isfinite(found)
    hits = (other & truth).sum()
    print(f"what is not matrix as particles: F1 {2 * hits / max(other.sum() + truth.sum(), 1):.3f}")


if __name__ == "__main__":
    main()
