"""How near simulated master patterns are to those of others, and how many there are in a day.

    python benchmarks/master_patterns.py [--phases 10] [--device cpu]

Compares Bloch-wave intensities of nickel at 20 kV with the dynamical master pattern that kikuchipy
ships, at random directions, for several numbers of beams; a kinematical simulation stands beside
them. Then simulates random phases of the six space groups on the triangle that m-3m repeats,
with the averages of higher symmetry that are near, and prints how many a day that makes. One
thread; seconds are those of the processor.
"""

from __future__ import annotations

import argparse
import os
import time
from itertools import islice

import numpy as np
import torch
from scipy.ndimage import map_coordinates

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.crystals.dynamical_master import DynamicalMaster
from napari_kikuchi.crystals.kinematical_master import kinematical_intensities
from napari_kikuchi.simulate.master import nickel
from napari_kikuchi.symmetry.classes import SIX_GROUPS
from napari_kikuchi.symmetry.phases import random_phases
from napari_kikuchi.symmetry.sector import triangle
from napari_kikuchi.symmetry.simulated_phase import simulate_phase

DIRECTIONS, SEED, DAY = 2000, 0, 24 * 3600


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--phases", type=int, default=10, help="of each group")
    parser.add_argument("--device", default="cpu", help="for the Bloch waves of nickel")
    given = parser.parse_args()
    torch.set_num_threads(1)
    vectors, expected = shipped()
    crystal, count = Crystal.built_in("ni"), int(triangle().sum())
    print(f"{'nickel':<16}{'correlation':>12}{'s per phase':>13}")
    found, took = timed(lambda: kinematical_intensities(crystal, vectors))
    print(f"{'kinematical':<16}{correlation(found, expected):>12.3f}{took:>13.2f}")
    for beams in (40, 60, 90, 120, 150):
        simulation = DynamicalMaster(crystal, beams=beams, device=given.device)
        found, took = timed(lambda simulation=simulation: simulation(vectors))
        per_phase = took * count / len(vectors)
        print(f"{f'{beams} beams':<16}{correlation(found, expected):>12.3f}{per_phase:>13.2f}")
    seconds = []
    for group in SIX_GROUPS:
        for number, phase in enumerate(islice(random_phases(group, SEED), given.phases)):
            seconds.append(timed(lambda one=phase, seed=number: simulate_phase(one, seed))[1])
    cores = os.cpu_count() or 1
    print(
        f"{len(seconds)} random phases: {np.mean(seconds):.2f} cpu-s each, at most "
        f"{max(seconds):.2f}; {DAY * cores / np.mean(seconds):,.0f} a day on {cores} cores"
    )


def shipped() -> tuple[np.ndarray, np.ndarray]:
    """Random directions of the upper hemisphere, and what kikuchipy's nickel sends there."""
    from kikuchipy.signals.util._master_pattern import _vector2lambert

    vectors = np.random.default_rng(SEED).normal(size=(DIRECTIONS, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[:, 2] = np.abs(vectors[:, 2])
    upper = nickel().hemispheres[0]
    places = (_vector2lambert(vectors) / np.sqrt(np.pi / 2) + 1) / 2 * (len(upper) - 1)
    return vectors, map_coordinates(upper, places.T[::-1], order=1, mode="nearest")


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one, other)[0, 1])


def timed(work) -> tuple:
    start = time.process_time()
    found = work()
    return found, time.process_time() - start


if __name__ == "__main__":
    main()
