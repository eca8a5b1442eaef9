"""Whether the window answers while a large scan is explored: 900 x 1000 positions, 128 features.

    python benchmarks/exploring.py [--scratch FOLDER] [--maps N]

Writes maps of noise and grains, opens them in the real window with all docks of this package, and
does what a user does, one thing after another, while it asks for an event every 5 ms: the longest
gap between two is how long the window did not answer. The last column is the time until what was
asked for is there. Without a screen: xvfb-run -a -s "-screen 0 1600x1000x24" python ...
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
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from window import Gaps, spin

from napari_kikuchi.io.map_store import read_maps, write_maps
from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.pattern_source import put
from napari_kikuchi.scan import Scan

PLUGIN = "napari-kikuchi"
SHAPE = (900, 1000)
STEP = (0.5, 0.5)
PATTERN = 60
PATIENCE_S = 120


class NoisePatterns:
    """Patterns of noise, made when they are read."""

    shape = (*SHAPE, PATTERN, PATTERN)
    dtype = np.dtype(np.uint8)

    def read_run(
        self, row: int, start: int, stop: int, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Patterns of a part of a row, as :class:`~napari_kikuchi.pattern_source.PatternSource`."""
        rng = np.random.default_rng([row, start])
        return put(rng.integers(50, 250, (stop - start, PATTERN, PATTERN), np.uint8), out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--scratch", type=Path, help="folder for the store")
    parser.add_argument("--maps", type=int, default=128)
    options = parser.parse_args()
    print(f"{platform.platform()}, {os.cpu_count()} processors, napari {napari.__version__}")
    with tempfile.TemporaryDirectory(dir=options.scratch, ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "maps.zarr"
        write_maps(path, grains_and_walls(options.maps))
        measure(path)


def grains_and_walls(count: int) -> MapStack:
    """Features that differ from grain to grain, the first of which shows walls, and noise."""
    rng = np.random.default_rng(0)
    row, col = np.indices(SHAPE)
    grain = (row // 90) * 10 + col // 100
    wall = np.minimum(row % 9, col % 9) < 2
    maps = [
        rng.normal(size=100).astype(np.float32)[grain]
        + 0.3 * rng.standard_normal(SHAPE, np.float32)
        for _ in range(count)
    ]
    maps[0] = 0.2 * maps[0] - 2 * wall
    channels = [Channel(f"feature {i + 1}", score=float(count - i)) for i in range(count)]
    return MapStack(np.stack(maps), channels, STEP, {"scan": {"name": "large"}})


def measure(path: Path) -> None:
    from napari_kikuchi.ui import FEATURE_BROWSER, INSPECTOR, LATENT_SPACE, SEGMENT
    from napari_kikuchi.ui.link import ScanLink
    from napari_kikuchi.ui.session import session_of
    from napari_kikuchi.ui.show_maps import show_stack

    viewer = napari.Viewer()
    viewer.window.resize(1600, 1000)
    session = session_of(viewer)
    show_stack(session, read_maps(path), ScanLink(Scan(NoisePatterns(), STEP, "large")))
    docks = {}
    for name in (FEATURE_BROWSER, INSPECTOR, LATENT_SPACE, SEGMENT):
        _, docks[name] = viewer.window.add_plugin_dock_widget(PLUGIN, name)
        spin(3)
    browser, inspector, space, segmenting = docks.values()
    spin(PATIENCE_S, lambda: not space.row.active)
    gaps = Gaps()

    def do(what: str, act: Callable[[], object], done: Callable[[], bool]) -> None:
        spin(1)
        gaps.forget()
        began = time.perf_counter()
        act()
        spin(PATIENCE_S, done)
        took = time.perf_counter() - began
        spin(0.2)
        gaps.tell(what, f"{took:8.2f} s" if done() else "   never")

    gaps.head()
    explore_features(browser, do)
    explore_shapes(viewer, inspector, do)
    explore_space(viewer, space, do)
    segment(segmenting, do)
    napari_alone(viewer, do)
    viewer.close()


def explore_features(browser, do) -> None:
    from napari_kikuchi.ui.rank_by import Ranking
    from napari_kikuchi.ui.strokes import Stroke

    shown = browser.current.shown
    do("next map", browser.next, lambda: browser.current.shown != shown)
    do("star", browser.star, lambda: True)
    do("gallery", browser.list.gallery_button.click, lambda: True)
    browser.rank_by.choice.setCurrentText(str(Ranking.STROKES))

    def paint(stroke: Stroke, col: int) -> None:
        press(browser.rank_by.painting.buttons[stroke])
        layer = browser._viewer.layers.selection.active
        for row in range(40, 60):
            layer.paint((row, col), int(stroke))

    do("first stroke", lambda: paint(Stroke.THIS, 45), lambda: True)
    title = "apart"
    do(
        "second stroke, maps ranked",
        lambda: paint(Stroke.OTHER, 49),
        lambda: browser._table is not None and browser._table.scores.title == title,
    )


def explore_shapes(viewer, inspector, do) -> None:
    line, region = inspector.line, inspector.region
    inspector.tools.draw("add_line")
    shapes = viewer.layers.selection.active
    do(
        "line of 20 µm: profiles, features, patterns",
        lambda: shapes.add_lines(np.array([[100.0, 100.0], [112.0, 116.0]])),
        lambda: line.features is not None and line.strip is not None,
    )
    for name, side in (("region of 50 x 50 µm", 50.0), ("region of most of the map", 400.0)):
        corners = np.array([[10, 10], [10, 10 + side], [10 + side, 10 + side], [10 + side, 10.0]])
        do(
            f"{name}: values, patterns",
            lambda corners=corners: shapes.add_rectangles(corners),
            lambda before=region.inspected: region.inspected is not before and region.tiles,
        )
    do(
        "two regions: difference and bands",
        lambda: setattr(shapes, "selected_data", {1, 2}),
        lambda: region.bands is not None,
    )


def explore_space(viewer, space, do) -> None:
    idle = lambda: not space.row.active  # noqa: E731
    do("latent space: other axes", lambda: space.axes[0].setCurrentIndex(2), idle)
    do("latent space: coloured by a map", lambda: space.colour.setCurrentIndex(1), idle)
    angle = np.linspace(0, 2 * np.pi, 40)
    axes = space.panel.plot.figure.axes[0]
    x, y = np.mean(axes.get_xlim()), np.mean(axes.get_ylim())
    outline = np.stack([x + np.cos(angle), y + np.sin(angle)], axis=1)
    do(
        "lasso around points",
        lambda: space.panel.plot.encircled.emit(outline),
        lambda: space.panel.selection.labels.layer is not None,
    )
    layers = len(viewer.layers)
    do(
        "nearest patterns",
        lambda: press(space.nearest.button),
        lambda: len(viewer.layers) > layers and not space.nearest.row.active,
    )
    layers = len(viewer.layers)
    do(
        "picture in three colours",
        lambda: press(space.composite.button),
        lambda: len(viewer.layers) == layers + 3,
    )


def segment(dock, do) -> None:
    for title, page in (
        ("walls and cells", dock.walls),
        ("domains", dock.domains),
        ("clusters", dock.clusters),
    ):
        dock.tabs.setCurrentWidget(page.parent())
        do(title, page.start, lambda page=page: not page.row.active)


def napari_alone(viewer, do) -> None:
    """What napari itself takes to add a layer: the least that those above can take that do."""
    from napari_kikuchi.ui.label_layer import placed_as

    blank, place = np.zeros(SHAPE, np.uint8), placed_as(viewer.layers["feature 1"])
    do("napari alone: a labels layer", lambda: viewer.add_labels(blank, **place), lambda: True)
    do("napari alone: an image layer", lambda: viewer.add_image(blank, **place), lambda: True)
    place = {name: place[name] for name in ("units", "axis_labels")}
    do("napari alone: a shapes layer", lambda: viewer.add_shapes(ndim=2, **place), lambda: True)
    shapes = viewer.layers.selection.active
    line = np.array([[100.0, 100.0], [112.0, 116.0]])
    do("napari alone: a line on it", lambda: shapes.add_lines(line), lambda: True)


def press(button) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


if __name__ == "__main__":
    main()
