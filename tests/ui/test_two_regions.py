"""Two regions compared in the real dock: what the map, the dock and the saved figure show."""

from xml.etree import ElementTree

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_kikuchi.figures.colours import band_colour
from napari_kikuchi.ui import INSPECTOR, PLUGIN

SVG = "{http://www.w3.org/2000/svg}"
# Rows 1 to 4 and 7 to 10, of both columns 2 to 5.
ABOVE, BELOW = (([t, 0.4], [t, 1.4], [t + 1.7, 1.4], [t + 1.7, 0.4]) for t in (0.4, 3.4))


@pytest.fixture
def patterns():
    """Patterns with a band along column 20, strong in one region and weak in the other."""
    rng = np.random.default_rng(0)
    found = rng.normal(2000, 100, (12, 16, 40, 40))
    found[1:5, 2:6, :, 18:23] += 400
    found[7:11, 2:6, :, 18:23] += 200
    return found.astype(np.uint16)


@pytest.fixture
def inspector(window):
    """The inspector beside the scan."""
    _, dock = window.viewer.window.add_plugin_dock_widget(PLUGIN, INSPECTOR)
    return dock


def draw(inspector, qtbot, *boxes):
    """Press the tool for boxes, draw them in µm and select them."""
    qtbot.mouseClick(inspector.tools.buttons["Box"], Qt.MouseButton.LeftButton)
    layer = inspector.session.viewer.layers.selection.active
    for box in boxes:
        layer.add([np.array(box)], shape_type="rectangle")
    layer.selected_data = set(range(layer.nshapes))
    return layer


def test_the_bands_that_changed_are_numbered_in_the_figure_as_in_the_dock(
    inspector, qtbot, tmp_path
):
    region = inspector.region
    draw(inspector, qtbot, ABOVE, BELOW)
    qtbot.waitUntil(lambda: region.bands is not None)
    assert "Band 1: " in region.told.text()
    qtbot.waitUntil(lambda: region.plot.current)
    (line, *_) = region.plot.figure.axes[-1].lines
    np.testing.assert_allclose(line.get_xdata(), 20, atol=1)
    count = len(region.bands.bands)
    inspector.saving.save_figure(tmp_path / "two.png")
    qtbot.waitUntil((tmp_path / "two.svg").exists)
    root = ElementTree.parse(tmp_path / "two.svg").getroot()
    bands = [one for one in root.iter(f"{SVG}g") if one.get("id", "").startswith("band ")]
    assert [one.get("id") for one in bands] == [f"band {i + 1}" for i in range(count)]
    path = next(bands[0].iter(f"{SVG}path"))
    assert band_colour(1).lower() in path.get("style")
    assert "1" in [text.text for text in root.iter(f"{SVG}text")]
