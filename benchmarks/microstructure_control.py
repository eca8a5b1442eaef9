"""How well what is made with a control is like what was wished for.

    python benchmarks/microstructure_control.py MODEL CONTROL [--count N] [--values N] [--each N]

Real ones are slices of volumes of another seed than those that were learned from. For their phases
grains are generated: how much of the boundary of the wished phase lies within a pixel of that of
the made one, and the other way round; beside it what is made without a wish, and the phase of
another real one, which is chance. Then phase fractions and grain diameters are wished for that are
as frequent as among real ones, each several times: R2 and mean error of what is found in the
pictures; and how diverse those are that were made for one wish, the mean distance of the two-point
correlations of all pairs. Beside it what a search finds among the pictures that the control has
learned from: the one whose number is nearest, and as many of the nearest as are made. Diameters are
those of regions of one colour, which miss the smallest sections of grains, set right by the line
between theirs and the true ones in real pictures; the last row tells how well they follow it. One
thread.
"""

from __future__ import annotations

import argparse
import time
from itertools import combinations
from pathlib import Path

import numpy as np
import torch

from napari_kikuchi.jobs import finish
from napari_kikuchi.microstructure.descriptors import (
    boundary_agreement,
    grain_diameters,
    two_point,
)
from napari_kikuchi.microstructure.filling import generate
from napari_kikuchi.microstructure.generator import STEPS, MicrostructureGenerator
from napari_kikuchi.microstructure.pictures import Pictures, random_pictures
from napari_kikuchi.microstructure.regions import even_regions
from napari_kikuchi.microstructure.wishes import Wishes

# Not that of any training.
SEED = 1_000_003
BATCH = 64
PHASE = 3
# Of the real ones' numbers, those between which wishes lie: in percent.
WISHED = (5, 95)


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("control", type=Path)
    parser.add_argument("--count", type=int, default=256, help="phases to make grains for")
    parser.add_argument("--values", type=int, default=24, help="of each number to wish for")
    parser.add_argument("--each", type=int, default=8, help="maps to make for each value")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--volumes", type=int, help="to search in, if fewer than learned from")
    given = parser.parse_args()
    torch.set_num_threads(1)
    generator = MicrostructureGenerator.load(given.model, "cpu").controlled(given.control)
    told = generator.required_control().provenance["identity"]["pictures"]
    trained = generator.required_control().network.architecture.wishes
    size, slices = told["size"], told["slices"]
    real = finish(random_pictures(-(-given.count // slices), slices, size, SEED))
    if "phase" in trained:
        phase_to_grains(generator, real.values[: given.count, PHASE] > 0, given.steps)
    learned = finish(random_pictures(given.volumes or told["volumes"], slices, size, told["seed"]))
    of_regions = region_diameters(real.values / 255)
    line = np.polyfit(of_regions, real.diameters, 1)
    print(f"\ntrue diameters are {line[0]:.2f} times those of regions {line[1]:+.2f} pixels")
    print(f"\n{'':<34}{'R2':>8}{'error':>8}{'diversity':>11}")
    for name in ("fraction", "diameter"):
        if name in trained:
            wished_numbers(generator, name, (real, learned), line, given)
    print_row("diameter, real ones", real.diameters, np.polyval(line, of_regions))


def phase_to_grains(generator: MicrostructureGenerator, phases: np.ndarray, steps: int) -> None:
    """Boundaries of phases that were wished for and made."""
    shape = phases.shape[1:]
    control, made = generator.required_control(), []
    start = time.process_time()
    for first in range(0, len(phases), BATCH):
        wishes = [Wishes(phase=one) for one in phases[first : first + BATCH].astype(np.float32)]
        planes = torch.cat([control.planes(one, shape) for one in wishes])
        job = generator.filled(
            torch.zeros_like(planes),
            torch.ones_like(planes[:, :1]),
            seed=first,
            steps=steps,
            wished=planes,
        )
        made.append((finish(job)[:, PHASE] > 0).numpy())
    seconds = (time.process_time() - start) / len(phases)
    print(f"{seconds:.3f} cpu-s for each map of {shape[0]} x {shape[1]}")
    free = finish(generate(generator, len(phases), shape, steps=steps))
    rows = {
        "wished for": np.concatenate(made),
        "without a wish": free[:, PHASE] > 0.5,
        "another real one": np.roll(phases, 1, axis=0),
    }
    print(f"\n{'boundary within a pixel':<24}{'of wished':>20}{'of made':>20}{'pixels':>10}")
    print(f"{'':<24}{'median':>12}{'mean':>8}{'median':>12}{'mean':>8}{'alike':>10}")
    for name, others in rows.items():
        pairs = list(zip(phases, others, strict=True))
        ways = [
            [boundary_agreement(one, other) for one, other in pairs],
            [boundary_agreement(other, one) for one, other in pairs],
        ]
        text = "".join(f"{np.nanmedian(one):>12.3f}{np.nanmean(one):>8.3f}" for one in ways)
        print(f"{name:<24}{text}{(phases == others).mean():>10.3f}")


def wished_numbers(
    generator: MicrostructureGenerator,
    name: str,
    pictures: tuple[Pictures, Pictures],
    line: np.ndarray,
    given: argparse.Namespace,
) -> None:
    """A row for what is made, and two for what is searched for."""
    real, learned = pictures
    shape = real.values.shape[2:]
    wanted = np.percentile(number_of(real, name), np.linspace(*WISHED, given.values))
    known = number_of(learned, name)
    made, nearest, several = [], [], []
    for number, value in enumerate(wanted):
        wish = Wishes(**{name: float(value)})
        job = generate(generator, given.each, shape, wished=wish, seed=number, steps=given.steps)
        made.append(finish(job))
        order = np.argsort(np.abs(known - value))[: given.each]
        several.append(learned.values[order] / 255)
        nearest.append(several[-1][:1])
    rows = {"made": made, "nearest": nearest, f"{given.each} nearest": several}
    for title, groups in rows.items():
        if name == "fraction":
            found = [(one[:, PHASE] > 0.5).mean(axis=(1, 2)) for one in groups]
        else:
            found = [np.polyval(line, region_diameters(one)) for one in groups]
        wishes = np.repeat(wanted, [len(one) for one in groups])
        print_row(f"{name}, {title}", wishes, np.concatenate(found), diversity(groups))


def print_row(
    name: str, wished: np.ndarray, found: np.ndarray, diverse: float = float("nan")
) -> None:
    """What is found against what was wished for."""
    unexplained = ((found - wished) ** 2).sum() / ((wished - wished.mean()) ** 2).sum()
    error = np.abs(found - wished).mean()
    print(f"{name:<34}{1 - unexplained:>8.3f}{error:>8.3f}{diverse:>11.4f}")


def number_of(pictures: Pictures, name: str) -> np.ndarray:
    """True numbers of pictures."""
    if name == "diameter":
        return pictures.diameters
    return (pictures.values[:, PHASE] > 0).mean(axis=(1, 2))


def region_diameters(pictures: np.ndarray) -> np.ndarray:
    """Mean diameters of regions of one colour of pictures, 0 to 1."""
    return np.array([grain_diameters(even_regions(one)).mean() for one in pictures])


def diversity(groups: list[np.ndarray]) -> float:
    """Mean distance of the two-point correlations of pairs in a group; 0 for single ones."""
    distances = [
        np.abs(one - other).mean()
        for group in groups
        for one, other in combinations([two_point(each[PHASE] > 0.5) for each in group], 2)
    ]
    return float(np.mean(distances)) if distances else 0.0


if __name__ == "__main__":
    main()
