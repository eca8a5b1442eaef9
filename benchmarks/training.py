"""How fast a network is trained, beside the loop that everyone writes first.

    python benchmarks/training.py [--preset published-32] [--device auto] [--seconds 60]

Trains on patterns of noise in memory, which cost what real ones do. The plain loop: float32 with
the channels first, a DataLoader of four workers, Adam as it comes, every step eager. Ours: the
training of this package as it is used, validation left out. Prints patterns per second of both, the
ratio, and on what it ran; with --json, into a file as well. On a GPU, for the figures of a map:

    python benchmarks/training.py --preset published-128 --device cuda --seconds 120
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from napari_kikuchi.devices import pick_device
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.latent.objectives import VaeObjective, make_objective
from napari_kikuchi.latent.presets import PRESETS, preset
from napari_kikuchi.latent.vae import Vae
from napari_kikuchi.training import TrainingData, TrainingSettings, TrainingUpdate, train

# Steps before the clock starts: libraries choose their algorithms in them.
WARM_UP = 5


class Task:
    """What the training of this package trains, without what validation would add to its time."""

    def __init__(self, module: VaeObjective) -> None:
        self.module = module

    def identity(self) -> dict[str, Any]:
        """Nothing: this training is not resumed."""
        return {}

    def validate(self, batches: Any) -> Job[dict[str, Any]]:
        """Nothing."""
        yield Progress(0, 0)
        return {"loss": 0.0}

    def save(self, path: Path, metrics: Any) -> None:
        """An empty file."""
        path.touch()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--preset", choices=PRESETS, default="published-32")
    parser.add_argument("--objective", choices=("vae", "contrastive"), default="vae")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--patterns", type=int, default=8192)
    parser.add_argument("--seconds", type=float, default=60, help="for each of the two")
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    given = parser.parse_args()
    device = pick_device(given.device)
    size = preset(given.preset).size
    noise = np.random.default_rng(0).uniform(-1, 1, (given.patterns, *size)).astype(np.float16)
    speeds = {"plain loop": plain(given, noise, device), "this package": ours(given, noise, device)}
    for name, speed in speeds.items():
        print(f"{name:<14}{speed:>10,.0f} patterns/s")
    ratio = speeds["this package"] / speeds["plain loop"]
    machine = torch.cuda.get_device_name() if device == "cuda" else platform.machine()
    threads = torch.get_num_threads()
    print(f"{'ratio':<14}{ratio:>10.2f}")
    print(f"{given.preset}, {given.objective}, batch {given.batch}; {machine}, {threads} threads, "
          f"torch {torch.__version__}")  # fmt: skip
    if given.json:
        figures = {**vars(given), "json": None, "machine": machine, "speeds": speeds}
        given.json.write_text(json.dumps(figures, indent=1, default=str), encoding="utf-8")


def objective_of(given: argparse.Namespace) -> VaeObjective:
    torch.manual_seed(0)
    architecture = preset(given.preset)
    vae = Vae(architecture, np.ones(architecture.size, bool))
    return make_objective(given.objective, vae, "calibrated", 1.0, 0)


def plain(given: argparse.Namespace, patterns: np.ndarray, device: str) -> float:
    """Patterns per second of the loop in every tutorial."""
    module = objective_of(given).to(device, memory_format=torch.contiguous_format)
    adam = torch.optim.Adam(module.parameters(), lr=1e-3)
    data = torch.utils.data.TensorDataset(torch.from_numpy(patterns).float())
    loader = torch.utils.data.DataLoader(
        data, given.batch, shuffle=True, num_workers=4, drop_last=True, persistent_workers=True
    )
    generator = torch.Generator().manual_seed(0)
    step, began = 0, 0.0
    while True:
        for (batch,) in loader:
            if step == WARM_UP:
                began = time.perf_counter()
            adam.zero_grad()
            loss = module(batch.to(device), generator, step)
            loss.backward()
            adam.step()
            float(loss.detach())  # every loop prints its loss
            step += 1
            taken = time.perf_counter() - began
            if step > WARM_UP and taken > given.seconds:
                return (step - WARM_UP) * given.batch / taken


def ours(given: argparse.Namespace, patterns: np.ndarray, device: str) -> float:
    """Patterns per second of this package."""
    settings = TrainingSettings(
        epochs=10**6,
        batch=given.batch,
        device=device,
        precision=given.precision,
        validate_every=10**9,
    )
    data = TrainingData(patterns, patterns[:1])
    began = 0.0
    with TemporaryDirectory() as folder:
        job = train(Task(objective_of(given)), data, settings, folder)
        for update in job:
            if not isinstance(update, TrainingUpdate):
                continue
            if update.step == WARM_UP:
                began = time.perf_counter()
            taken = time.perf_counter() - began
            if update.step > WARM_UP and taken > given.seconds:
                job.close()
                return (update.step - WARM_UP) * given.batch / taken
    raise RuntimeError("the training ended by itself")


if __name__ == "__main__":
    main()
