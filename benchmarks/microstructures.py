"""How like real microstructures those of a generator are: filled in, and made of nothing.

    python benchmarks/microstructures.py [MODEL] [--count N] [--made N] [--pictures FILE.png]

Real ones are slices of volumes of another seed than those that were learned from. Of some, the
central quarter is made anew and the phases of the whole map are compared with the original's, also
for the thirds of the maps with the smallest and with the largest grains; beside it, the same with
the quarter of another map. Then maps are made of nothing: their mean two-point correlation, their
phase fractions and their grains, found in their colours, against those of the real ones; and how
near the nearest picture that was learned from is, beside how near it is to real pictures. Phase
fractions differ so much from map to map that it takes thousands to tell means apart: the second row
tells how far apart those are of as many real ones. One thread.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from napari_kikuchi.jobs import finish
from napari_kikuchi.microstructure.descriptors import (
    Descriptors,
    describe,
    differences,
    grain_diameters,
    size_distance,
    two_point,
)
from napari_kikuchi.microstructure.filling import generate
from napari_kikuchi.microstructure.generator import STEPS, MicrostructureGenerator
from napari_kikuchi.microstructure.pictures import random_pictures
from napari_kikuchi.microstructure.regions import even_regions
from napari_kikuchi.microstructure.typical import most_typical

# Not that of any training.
SEED = 1_000_003
BATCH = 64


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, nargs="?", help="default: that of the package")
    parser.add_argument("--count", type=int, default=512, help="maps to fill in")
    parser.add_argument("--made", type=int, default=4096, help="maps to make of nothing")
    parser.add_argument("--real", type=int, default=12288, help="maps to compare them with")
    parser.add_argument("--candidates", type=int, default=8, help="of which one is most typical")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--pictures", type=Path, help="where to draw some of them")
    given = parser.parse_args()
    if given.count < 3 or given.made >= given.real:
        parser.error("expected 3 maps to fill in or more, and more real ones than are made")
    torch.set_num_threads(1)
    generator = MicrostructureGenerator.chosen(given.model, "cpu")
    told = generator.provenance["identity"]["pictures"]
    size = told["size"]
    pictures = finish(random_pictures(given.real, 1, size, SEED))
    real = pictures.values.astype(np.float32) / 255
    first = real[: given.count]
    holes = np.zeros((size, size), bool)
    holes[size // 4 : -(size // 4), size // 4 : -(size // 4)] = True
    start = time.process_time()
    fills = [
        fill_all(generator, first, holes, given.steps, seed) for seed in range(given.candidates)
    ]
    spent = (time.process_time() - start) / len(first) / given.candidates
    print(f"{spent:.3f} cpu-s for each fill of {size} x {size}")
    filled = fills[0]
    inpainting(first, pictures.diameters[: given.count], fills, holes)
    start = time.process_time()
    made = finish(generate(generator, given.made, (size, size), steps=given.steps))
    print(f"\n{(time.process_time() - start) / len(made):.3f} cpu-s for each that is generated")
    generation(real, made)
    learned = finish(random_pictures(told["volumes"], told["slices"], size, told["seed"])).values
    near = copies(real[: given.made], made, learned.astype(np.float32) / 255)
    if given.pictures:
        draw(given.pictures, real, filled, made, near)


def fill_all(
    generator: MicrostructureGenerator,
    real: np.ndarray,
    holes: np.ndarray,
    steps: int,
    seed: int,
) -> np.ndarray:
    """All maps with the same hole filled in."""
    unknown = torch.from_numpy(holes).float()[None, None]
    filled = []
    for first in range(0, len(real), BATCH):
        some = torch.from_numpy(2 * real[first : first + BATCH] - 1)
        job = generator.filled(
            some, unknown.expand(len(some), -1, -1, -1), seed=len(real) * seed + first, steps=steps
        )
        filled.append(((finish(job) + 1) / 2).numpy())
    return np.concatenate(filled)


def inpainting(
    real: np.ndarray, diameters: np.ndarray, fills: list[np.ndarray], holes: np.ndarray
) -> None:
    """Descriptors of filled-in maps against the originals'."""
    best = [finish(most_typical(some)) for some in np.stack(fills, axis=1)]
    typical = np.stack([fills[which][number] for number, which in enumerate(best)])
    exchanged = np.where(holes, np.roll(real, 1, axis=0), real)
    originals = [describe(one[3] > 0.5) for one in real]
    rows = {
        name: [
            differences(describe(one[3] > 0.5), original)
            for one, original in zip(maps, originals, strict=True)
        ]
        for name, maps in (
            ("filled in", fills[0]),
            (f"most typical of {len(fills)}", typical),
            ("of another", exchanged),
        )
    }
    third = len(real) // 3
    order = np.argsort(diameters)
    for name, which in (("small", order[:third]), ("large", order[-third:])):
        of_best = rows[f"most typical of {len(fills)}"]
        rows[f"  {name} grains"] = [of_best[number] for number in which]
    print("\nmean absolute differences to the original, its central quarter made anew")
    print(f"{'':<20}" + "".join(f"{name:>14}" for name in Descriptors._fields))
    for name, found in rows.items():
        means = [np.mean([one[field] for one in found]) for field in Descriptors._fields]
        print(f"{name:<20}" + "".join(f"{one:>14.4f}" for one in means))


def generation(real: np.ndarray, made: np.ndarray) -> None:
    """What is made of nothing against what is real, and halves of the real against each other."""
    pairs = {
        "generated against real": (made, real),
        "real against real": (real[: len(made)], real[len(made) :]),
    }
    print(f"\n{'':<24}{'two-point':>12}{'fraction':>12}{'KS fraction':>12}{'KS grains':>12}")
    for name, (some, others) in pairs.items():
        phases = [maps[:, 3] > 0.5 for maps in (some, others)]
        correlations = [np.mean([two_point(one) for one in maps], axis=0) for maps in phases]
        fractions = [maps.mean(axis=(1, 2)) for maps in phases]
        grains = [
            np.concatenate([grain_diameters(even_regions(one)) for one in maps])
            for maps in (some, others)
        ]
        values = (
            np.abs(correlations[0] - correlations[1]).mean(),
            abs(fractions[0].mean() - fractions[1].mean()),
            size_distance(*fractions),
            size_distance(*grains),
        )
        print(f"{name:<24}" + "".join(f"{one:>12.4f}" for one in values))


def copies(real: np.ndarray, made: np.ndarray, learned: np.ndarray) -> np.ndarray:
    """The nearest picture that was learned from, for each that was made; distances are told."""
    known = _turned(_small(learned))
    print(f"\n{'distance to the nearest learned from':<40}{'least':>10}{'median':>10}")
    nearest = None
    for name, pictures in (("real", real), ("generated", made)):
        wanted = _small(pictures).reshape(len(pictures), -1)
        best, index = np.full(len(wanted), np.inf), np.zeros(len(wanted), int)
        for turned in known:
            flat = turned.reshape(len(learned), -1)
            squares = (wanted**2).sum(1)[:, None] + (flat**2).sum(1) - 2 * wanted @ flat.T
            found = squares.argmin(axis=1)
            least = squares[np.arange(len(wanted)), found]
            index, best = np.where(least < best, found, index), np.minimum(least, best)
        distances = np.sqrt(best / wanted.shape[1])
        print(f"{name:<40}{distances.min():>10.3f}{np.median(distances):>10.3f}")
        nearest = learned[index]
    return nearest


def _small(pictures: np.ndarray) -> np.ndarray:
    count, channels, rows, cols = pictures.shape
    return pictures.reshape(count, channels, rows // 4, 4, cols // 4, 4).mean(axis=(3, 5))


def _turned(pictures: np.ndarray) -> list[np.ndarray]:
    """All eight ways in which a picture may lie."""
    turned = [np.rot90(pictures, number, axes=(2, 3)) for number in range(4)]
    return turned + [one[..., ::-1] for one in turned]


def draw(
    path: Path, real: np.ndarray, filled: np.ndarray, made: np.ndarray, near: np.ndarray
) -> None:
    """Originals, filled in; generated, and what is nearest to them: colours, and phases below."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = [
        (name, maps[:14])
        for name, maps in (
            ("real", real),
            ("filled in", filled),
            ("generated", made),
            ("nearest", near),
        )
    ]
    figure, axes = pyplot.subplots(2 * len(rows), 14, figsize=(21, 25))
    for number, (name, maps) in enumerate(rows):
        for column, one in enumerate(maps):
            axes[2 * number, column].imshow(one[:3].transpose(1, 2, 0).clip(0, 1))
            axes[2 * number + 1, column].imshow(one[3], cmap="gray", vmin=0, vmax=1)
        axes[2 * number, 0].set_title(name, loc="left")
    for one in axes.ravel():
        one.axis("off")
    figure.tight_layout()
    figure.savefig(path, dpi=60)


if __name__ == "__main__":
    main()
