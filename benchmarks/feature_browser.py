"""How fast the maps of a large scan are browsed, in the real window.

    python benchmarks/feature_browser.py [--scratch FOLDER] [--maps N] [--steps N]

Writes 256 maps of 900 x 1000 positions block by block, as encoding the largest scan of the
reference paper does (0.9 GB). From the last block on the clock runs: the maps are ranked and shown
as the window does when an encoding is done. Then it steps through them: waiting half a second on
each map, as one who looks, and as fast as the window can. A step ends when Qt has put the frame
with the next map on the screen.
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

from napari_kikuchi.explore.ranking import feature_score
from napari_kikuchi.io.map_writer import MapWriter
from napari_kikuchi.jobs import finish
from napari_kikuchi.maps import Channel
from napari_kikuchi.samples import sample_folder
from napari_kikuchi.scan import Block

SHAPE = (900, 1000)
BLOCK = 250
PATIENCE_S = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--scratch", type=Path, help="folder for the store")
    parser.add_argument("--maps", type=int, default=256)
    parser.add_argument("--steps", type=int, default=60, help="steps for each line")
    options = parser.parse_args()
    print(f"{platform.platform()}, {os.cpu_count()} processors, napari {napari.__version__}")
    print(f"{options.maps} maps of {SHAPE[0]} x {SHAPE[1]}, {options.maps * 3.6e-3:.2f} GB\n")
    with tempfile.TemporaryDirectory(dir=options.scratch, ignore_cleanup_errors=True) as folder:
        writer = write_blocks(Path(folder) / "maps.zarr", options.maps)
        measure(writer, options.steps)


def write_blocks(path: Path, maps: int) -> MapWriter:
    """Write noise, which is no better to compress and no easier to rank than latent features."""
    writer = MapWriter.open(path, (maps, *SHAPE), {})
    noise = np.random.default_rng(0).standard_normal((maps, SHAPE[1]), np.float32)
    start = time.perf_counter()
    for row in range(SHAPE[0]):
        for left in range(0, SHAPE[1], BLOCK):
            block = Block(slice(row, row + 1), slice(left, left + BLOCK))
            values = np.roll(noise, 17 * row)[:, np.newaxis, block.cols]
            writer.confirm(block, writer.maps.write(block, values))
    duration = time.perf_counter() - start
    print(f"blocks written in {duration:.1f} s, {np.prod(SHAPE) / duration:.0f} positions/s")
    return writer


def measure(writer: MapWriter, steps: int) -> None:
    from napari_kikuchi.ui.link import ScanLink
    from napari_kikuchi.ui.session import session_of
    from napari_kikuchi.ui.show_maps import open_browser, show_stack

    viewer = napari.Viewer()
    viewer.window.resize(1400, 900)
    # As in use: the scan is open, its patterns are shown.
    viewer.open(str(sample_folder() / "additive.up1"), plugin="napari-kikuchi")
    session = session_of(viewer)
    browser = open_browser(session)
    # When each frame was on the screen, and which maps were shown by then.
    frames: list[tuple[float, set[str]]] = []
    viewer.window._qt_viewer.canvas.native.frameSwapped.connect(
        lambda: frames.append((time.perf_counter(), {layer.name for layer in viewer.layers}))
    )
    settle(3)
    process = psutil.Process()
    before = process.memory_info().rss
    start = time.perf_counter()
    channels = [Channel(f"feature {i + 1}") for i in range(writer.maps.shape[0])]
    stack = finish(writer.finish(channels, score=feature_score))
    print(f"maps ranked and in their place after {time.perf_counter() - start:.2f} s")
    show_stack(session, stack, ScanLink())
    best = stack.names[stack.ranking()[0]]
    wait_for(lambda: any(best in shown for _, shown in frames))
    print(f"first map drawn after {time.perf_counter() - start:.2f} s")
    print(f"\n{'next map drawn':28}{'median':>10}{'95 %':>10}{'longest':>10}{'memory':>12}")
    for name, pause in (("looking for half a second", 0.5), ("as fast as can be", 0.0)):
        times = []
        for _ in range(steps):
            frames.clear()
            begin = time.perf_counter()
            browser.next()
            wanted = stack.names[stack.ranking()[browser.table.currentIndex().row()]]
            wait_for(lambda: any(wanted in shown for _, shown in frames))  # noqa: B023
            times.append(next(t for t, shown in frames if wanted in shown) - begin)
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
