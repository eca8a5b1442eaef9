"""What neighbours add to orientations of patterns that are found one by one.

    python benchmarks/settling.py [--maps 40] [--libraries FOLDER]

Maps of 24 x 24 positions with three to fifteen bent grains of copper, of foils whose thickness
varies; spots by Bloch waves, noisy as those of orientations.py. The maps are many, as patterns of a
grain err together. Prints, of each pattern alone and after its neighbours have been heard, the
shares within 2 and 5 degrees, and for patterns grouped by their confidence how many there are, how
sure they were and how many are right. (The weights of neighbours were found on other such maps.)
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from orientations import COPPER, K_MAX, MOST_SPOTS, NOISY, library_of
from scipy.ndimage import gaussian_filter
from scipy.spatial.transform import Rotation

from napari_kikuchi.orientation.degrade import degrade
from napari_kikuchi.orientation.dynamical import DynamicalSpots
from napari_kikuchi.orientation.indexing import Indexer
from napari_kikuchi.orientation.map_solutions import quaternions_of
from napari_kikuchi.orientation.settling import settle
from napari_kikuchi.orientation.spots import Spots
from napari_kikuchi.orientation.symmetry import disorientation_angles

SIDE, SOLUTIONS = 24, 6
FEWEST_GRAINS, MOST_GRAINS = 3, 15
# By how much crystals bend, in degrees, and over how many positions.
BEND, OVER = (0.1, 1.2), 6
# Thickness of a foil, by how much it varies and over how many positions; in Å.
THICKNESS, VARIES, VARIES_OVER = (120.0, 600.0), (30.0, 150.0), 8
THINNEST, THICKEST = 60.0, 900.0
EDGES = (0.0, 0.4, 0.6, 0.85, 0.95, 0.99, 1.01)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--maps", type=int, default=40)
    parser.add_argument("--libraries", type=Path, help="folder where libraries are kept")
    given = parser.parse_args()
    torch.set_num_threads(1)
    library = library_of("dynamical", 0.3, given.libraries)
    index = Indexer([library], solutions=SOLUTIONS)
    alone, settled = [], []
    for seed in range(given.maps):
        spots, truth = a_map(seed)
        found = index(spots)
        angles = disorientation_angles(found.rotations, truth[:, None], library.operators)
        angles = angles.rad2deg().nan_to_num(180)
        quaternions = torch.from_numpy(quaternions_of(found.rotations.numpy())).float()
        shape = (SIDE, SIDE, SOLUTIONS)
        heard = settle(
            found.probabilities.reshape(shape),
            found.phases.reshape(shape),
            quaternions.reshape(*shape, 4),
            [COPPER.laue_group],
        )
        alone.append(best(found.probabilities, angles))
        settled.append(best(heard.reshape(-1, SOLUTIONS), angles))
    show("alone", torch.cat(alone))
    show("with neighbours", torch.cat(settled))


def a_map(seed: int) -> tuple[Spots, torch.Tensor]:
    """Noisy spots of a map, and its orientations of shape (n, 3, 3)."""
    random = np.random.default_rng(seed)
    grains = int(random.integers(FEWEST_GRAINS, MOST_GRAINS + 1))
    centres = random.uniform(0, SIDE, (grains, 2))
    places = np.stack(np.mgrid[:SIDE, :SIDE], axis=-1).reshape(-1, 1, 2)
    grain = np.linalg.norm(places - centres, axis=2).argmin(axis=1)
    bend = np.stack([smooth(random, OVER) for _ in range(3)], axis=1)
    bend *= np.deg2rad(random.uniform(*BEND))
    rotations = Rotation.from_rotvec(bend) * Rotation.random(grains, rng=random)[grain]
    thickness = random.uniform(*THICKNESS) + random.uniform(*VARIES) * smooth(random, VARIES_OVER)
    thickness = thickness.clip(THINNEST, THICKEST)
    simulate = DynamicalSpots(COPPER, k_max=K_MAX)
    values = np.zeros((SIDE**2, MOST_SPOTS, 3), np.float32)
    matrices = rotations.as_matrix()
    for into, rotation, depth in zip(values, matrices, thickness, strict=True):
        spots = simulate(rotation, depth).values[0]
        into[: len(spots)] = spots
    noisy = degrade(torch.from_numpy(values), NOISY, torch.Generator().manual_seed(seed))
    return Spots(noisy.numpy()), torch.from_numpy(matrices)


def smooth(random: np.random.Generator, over: float) -> np.ndarray:
    field = gaussian_filter(random.normal(size=(SIDE, SIDE)), over)
    return (field / field.std()).ravel()


def best(probabilities: torch.Tensor, angles: torch.Tensor) -> torch.Tensor:
    """Confidence and error of the likeliest solution, of shape (n, 2)."""
    chosen = probabilities.argmax(1, keepdim=True)
    return torch.cat([probabilities.gather(1, chosen), angles.gather(1, chosen)], dim=1)


def show(name: str, found: torch.Tensor) -> None:
    confidence, apart = found.T
    shares = [(apart < limit).double().mean() for limit in (2, 5)]
    print(f"{name}: within 2° {shares[0]:.3f}, within 5° {shares[1]:.3f}")
    for low, high in pairwise(EDGES):
        group = (confidence >= low) & (confidence < high)
        right = (apart[group] < 2).double().mean()
        print(f"  {low:.2f} to {min(high, 1):.2f}{int(group.sum()):>7}"
              f"  told {confidence[group].mean():.3f}  right {right:.3f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
