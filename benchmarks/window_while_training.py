"""Whether the window answers while a model is trained in it, and how soon a training ends.

    python benchmarks/window_while_training.py [--seconds N] [--first-look]

Opens the simulated additive sample in a real window, trains quick-32 through the form with its
live map, and asks for an event every 5 ms: the gaps between two of them are how long the window
did not answer. Then cancels, resumes, and closes the window while the training runs. With
--first-look the maps of a linear encoder lie in the layer list meanwhile. Without a screen:
xvfb-run -a -s "-screen 0 1600x1000x24" python ...
"""

from __future__ import annotations

import argparse
import platform
import shutil
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import napari
from window import Gaps, spin

from napari_kikuchi.samples import sample_folder

PLUGIN = "napari-kikuchi"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=40, help="of training")
    parser.add_argument("--first-look", action="store_true", help="with 32 maps in the list")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        scan = Path(shutil.copy(sample_folder() / "additive.up1", folder))
        measure(scan, options.seconds, options.first_look)
    print(f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}")


def measure(scan: Path, seconds: float, first_look: bool) -> None:
    viewer = napari.Viewer()
    viewer.window.resize(1400, 900)
    viewer.open(str(scan), plugin=PLUGIN)
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Latent maps")
    spin(5)
    gaps = Gaps()
    gaps.head()
    if first_look:
        dock.first_look.panel.button.click()
        spin(60, lambda: len(viewer.layers) >= 33)
        spin(2)
        gaps.tell("first look, 32 layers added")
    train = dock.train
    dock.tabs.setCurrentIndex(1)
    train.minutes.value = 30
    train.folder.value = scan.parent / "run"
    spin(1)
    gaps.forget()
    train.panel.button.click()
    spin(seconds)
    gaps.tell("training")
    began = time.perf_counter()
    train.panel.button.click()
    spin(20, lambda: not train.panel.job.active)
    print(f"cancelled after {time.perf_counter() - began:.2f} s: {train.panel.job.state}")
    gaps.tell("cancelling")
    train.panel.button.click()
    spin(15)
    gaps.tell("resumed")
    job = train.panel.job
    checkpoint = scan.parent / "run" / "checkpoint.safetensors"
    before = checkpoint.stat().st_mtime
    began = time.perf_counter()
    viewer.close()
    spin(20, lambda: not job.active)
    print(
        f"window closed: training {job.state} after {time.perf_counter() - began:.2f} s, "
        f"checkpoint written {'anew' if checkpoint.stat().st_mtime > before else 'before'}"
    )


if __name__ == "__main__":
    main()
