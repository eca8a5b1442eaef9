"""Maps whose parts are known, and hands that divide them in the real dock."""

import csv

import numpy as np
from qtpy.QtCore import Qt

from napari_kikuchi.ui import PLUGIN, SEGMENT

ROWS, COLS, STEP = 60, 96, (0.5, 0.25)
# Distances between walls, and how thick these are, in µm.
APART, THICK = (5.0, 6.0), 0.6
FEATURES = 6
WALLED = "pattern contrast"


def walled(noise=0.03):
    """Dark walls along rows and columns, as thick as told at half of their depth."""
    away = []
    for size, step, apart in zip((ROWS, COLS), STEP, APART, strict=True):
        # So that no wall lies on the border of the map.
        place = (np.arange(size) + 0.5) * step
        away.append(np.abs((place % apart) - apart / 2))
    distance = np.minimum(away[0][:, None], away[1])
    walls = np.exp(-4 * np.log(2) * (distance / THICK) ** 2)
    return 1 - 0.5 * walls + noise * np.random.default_rng(1).normal(size=walls.shape)


def grains():
    """Numbers of four grains, the largest first."""
    row, col = np.indices((ROWS, COLS))
    return 1 + (col >= 50) + 2 * (row >= 35)


def open_dock(viewer):
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, SEGMENT)
    return dock


def find(page, qtbot):
    """Press the button, and wait until all is shown."""
    assert page.button.isEnabled(), page.button.toolTip()
    qtbot.mouseClick(page.button, Qt.MouseButton.LeftButton)
    assert not page.button.isEnabled()
    assert page.row.cancel_button.isVisibleTo(page)
    wait(page, qtbot)


def wait(page, qtbot):
    qtbot.waitUntil(lambda: not page.row.active)
    qtbot.wait(100)  # Layers come one after another.


def layers_in(dock):
    return dock.session.viewer.layers


def save(page, name, path, qtbot):
    assert page.save_buttons[name].isEnabled()
    page.save(name, path)
    qtbot.waitUntil(path.exists)
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def assert_same_parts(one, other):
    """Whether two maps of numbers divide alike, whatever the numbers."""
    pairs = np.unique(np.stack([one.ravel(), other.ravel()]), axis=1)
    assert pairs.shape[1] == len(np.unique(one)) == len(np.unique(other))
