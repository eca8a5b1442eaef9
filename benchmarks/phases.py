"""How well phases are told apart, and whether confidences come true.

    python benchmarks/phases.py [--patterns 1000] [--libraries FOLDER]

Patterns by Bloch waves of copper (fcc), iron (bcc) and titanium (hcp), noisy as those of
orientations.py, are compared with templates of all three; so are lists without a spot, and of spots
at random. Prints the shares of phases found for each crystal; how many orientations are within 2
and 5 degrees; and of patterns grouped by their confidence, how sure they were and how many were
right.
"""

from __future__ import annotations

import argparse
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from orientations import NOISIER, NOISY, library_of

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.jobs import finish
from napari_kikuchi.orientation.degrade import Degradation, degrade
from napari_kikuchi.orientation.indexing import Indexer, Solutions
from napari_kikuchi.orientation.lessons import spot_lessons
from napari_kikuchi.orientation.spots import Spots
from napari_kikuchi.orientation.symmetry import disorientation_angles

CRYSTALS = tuple(map(Crystal.built_in, ("cu", "fe", "ti")))
K_MAX, SEED = 2.1, 5
# Below this confidence a pattern is not indexed, as in maps.
LEAST_CONFIDENCE = 0.2
EDGES = (0.2, 0.4, 0.6, 0.85, 0.95, 1.01)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patterns", type=int, default=1000, help="of each crystal")
    parser.add_argument("--libraries", type=Path, help="folder where libraries are kept")
    given = parser.parse_args()
    torch.set_num_threads(1)
    libraries = [
        library_of("dynamical", 0.3, given.libraries, crystal=crystal) for crystal in CRYSTALS
    ]
    index = Indexer(libraries)
    for name, degradation in (("noisy", NOISY), ("noisier", NOISIER)):
        spots, truth, phases = patterns(given.patterns, degradation)
        start = time.process_time()
        found = index(spots)
        took = time.process_time() - start
        print(f"{name}: {len(spots) / took:,.0f} patterns per cpu-s")
        show(found, truth, phases, [library.operators for library in libraries])
    empty = index(Spots(np.zeros((100, 1, 3), np.float32)))
    print(f"without spots: {not_indexed(empty):.3f} not indexed")
    print(f"spots at random: {not_indexed(index(at_random(1000))):.3f} not indexed")


def patterns(count: int, degradation: Degradation) -> tuple[Spots, torch.Tensor, torch.Tensor]:
    """Spots, orientations and phases."""
    lessons = [
        finish(spot_lessons(crystal, count, thicknesses=1, k_max=K_MAX, most_spots=96, seed=SEED))
        for crystal in CRYSTALS
    ]
    spots = torch.from_numpy(np.concatenate([one.spots for one in lessons]))
    spots = degrade(spots, degradation, torch.Generator().manual_seed(SEED))
    truth = torch.from_numpy(np.concatenate([one.rotations for one in lessons]))
    return Spots(spots.numpy()), truth, torch.arange(len(CRYSTALS)).repeat_interleave(count)


def at_random(count: int) -> Spots:
    random = np.random.default_rng(SEED)
    radius, angle = K_MAX * random.random((count, 20)) ** 0.5, random.uniform(0, 7, (count, 20))
    intensity = 10 ** random.uniform(-2, 0, (count, 20))
    values = np.stack([radius * np.cos(angle), radius * np.sin(angle), intensity], axis=-1)
    return Spots(values.astype(np.float32))


def show(
    found: Solutions, truth: torch.Tensor, phases: torch.Tensor, operators: list[torch.Tensor]
) -> None:
    confidence, best = found.probabilities[:, 0], found.phases[:, 0]
    best = torch.where(confidence < LEAST_CONFIDENCE, -1, best)
    print(f"{'crystal':<9}" + "".join(f"{f'as {one.name}':>8}" for one in CRYSTALS)
          + f"{'none':>8}{'in 2°':>8}{'in 5°':>8}")  # fmt: skip
    apart = torch.full((len(truth),), 180.0, dtype=torch.float64)
    for number, (crystal, symmetry) in enumerate(zip(CRYSTALS, operators, strict=True)):
        own = phases == number
        right = own & (found.phases[:, 0] == number)
        apart[right] = disorientation_angles(
            found.rotations[right, 0], truth[right], symmetry
        ).rad2deg()
        shares = [(best[own] == other).double().mean() for other in (0, 1, 2, -1)]
        within = [(apart[own] < limit).double().mean() for limit in (2, 5)]
        print(f"{crystal.name:<9}" + "".join(f"{share:>8.3f}" for share in shares + within))
    print(f"{'confidence':<14}{'patterns':>9}{'told':>7}{'right':>7}")
    for low, high in pairwise(EDGES):
        group = (confidence >= low) & (confidence < high)
        right = (apart[group] < 2).double().mean()
        print(f"{low:.2f} to {min(high, 1):.2f}  {int(group.sum()):>9}"
              f"{confidence[group].mean():>7.3f}{right:>7.3f}")  # fmt: skip


def not_indexed(found: Solutions) -> float:
    return float((found.probabilities[:, 0] < LEAST_CONFIDENCE).double().mean())


if __name__ == "__main__":
    main()
