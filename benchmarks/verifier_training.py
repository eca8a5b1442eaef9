"""Trains the verifier that comes with the package, on patterns of five metals.

    python benchmarks/verifier_training.py --out RUN [--libraries FOLDER] [--minutes 10]

Patterns, thin and by Bloch waves, are degraded less and more, and matched with templates, of their
own crystal, of others, or of both: the verifier learns which hypothesis is right, and when none is.
Some patterns are spots at random. RUN/model.safetensors became
src/napari_kikuchi/orientation/verifier.safetensors, with --axes 9000 --minutes 14 on one processor
thread of a busy machine; verifier_training.log.jsonl tells of it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.jobs import Job, Progress, finish
from napari_kikuchi.orientation.degrade import Degradation, degrade
from napari_kikuchi.orientation.evidence import PARTS, REFLECTIONS, UNEXPLAINED
from napari_kikuchi.orientation.lessons import spot_lessons
from napari_kikuchi.orientation.matching import Matcher
from napari_kikuchi.orientation.refinement import Refiner
from napari_kikuchi.orientation.spots import Spots
from napari_kikuchi.orientation.symmetry import disorientation_angles
from napari_kikuchi.orientation.template_library import Library
from napari_kikuchi.orientation.templates import dynamical_library, kinematical_library
from napari_kikuchi.orientation.verifier import Verifier, verifier_loss
from napari_kikuchi.training import TrainingData, TrainingSettings, TrainingUpdate, train

CRYSTALS = ("cu", "ni", "al", "fe", "ti")
# Cells of one kind and nearly one size: nobody tells their patterns apart, or has to.
ALIKE = {"Cu", "Ni"}
K_MAX, SEED = 2.0, 31
HYPOTHESES, MOST_PHASES = 8, 2
# Patterns that are degraded and matched at a time: they share a strength and templates.
GROUP = 256
# Of the usual degradation.
STRENGTHS = (0.05, 1.2)
# Radii of smaller detectors, in 1/Å.
REACHES = (1.0, 2.0)
# Of kinematical templates, in Å.
THIN = (20.0, 40.0, 100.0)
PIECES = REFLECTIONS + UNEXPLAINED
# Shares of patterns that are spots at random, that are compared with templates of their own crystal
# alone, and with those of other crystals alone. What a confidence means depends on them: who names
# phases names those that are there, mostly.
AT_RANDOM, ALONE, FOREIGN = 0.03, 0.55, 0.07
# Of a hypothesis that is none, in degrees.
WRONG = 180.0


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--libraries", type=Path, help="folder where libraries are kept")
    parser.add_argument("--axes", type=int, default=4000, help="orientations of each crystal")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--device", default="auto")
    given = parser.parse_args()
    began = time.process_time()
    crystals = [Crystal.built_in(name) for name in CRYSTALS]
    libraries = {
        (crystal.name, kind): library_of(crystal, kind, given.libraries)
        for crystal in crystals
        for kind in ("dynamical", "kinematical")
    }
    print(f"libraries in {time.process_time() - began:.0f} cpu-s", flush=True)
    kept = given.libraries and given.libraries / f"verifier_rows_{given.axes}.npz"
    if kept and kept.exists():
        with np.load(kept) as file:
            data = TrainingData(file["train"], file["validation"])
    else:
        data = TrainingData(
            lessons(crystals, libraries, given.axes, SEED),
            lessons(crystals, libraries, max(GROUP, given.axes // 10), SEED + 1),
        )
        if kept:
            np.savez(kept, train=data.train, validation=data.validation)
    print(f"{len(data.train)} patterns in {time.process_time() - began:.0f} cpu-s", flush=True)
    torch.manual_seed(SEED)
    settings = TrainingSettings(
        epochs=None, minutes=given.minutes, batch=128, learning_rate=2e-3, validate_every=500,
        device=given.device,
    )  # fmt: skip
    finish(train(VerifierTask(), data, settings, given.out), told)


def library_of(crystal: Crystal, kind: str, folder: Path | None) -> Library:
    path = folder and folder / f"{crystal.name}_{kind}_{K_MAX:g}.safetensors"
    if path and path.exists():
        return Library.load(path)
    if kind == "dynamical":
        library = finish(dynamical_library(crystal, k_max=K_MAX))
    else:
        library = finish(kinematical_library(crystal, k_max=K_MAX, thicknesses=THIN))
    if path:
        library.save(path)
    return library


def lessons(
    crystals: Sequence[Crystal], libraries: dict[tuple[str, str], Library], axes: int, seed: int
) -> np.ndarray:
    """Rows of hypotheses: evidence, score, and the angle from the truth in degrees."""
    random = np.random.default_rng(seed)
    generator = torch.Generator().manual_seed(seed)
    rows = []
    for crystal in crystals:
        for kinematical, share in ((False, 0.75), (True, 0.25)):
            drawn = finish(
                spot_lessons(
                    crystal, int(share * axes), thicknesses=2, k_max=K_MAX, seed=seed,
                    kinematical=kinematical,
                )
            )  # fmt: skip
            for part in np.array_split(
                random.permutation(len(drawn.spots)), len(drawn.spots) // GROUP + 1
            ):
                strength = float(np.exp(random.uniform(*np.log(STRENGTHS))))
                spots = degrade(
                    torch.from_numpy(drawn.spots[part]),
                    Degradation(k_max=K_MAX).scaled(strength),
                    generator,
                )
                truth = torch.from_numpy(drawn.rotations[part])
                own: str | None = crystal.name
                # Some detectors show less.
                reach = K_MAX if random.random() < 0.5 else random.uniform(*REACHES)
                spots = torch.from_numpy(Spots(spots.numpy()).within(reach).values)
                if random.random() < AT_RANDOM:
                    spots, own = at_random(len(part), random), None
                phases = phases_for(crystal.name, [one.name for one in crystals], random)
                of_thin = 0.5 if kinematical else 0.1
                kind = "kinematical" if random.random() < of_thin else "dynamical"
                rows.append(
                    np.concatenate(
                        [
                            hypotheses(
                                libraries[phase, kind].within(reach), spots, truth, phase == own
                            )
                            for phase in phases
                        ]
                        + [nothing(len(part))] * (MOST_PHASES - len(phases)),
                        axis=1,
                    )
                )
    return np.concatenate(rows)


def phases_for(own: str, names: Sequence[str], random: np.random.Generator) -> list[str]:
    """Whose templates are compared: mostly its own, alone or with others, or others alone."""
    others = random.permutation(
        [name for name in names if name != own and not {own, name} <= ALIKE]
    ).tolist()
    drawn = random.random()
    if drawn < ALONE:
        return [own]
    return [own, others[0]] if drawn < 1 - FOREIGN else others[: random.integers(1, 3)]


def at_random(count: int, random: np.random.Generator) -> torch.Tensor:
    """Spots that are no pattern."""
    spots = np.zeros((count, 24, 3), np.float32)
    there = np.arange(24) < random.integers(0, 25, count)[:, None]
    radius, angle = K_MAX * random.random((2, count, 24)) ** [[[0.5]], [[1.0]]]
    spots[..., 0] = radius * np.cos(2 * np.pi * angle)
    spots[..., 1] = radius * np.sin(2 * np.pi * angle)
    spots[..., 2] = np.where(there, 10 ** random.uniform(-2, 0, (count, 24)), 0)
    return torch.from_numpy(spots)


def hypotheses(
    library: Library, spots: torch.Tensor, truth: torch.Tensor, right: bool
) -> np.ndarray:
    measured = Spots(spots.numpy())
    proposed = Matcher(library, hypotheses=HYPOTHESES)(measured)
    found, evidence = Refiner(library).refine(measured, proposed)
    angles = torch.full_like(found.scores, WRONG)
    if right:
        apart = disorientation_angles(
            found.rotations, truth[:, None].expand_as(found.rotations),
            library.operators,
        )  # fmt: skip
        angles = torch.rad2deg(apart).nan_to_num(WRONG).to(angles)
    columns = [evidence.flatten(2), found.scores[..., None], angles[..., None]]
    return torch.cat(columns, dim=2).numpy().astype(np.float16)


def nothing(count: int) -> np.ndarray:
    rows = np.zeros((count, HYPOTHESES, PIECES * PARTS + 2), np.float16)
    rows[..., -1] = WRONG
    return rows


class VerifierObjective(torch.nn.Module):
    """The loss of a verifier on rows as :func:`lessons` makes them."""

    def __init__(self) -> None:
        super().__init__()
        self.verifier = Verifier()

    def forward(self, rows: torch.Tensor, generator: torch.Generator, step: int = 0) -> Any:
        """In nats."""
        return verifier_loss(self.weighed(rows), rows[..., -1].float())

    def weighed(self, rows: torch.Tensor) -> torch.Tensor:
        """Logarithms of probabilities, of shape (n, hypotheses + 1)."""
        rows = rows.float()
        return self.verifier(rows[..., :-2].unflatten(2, (PIECES, PARTS)), rows[..., -2])


class VerifierTask:
    """What the training of this package trains."""

    def __init__(self) -> None:
        self.module = VerifierObjective()

    def identity(self) -> dict[str, Any]:
        """What the verifier learns from."""
        return {"crystals": CRYSTALS, "strengths": STRENGTHS}

    @torch.inference_mode()
    def validate(self, batches: Iterator[torch.Tensor]) -> Job[dict[str, Any]]:
        """Loss, share of patterns whose likeliest hypothesis is right, and how sure it is."""
        losses, right, sure = [], [], []
        for number, rows in enumerate(batches):
            weighed = self.module.weighed(rows)
            losses.append(float(verifier_loss(weighed, rows[..., -1].float())))
            chosen = weighed[:, :-1].argmax(1, keepdim=True)
            right.append(rows[..., -1].gather(1, chosen)[:, 0] < 2)
            sure.append(weighed[:, :-1].exp().sum(1))
            yield Progress(number + 1, 0, "Validating")
        return {
            "loss": float(np.mean(losses)),
            "right": float(torch.cat(right).double().mean()),
            "sure": float(torch.cat(sure).double().mean()),
        }

    def save(self, path: Path, metrics: Any) -> None:
        """Write the verifier."""
        self.module.verifier.save(path, {"identity": self.identity(), "metrics": dict(metrics)})


def told(update: object) -> None:
    if isinstance(update, TrainingUpdate) and update.validation_loss is not None:
        metrics = "  ".join(f"{name} {value:.4f}" for name, value in update.metrics.items())
        print(f"step {update.step}  {update.patterns_per_second:.0f} patterns/s  {metrics}",
              flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
