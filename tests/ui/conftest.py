"""Scans on disk, and a window to show them in."""

import os
import sys
from functools import partial
from math import inf

import numpy as np
import pytest
from napari.components import ViewerModel
from pattern_window import PLUGIN, Window
from spot_window import SpotWindow, spot_scan

from napari_kikuchi.io import Up2Writer, open_scan
from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.ui import garbage
from napari_kikuchi.ui.session import session_of

_PATIENCE_MS = 30_000
_NEED_A_SCREEN = {"qtbot", "qapp", "make_napari_viewer"}


def pytest_runtest_setup(item):
    has_screen = (
        sys.platform != "linux" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    if not has_screen and _NEED_A_SCREEN.intersection(item.fixturenames):
        pytest.fail(
            "This test drives a real window and finds no screen: install Xvfb, and each process "
            "of pytest starts its own (Debian: apt-get install xvfb)",
            pytrace=False,
        )


@pytest.fixture
def qtbot(qtbot):
    """Waits for longer than its own five seconds: a busy machine is no failure."""
    qtbot.waitUntil = partial(qtbot.waitUntil, timeout=_PATIENCE_MS)
    return qtbot


@pytest.fixture(autouse=True)
def _no_long_search(monkeypatch):
    """Here windows end before the process does, and must not be set apart as long-lived."""
    monkeypatch.setattr(garbage, "LONG_S", inf)


@pytest.fixture
def windowless():
    """A viewer that has no window."""
    return ViewerModel()


@pytest.fixture
def session(windowless):
    """Of a viewer that has no window."""
    return session_of(windowless)


@pytest.fixture
def patterns():
    """Random patterns, brighter from position to position: no two are alike."""
    rng = np.random.default_rng(0)
    rows, cols = 12, 16
    brightness = 100 * np.arange(1, rows * cols + 1).reshape(rows, cols, 1, 1)
    return (brightness + rng.integers(0, 1000, (rows, cols, 10, 10))).astype(np.uint16)


@pytest.fixture
def write_scan():
    """Write patterns to a UP2 file, rows 0.5 µm and columns 0.25 µm apart."""

    def write(path, patterns):
        with Up2Writer(path, patterns.shape[:2], patterns.shape[2:], step=(0.5, 0.25)) as writer:
            writer.append(patterns)
        return path

    return write


@pytest.fixture
def scan_file(tmp_path, patterns, write_scan):
    """The patterns as a file."""
    return write_scan(tmp_path / "weld.up2", patterns)


@pytest.fixture
def stack(scan_file):
    """Four maps of that scan, ranked 2, 4, 3, 1, as an encoding leaves them."""
    scan = open_scan(scan_file)
    values = np.random.default_rng(1).normal(size=(4, *scan.map_shape)).astype(np.float32)
    channels = [Channel(f"feature {i + 1}", score=s) for i, s in enumerate((0.1, 0.9, 0.5, 0.7))]
    record = {
        "path": str(scan_file),
        "name": scan.name,
        "options": dict(scan.options),
        "fingerprint": scan.fingerprint(),
    }
    return MapStack(values, channels, scan.step, {"scan": record})


@pytest.fixture
def window(make_napari_viewer, scan_file, qtbot):
    """A real window in which the scan is open and its patterns are shown."""
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1400, 900)
    viewer.open(scan_file, plugin=PLUGIN)
    window = Window(viewer, qtbot)
    window.wait_for("row 6, column 8")
    qtbot.wait(50)
    return window


@pytest.fixture
def spot_window(make_napari_viewer, qtbot):
    """A real window in which patterns with spots are shown."""
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1400, 900)
    window = SpotWindow(viewer, qtbot)
    window.show(spot_scan())
    return window
