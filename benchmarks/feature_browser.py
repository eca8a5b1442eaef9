"""How fast the maps of a large scan are browsed, in the real window.

    python benchmarks/feature_browser.py [--scratch FOLDER] [--maps N] [--steps N]

Writes a store of 256 maps of 900 x 1000 positions, as encoding the largest scan of the reference
paper makes it (0.9 GB), shows it as the window does when an encoding is done, and steps through
it: waiting half a second on each map, as one who looks, and as fast as the window can. A step ends
when Qt has put the frame with the next map on the screen.
Without a screen: xvfb-run -a -s "-screen 0 1600x1000x24" python ...
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import napari
import numpy as np
import psutil

from napari_kikuchi.maps import Channel, MapStack

SHAPE = (900, 1000)
PATIENCE_S = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--scratch", type=Path, help="folder for the store")
    parser.add_argument("--maps", type=int, default=256)
    parser.add_argument("--steps", type=int, default=60, help="steps for each line")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.scratch, ignore_cleanup_errors=True) as folder:
        measure(make_store(Path(folder) / "maps.zarr", options.maps), options.steps)


def make_store(path: Path, maps: int) -> Path:
    """Noise, which no compression makes smaller: the worst case of a latent map."""
    from napari_kikuchi.io.map_store import write_maps

    values = np.random.default_rng(0).standard_normal((maps, *SHAPE), np.float32)
    channels = [Channel(f"feature {i + 1}", score=1 - i / maps) for i in range(maps)]
    write_maps(path, MapStack(values, channels))
    return path


def measure(path: Path, steps: int) -> None:
    from napari_kikuchi.io.map_store import read_maps
    from napari_kikuchi.ui.link import ScanLink
    from napari_kikuchi.ui.session import session_of
    from napari_kikuchi.ui.show_maps import open_browser, show_stack

    viewer = napari.Viewer()
    viewer.window.resize(1400, 900)
    session = session_of(viewer)
    browser = open_browser(session)
    # When each frame was on the screen, and which map the layer showed by then.
    frames: list[tuple[float, str]] = []
    viewer.window._qt_viewer.canvas.native.frameSwapped.connect(
        lambda: frames.append((time.perf_counter(), " ".join(map(str, viewer.layers))))
    )
    settle(0.5)
    process = psutil.Process()
    before = process.memory_info().rss
    start = time.perf_counter()
    stack = read_maps(path)
    show_stack(session, stack, ScanLink())
    wait_for(lambda: any(shown == "feature 1" for _, shown in frames))
    print(f"{platform.platform()}, {os.cpu_count()} processors, napari {napari.__version__}")
    print(f"{len(stack)} maps of {SHAPE[0]} x {SHAPE[1]}, {stack.values.nbytes / 1e9:.2f} GB\n")
    print(f"first map drawn after {time.perf_counter() - start:.2f} s")
    print(f"\n{'next map drawn':28}{'median':>10}{'95 %':>10}{'longest':>10}{'memory':>12}")
    for name, pause in (("looking for half a second", 0.5), ("as fast as can be", 0.0)):
        times = []
        for _ in range(steps):
            frames.clear()
            begin = time.perf_counter()
            browser.next()
            rank = browser.table.currentIndex().row() + 1
            wait_for(lambda: any(shown == f"feature {rank}" for _, shown in frames))  # noqa: B023
            times.append(next(t for t, shown in frames if shown == f"feature {rank}") - begin)
            settle(pause)
        median, late, longest = np.percentile(times, [50, 95, 100]) * 1e3
        grown = (process.memory_info().rss - before) / 1e6
        print(f"{name:28}{median:>7.1f} ms{late:>7.1f} ms{longest:>7.1f} ms{grown:>+9.1f} MB")
    viewer.close()


def settle(seconds: float) -> None:
    """Let the window do what it has to."""
    end = time.perf_counter() + seconds
    wait_for(lambda: time.perf_counter() >= end)


def wait_for(condition: Callable[[], bool]) -> None:
    from qtpy.QtWidgets import QApplication

    deadline = time.perf_counter() + PATIENCE_S
    while not condition():
        QApplication.processEvents()
        if time.perf_counter() > deadline:
            raise TimeoutError("the window does not answer")


if __name__ == "__main__":
    main()
