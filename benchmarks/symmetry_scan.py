"""How well the particles of a second phase are found, and how long a map of symmetry takes.

    python benchmarks/symmetry_scan.py [--particles NbCr2] [--model MODEL] [--size 120] [--repeat 1]

A scan of nickel grains with particles of a Laves phase, both by Bloch waves, each particle in an
orientation of its own; recorded with the noise of kikuchipy's real nickel scan, mapped as any scan
is. With ``--repeat 4`` the same patterns come sixteen times, for the time that a large scan takes.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from napari_kikuchi.geometry import Geometry
from napari_kikuchi.jobs import finish
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.scan import Scan
from napari_kikuchi.simulate.detector import Detector
from napari_kikuchi.symmetry.classifier import SymmetryClassifier
from napari_kikuchi.symmetry.maps import symmetry_maps
from napari_kikuchi.symmetry.references import References
from napari_kikuchi.symmetry.summary import symmetry_told

DETECTOR = Detector((0.5, 0.3, 0.6))
SIZE = (60, 60)
NOISE, CONTRAST = 0.017, 0.03
GRAIN, RADII, SHARE = 25, (2.5, 6.0), 0.12


def main() -> None:
    """Simulate, map, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--particles", default="NbCr2", help="one of the reference phases")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--size", type=int, default=120)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    references = References.shipped()
    particle, rotations = structure(given.size, rng)
    patterns = recorded(references, given.particles, particle, rotations, rng)
    if given.model is None:
        classifier = SymmetryClassifier.shipped()
    else:
        classifier = SymmetryClassifier.load(given.model, "cpu")
    scan = Scan(ArraySource(np.tile(patterns, (given.repeat, given.repeat, 1, 1))))
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        geometry = Geometry.of_detector(DETECTOR)
        stack = finish(symmetry_maps(scan, classifier, geometry, Path(folder) / "maps.zarr"))
        seconds = time.perf_counter() - began
        print(f"{scan.count:,} patterns in {seconds:.0f} s: {scan.count / seconds:,.0f} per second")
        print(*symmetry_told(stack), sep="\n")
        found = stack.map(stack.names.index("symmetry"))
        print(f"background: {stack.provenance['symmetry']['background']}")
    truth = np.tile(particle, (given.repeat, given.repeat))
    group = int(references.groups[references.names.index(given.particles)])
    matrix = int(references.groups[references.names.index("Ni")])
    print("share of the matrix told as such:", f"{(found[~truth] == matrix).mean():.3f}")
    told = found == group
    hits = (told & truth).sum()
    precision, recall = hits / max(told.sum(), 1), hits / truth.sum()
    print(
        f"particles ({group}): {truth.mean():.3f} of the map, precision {precision:.3f}, recall "
        f"{recall:.3f}, F1 {2 * precision * recall / max(precision + recall, 1e-9):.3f}"
    )
    other = (found != matrix) & np.isfinite(found)
    hits = (other & truth).sum()
    print(f"what is not matrix as particles: F1 {2 * hits / max(other.sum() + truth.sum(), 1):.3f}")


def structure(size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Where particles are, and how the crystal of each position stands."""
    grains = max(2, round((size / GRAIN) ** 2))
    rows, columns = np.mgrid[:size, :size]
    points = np.stack([rows, columns], axis=-1).reshape(-1, 2).astype(float)
    seeds = rng.uniform(0, size, (grains, 2))
    grain = np.argmin(((points[:, None] - seeds) ** 2).sum(axis=2), axis=1).reshape(size, size)
    rotations = Rotation.random(grains, rng=rng).as_matrix()[grain]
    particle = np.zeros((size, size), bool)
    while particle.mean() < SHARE:
        radius, centre = rng.uniform(*RADII), rng.uniform(0, size, 2)
        inside = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 <= radius**2
        rotations[inside] = Rotation.random(rng=rng).as_matrix()
        particle |= inside
    return particle, rotations


def recorded(
    references: References,
    name: str,
    particle: np.ndarray,
    rotations: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Patterns as 16-bit numbers, of shape (rows, columns, height, width)."""
    directions = DETECTOR.directions(SIZE)
    numbers = [references.names.index(one) for one in ("Ni", name)]
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]] / SIZE[0]
    light = np.exp(-((rows - 0.5) ** 2 + (columns - 0.5) ** 2) / (2 * 0.5**2))
    light /= light.mean()
    patterns = np.empty((*particle.shape, *SIZE), np.uint16)
    for place in np.ndindex(particle.shape):
        seen = references.pattern(numbers[int(particle[place])], rotations[place], directions)
        expected = light * (1 + CONTRAST * seen.reshape(SIZE))
        noise = NOISE * np.sqrt(light) * rng.standard_normal(SIZE)
        patterns[place] = np.clip(np.rint(20000 * (expected + noise)), 0, 65535)
    return patterns


if __name__ == "__main__":
    main()
