"""Two regions compared in the real dock: what the map, the dock and the saved figure show."""

from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from qtpy.QtCore import Qt

from napari_kikuchi.figures.colours import band_colour, region_colour
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


def test_regions_have_the_colours_of_their_histograms_for_as_long_as_they_are_inspected(
    inspector, qtbot
):
    plain, one, other = (to_rgba(c) for c in ("yellow", region_colour(0), region_colour(1)))

    def outlined(*expected):
        return layer.nshapes == len(expected) and np.allclose(layer.edge_color, expected)

    layer = draw(inspector, qtbot, ABOVE, BELOW)
    qtbot.waitUntil(lambda: outlined(one, other))
    np.testing.assert_allclose(layer.text.color.array, [one, other], atol=1e-6)
    plot = inspector.region.plot
    qtbot.waitUntil(lambda: plot.figure is not None and plot.current)
    drawn = [patch.get_edgecolor() for patch in plot.figure.axes[0].patches if not patch.fill]
    assert drawn[:2] == [one, other]
    layer.selected_data = {1}
    qtbot.waitUntil(lambda: outlined(plain, one))
    # What is drawn next begins with the colour of what is selected.
    layer.add([np.array(ABOVE)], shape_type="rectangle")
    layer.selected_data = {2}
    qtbot.waitUntil(lambda: outlined(plain, plain, one))
    layer.selected_data = {0, 2}
    qtbot.waitUntil(lambda: outlined(one, plain, other))
    layer.remove_selected()
    qtbot.waitUntil(lambda: outlined(one))
    layer.add([np.array([[1, 0.5], [4, 3.5]])], shape_type="line")
    qtbot.waitUntil(lambda: outlined(plain, plain))
    layer.selected_data = {0}
    qtbot.waitUntil(lambda: outlined(one, plain))
    inspector.parent().close()
    qtbot.waitUntil(lambda: outlined(plain, plain))
    layer.selected_data = {0, 1}
    layer.remove_selected()
    draw(inspector, qtbot, ABOVE)
    assert outlined(plain)


@pytest.mark.parametrize("zoomed", [0.5, 1, 3])
def test_letters_stand_clear_of_the_handles_however_large_the_map_is_shown(
    inspector, qtbot, zoomed
):
    layer = draw(inspector, qtbot, ABOVE, BELOW)
    qtbot.waitUntil(lambda: np.size(layer.text.values) == 2)
    camera = inspector.session.viewer.camera
    camera.zoom *= zoomed
    down, right = layer.text.translation * camera.zoom * layer.scale
    # On the screen a handle reaches 6 pixels from its corner, and a letter is 10 pixels wide.
    assert right + 10 < -6
    assert down - 14 >= 6
