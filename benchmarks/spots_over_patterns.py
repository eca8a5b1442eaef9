"""What spots that are drawn over the patterns of a 4D-STEM scan cost, in the real window.

    python benchmarks/spots_over_patterns.py [--moves N] [--found N] [--simulated N]

Moves the cursor to places at random, by turns with and without spots, and waits until Qt has put
the frame with that pattern on the screen. The patterns, of 256 x 256 pixels, are in memory: the
times are those of the window. Without a screen: xvfb-run -a -s "-screen 0 1600x1000x24" python ...
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from types import SimpleNamespace

import napari
import numpy as np
from cursor_to_pattern import wait_for

ROWS, COLS, SIDE = 20, 30, 256
# Moves in a row with spots, or without.
TURN = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--moves", type=int, default=200, help="moves of each kind")
    parser.add_argument("--found", type=int, default=64, help="spots found in each pattern")
    parser.add_argument("--simulated", type=int, default=64, help="spots simulated for each")
    options = parser.parse_args()
    measure(options.moves, options.found, options.simulated)


class Spots:
    """As many spots as are wanted, anywhere in the pattern."""

    def __init__(self, found: int, simulated: int) -> None:
        rng = np.random.default_rng(0)
        self._found = rng.uniform((0, 0, 0), (SIDE, SIDE, 1), (found, 3))
        self._simulated = rng.uniform((-1, -1, 0), (1, 1, 1), (simulated, 3))
        self._hkl = rng.integers(-9, 9, (simulated, 3))

    def at(self, row: int, col: int):
        """Those that were found."""
        return self._found

    def simulated(self):
        """Whence those come that are simulated."""
        from napari_kikuchi.ui.spot_sources import SimulatedSpots

        spots = SimulatedSpots(self._simulated, self._hkl)
        return SimpleNamespace(at=lambda row, col: spots)


def measure(moves: int, found: int, simulated: int) -> None:
    from napari_kikuchi.calibration import Calibration
    from napari_kikuchi.pattern_source import ArraySource
    from napari_kikuchi.scan import Scan
    from napari_kikuchi.ui.pattern_viewer import PatternViewer
    from napari_kikuchi.ui.reader import navigator_layer
    from napari_kikuchi.ui.session import session_of
    from napari_kikuchi.ui.spot_sources import spot_sources_of

    patterns = np.random.default_rng(0).poisson(3, (ROWS, COLS, SIDE, SIDE)).astype(np.uint16)
    patterns[..., 120:136, 120:136] = 1000
    scan = Scan(
        ArraySource(patterns), technique="4D-STEM", calibration=Calibration((0.08, 0.08), "1/nm")
    )
    viewer = napari.Viewer()
    viewer.window.resize(1400, 900)
    session = session_of(viewer)
    data, attributes, _ = navigator_layer(scan)
    viewer.add_image(data, **attributes)
    docks = viewer.window.dock_widgets.values()
    panel = next(widget for widget in docks if isinstance(widget, PatternViewer))
    spots, sources = Spots(found, simulated), spot_sources_of(session)
    sources.set_found(scan, spots)
    sources.set_simulated(scan, spots.simulated())
    boxes = panel.tools.spots.drawings
    wait_for(lambda: all(drawing.count for drawing in boxes.values()))

    frames: list[tuple[float, str]] = []
    panel.panes.canvas.canvas.native.frameSwapped.connect(
        lambda: frames.append((time.perf_counter(), panel.position.text()))
    )
    rng = np.random.default_rng(0)
    times: dict[bool, list[float]] = {True: [], False: []}
    while len(times[False]) < moves + TURN:
        for shown, taken in times.items():
            for box in boxes:
                box.setChecked(shown)
            taken += [move(viewer, frames, rng) for _ in range(TURN)]
    print(f"{platform.platform()}, {os.cpu_count()} processors, napari {napari.__version__}")
    print(f"{found} spots found and {simulated} simulated, {moves} moves of each kind\n")
    print(f"{'':16}{'median':>10}{'95 %':>10}")
    for shown, taken in times.items():
        # The first turn is for fonts, shaders and the refining of the navigator.
        median, late = np.percentile(taken[TURN:], [50, 95]) * 1e3
        print(f"{'with spots' if shown else 'without':16}{median:>7.1f} ms{late:>7.1f} ms")
    viewer.close()


def move(viewer: napari.Viewer, frames: list[tuple[float, str]], rng: np.random.Generator) -> float:
    """Seconds from the callback of a mouse move to the frame that shows its pattern."""
    row, col = (int(index) for index in rng.integers((0, 0), (ROWS, COLS)))
    text = f"row {row}, column {col} "
    wait_for(lambda: True)
    frames.clear()
    start = time.perf_counter()
    for callback in viewer.mouse_move_callbacks:
        callback(viewer, SimpleNamespace(position=(float(row), float(col))))
    wait_for(lambda: any(shown.startswith(text) for _, shown in frames))
    return next(moment for moment, shown in frames if shown.startswith(text)) - start


if __name__ == "__main__":
    main()
