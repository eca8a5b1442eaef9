"""Train the encoder of this folder on simulated scans.

    python sample_data/train_encoder.py --scratch FOLDER --minutes 10

It learns from the two simulated sample scans and from others that are simulated into the scratch
folder where they are not there yet; their seeds are none of the benchmarks'. A training that was
stopped goes on with --resume.
"""

from __future__ import annotations

import argparse
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.progress import Progress as Bars

from napari_kikuchi.io import open_scan
from napari_kikuchi.io.weights import read_model, write_model
from napari_kikuchi.jobs import Progress, finish
from napari_kikuchi.latent.train import VaeTraining, train_vae
from napari_kikuchi.recipe import Recipe
from napari_kikuchi.samples import ENCODER
from napari_kikuchi.simulate import make_structure, simulate_scan
from napari_kikuchi.training import LOG_FILE, TrainingSettings, TrainingUpdate

HERE = Path(__file__).parent
SIDE = 96  # rows and columns of a scan
NOISE = ("low", "medium", "high")
WALL_BLUR = (4.0, 6.0, 8.0)  # pixels of 480: weak walls too are to be seen
SCANS = (
    *(("additive", 1000 + i, NOISE[i % 3], {"wall_blur": WALL_BLUR[i // 3 % 3]}) for i in range(8)),
    *(("wrought", 2000 + i, NOISE[i % 3], {}) for i in range(4)),
)


def main() -> None:
    """Read the command line, simulate, train and keep the model."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scratch", type=Path, required=True, help="folder for scans and run")
    parser.add_argument("--minutes", type=float, default=10, help="of training")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--resume", action="store_true")
    given = parser.parse_args()
    with Bars() as bars:
        task = bars.add_task("")

        def report(update: Progress) -> None:
            bars.update(
                task, description=update.message, completed=update.done, total=update.total or None
            )
            if isinstance(update, TrainingUpdate) and update.validation_loss is not None:
                bars.console.print(update.step, update.metrics, round(update.patterns_per_second))

        scans = [open_scan(HERE / name) for name in ("additive.up1", "wrought.up1")]
        for scan in SCANS:
            path = _simulated(given.scratch, *scan, report=report, device=given.device)
            scans.append(open_scan(path))
        training = TrainingSettings(
            epochs=None, minutes=given.minutes, threads=given.threads, device=given.device
        )
        run = given.scratch / "run"
        job = train_vae(
            scans,
            Recipe(mask=_round_mask()),
            VaeTraining(training=training),
            run,
            resume=given.resume,
        )
        path = finish(job, report)
    model = read_model(path)
    # Half precision: half the size in the repository, and no difference in a map.
    halves = {name: tensor.astype(np.float16) for name, tensor in model.tensors.items()}
    write_model(HERE / ENCODER, replace(model, tensors=halves))
    shutil.copy(run / LOG_FILE, (HERE / ENCODER).with_suffix(".log.jsonl"))


def _round_mask(size: int = 60) -> np.ndarray:
    """Largest circle in the frame: what nearly every screen, round or square, fills."""
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    return np.hypot(y, x) <= size / 2


def _simulated(folder: Path, kind, seed, noise, config, *, report, device) -> Path:
    path = folder / f"{kind}_{seed}_{noise}.up2"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        structure = make_structure(kind, SIDE, SIDE, seed=seed, **config)
        finish(simulate_scan(path, structure, noise=noise, seed=seed, device=device), report)
    return path


if __name__ == "__main__":
    main()
