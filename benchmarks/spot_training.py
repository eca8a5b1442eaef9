"""Trains a spot transformer of copper on patterns by Bloch waves.

    python benchmarks/spot_training.py --out RUN [--minutes 60] [--width 64] [--device auto]

Training stops with Ctrl-C and goes on with --resume. The model is RUN/model.safetensors; how good
it is, orientations.py --model tells, on patterns of other orientations. On a GPU:

    python benchmarks/spot_training.py --out RUN --axes 200000 --width 256 --layers 6 \\
        --batch 2048 --device cuda
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from napari_kikuchi.jobs import finish
from napari_kikuchi.orientation.crystal import open_crystal
from napari_kikuchi.orientation.degrade import Degradation
from napari_kikuchi.orientation.lessons import spot_lessons
from napari_kikuchi.orientation.network import SpotArchitecture, SpotTransformer
from napari_kikuchi.orientation.train import SpotTask, training_rows
from napari_kikuchi.training import TrainingData, TrainingSettings, TrainingUpdate, train

K_MAX, VOLTAGE, SEED = 2.1, 300.0, 7
HELD_OUT = 2000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--crystal", default="cu")
    parser.add_argument("--axes", type=int, default=30000)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--spots", type=int, default=24)
    parser.add_argument("--hypotheses", type=int, default=4)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--resume", action="store_true")
    given = parser.parse_args()
    crystal = open_crystal(given.crystal)
    began = time.process_time()
    data = TrainingData(
        *(rows_of(crystal, axes, seed) for axes, seed in ((given.axes, SEED), (HELD_OUT, SEED + 1)))
    )
    print(f"{len(data.train)} patterns in {time.process_time() - began:.0f} cpu-s", flush=True)
    torch.manual_seed(SEED)
    architecture = SpotArchitecture(
        width=given.width, layers=given.layers, hypotheses=given.hypotheses, spots=given.spots,
        k_max=K_MAX,
    )  # fmt: skip
    task = SpotTask(SpotTransformer(architecture), crystal, VOLTAGE, Degradation(k_max=K_MAX))
    settings = TrainingSettings(
        epochs=None, minutes=given.minutes, batch=given.batch, validate_every=1000,
        device=given.device,
    )  # fmt: skip
    finish(train(task, data, settings, given.out, resume=given.resume), told)


def rows_of(crystal, axes: int, seed: int) -> np.ndarray:
    lessons = finish(spot_lessons(crystal, axes, voltage=VOLTAGE, k_max=K_MAX, seed=seed))
    return training_rows(lessons.spots, lessons.rotations)


def told(update: object) -> None:
    if isinstance(update, TrainingUpdate) and update.validation_loss is not None:
        metrics = "  ".join(f"{name} {value:.3f}" for name, value in update.metrics.items())
        print(f"step {update.step}  {update.patterns_per_second:.0f} patterns/s  {metrics}",
              flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
