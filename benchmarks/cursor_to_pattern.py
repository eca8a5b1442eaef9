"""How long after the cursor has moved its pattern is drawn, in the real window.

    python benchmarks/cursor_to_pattern.py [--scratch FOLDER] [--moves N]

Opens a sparse file as large as the largest map of the reference paper (1000 x 900 patterns of
480 x 480 pixels, 415 GB; no place on disks that know such files), moves the cursor to places at
random by the very callbacks that napari calls, and waits until Qt has put the frame with that
pattern on the screen. Without a screen: xvfb-run -a -s "-screen 0 1600x1000x24" python ...
A sparse file is read without touching a disk: the times are those of the software alone.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import napari
import numpy as np
import psutil

VIEWS = {
    "raw": ("raw",),
    "raw and corrected (default)": ("raw", "corrected"),
    "raw, corrected, preprocessed": ("raw", "corrected", "preprocessed"),
}
PATIENCE_S = 10
# Moves before those that count: fonts, shaders and the refining of the navigator.
WARM_UP = 40


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--scratch", type=Path, help="folder for the sparse file")
    parser.add_argument("--moves", type=int, default=150, help="moves for each line")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        measure(make_sparse_scan(Path(folder) / "sparse.up2"), options.moves)


def make_sparse_scan(path: Path) -> Path:
    """Write a header and let the file system pretend the rest."""
    from napari_kikuchi.io.up2 import LONG_HEADER

    with path.open("wb") as file:
        file.write(LONG_HEADER.pack(3, 480, 480, LONG_HEADER.size, 0, 1000, 900, 0, 1.0, 1.0))
        file.truncate(LONG_HEADER.size + 900 * 1000 * 480 * 480 * 2)
    return path


def measure(path: Path, moves: int) -> None:
    from napari_kikuchi.ui.pattern_viewer import PatternViewer
    from napari_kikuchi.ui.pattern_views import View

    viewer = napari.Viewer()
    viewer.window.resize(1400, 900)
    viewer.open(path, plugin="napari-kikuchi")
    patterns = next(
        widget
        for widget in viewer.window.dock_widgets.values()
        if isinstance(widget, PatternViewer)
    )
    # When each frame was on the screen, and which position stood beside the canvas by then.
    frames: list[tuple[float, str]] = []
    patterns.panes.canvas.canvas.native.frameSwapped.connect(
        lambda: frames.append((time.perf_counter(), patterns.position.text()))
    )
    process = psutil.Process()
    print(f"{platform.platform()}, {os.cpu_count()} processors, napari {napari.__version__}")
    print(f"canvas {patterns.panes.width()} x {patterns.panes.height()} pixels, {moves} moves\n")
    print(f"{'views':32}{'median':>10}{'95 %':>10}{'memory':>12}")
    for name, views in VIEWS.items():
        patterns.controls.choose(*map(View, views))
        wait_for(lambda: patterns.panes.shown == list(map(View, views)))  # noqa: B023
        for seed in range(WARM_UP):
            move(viewer, frames, moves + seed)
        before = process.memory_info().rss
        times = [move(viewer, frames, seed) for seed in range(moves)]
        median, late = np.percentile(times, [50, 95]) * 1e3
        grown = (process.memory_info().rss - before) / 1e6
        print(f"{name:32}{median:>7.1f} ms{late:>7.1f} ms{grown:>+9.1f} MB")
    viewer.close()


def move(viewer: napari.Viewer, frames: list[tuple[float, str]], seed: int) -> float:
    """Seconds from the callback of a mouse move to the frame that shows its pattern."""
    row, col = (int(index) for index in np.random.default_rng(seed).integers((0, 0), (900, 1000)))
    text = f"row {row}, column {col} "
    frames.clear()
    start = time.perf_counter()
    for callback in viewer.mouse_move_callbacks:
        callback(viewer, SimpleNamespace(position=(float(row), float(col))))
    wait_for(lambda: any(shown.startswith(text) for _, shown in frames))
    return next(moment for moment, shown in frames if shown.startswith(text)) - start


def wait_for(condition: Callable[[], bool]) -> None:
    """Handle events as a running window does: asleep between them, not taking the interpreter."""
    from qtpy.QtCore import QEventLoop, QTimer
    from qtpy.QtWidgets import QApplication

    tick = QTimer()
    tick.start(2)
    deadline = time.perf_counter() + PATIENCE_S
    while not condition():
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
        if time.perf_counter() > deadline:
            raise TimeoutError("the window does not answer")


if __name__ == "__main__":
    main()
