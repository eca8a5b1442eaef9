"""The points of a latent space and the map, in the real window."""

import numpy as np
import pytest
from napari.layers import Layer
from qtpy.QtCore import QPoint, Qt

from napari_kikuchi.io import open_scan
from napari_kikuchi.jobs import Progress
from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.ui import LATENT_SPACE, PLUGIN, latent_space, point_cloud
from napari_kikuchi.ui.layers import layers_of
from napari_kikuchi.ui.link import ScanLink, link_of
from napari_kikuchi.ui.point_cloud import Method
from napari_kikuchi.ui.writer import stack_of

GRAIN = np.s_[3:9, 9:15]
FEATURES = 6
ORANGE, BLUE = 2, 1  # levels of the plot


@pytest.fixture
def maps(scan_file):
    """Six features of a scan in which one grain differs from all else, and its contrast."""
    scan = open_scan(scan_file)
    rng = np.random.default_rng(0)
    values = rng.normal(scale=0.3, size=(FEATURES + 1, *scan.map_shape)).astype(np.float32)
    values[:FEATURES, *GRAIN] += 4
    channels = [Channel(f"feature {i + 1}", score=1.0 + i) for i in range(FEATURES)]
    channels.append(Channel("pattern contrast", score=20.0))
    return MapStack(values, channels, scan.step, {"model": {"latent": FEATURES}})


@pytest.fixture
def dock(window, maps, qtbot):
    """The dock in a window in which the scan and its maps are open."""
    viewer = window.viewer
    (scan,) = window.session.scans()
    for data, attributes, kind in layers_of(maps, ScanLink(scan)):
        viewer.layers.append(Layer.create(data, attributes, kind))
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, LATENT_SPACE)
    wait_for_points(dock, qtbot)
    qtbot.wait(200)  # The canvas has made room for the dock.
    return dock


def wait_for_points(dock, qtbot):
    qtbot.waitUntil(lambda: dock.panel._view is not None and not dock.panel._drawing.active)
    return dock.panel._view


def press(qtbot, button):
    assert button.isEnabled(), button.toolTip()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def encircle(dock, qtbot, outline):
    """Drag the mouse over the plot, through places in the coordinates of its axes."""
    plot = dock.panel.plot
    places = plot.axes.transData.transform(outline) / plot.device_pixel_ratio
    points = [QPoint(round(x), round(plot.height() - y)) for x, y in places]
    qtbot.mousePress(plot, Qt.MouseButton.LeftButton, pos=points[0])
    for point in points[1:]:
        qtbot.mouseMove(plot, point)
    qtbot.mouseRelease(plot, Qt.MouseButton.LeftButton, pos=points[-1])


def around_the_grain(view):
    """An outline around its points, which lie apart from all others."""
    inside = np.zeros(view.cloud.index.shape, bool)
    inside[GRAIN] = True
    points = view.points[view.cloud.index[inside]]
    low, high = points.min(axis=0) - 0.5, points.max(axis=0) + 0.5
    angle = np.linspace(0, 2 * np.pi, 60) + np.pi  # from the side on which the others lie
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    left, right, bottom, top = view.extent
    outline = (low + high) / 2 + (high - low) / np.sqrt(2) * circle
    return np.clip(outline, (left, bottom), (right, top))


def lit(dock, level, row, col):
    """Whether the point of a position is lit up in the plot."""
    image = dock.panel.plot._pictures[level]
    if not image.get_visible():
        return False
    picture, view = image.get_array(), dock.panel._view
    left, right, bottom, top = view.extent
    across, up = view.at(row, col)
    size = np.array(picture.shape[:2])
    place = np.array([(top - up) / (top - bottom), (across - left) / (right - left)]) * size
    return picture[tuple(place.astype(int))][3] > 0


def test_what_is_encircled_among_the_points_is_selected_on_the_map(dock, window, qtbot):
    view = wait_for_points(dock, qtbot)
    assert "Encircle" in dock.panel.status.text()
    encircle(dock, qtbot, around_the_grain(view))
    qtbot.waitUntil(lambda: "selection" in window.viewer.layers)
    layer = window.viewer.layers["selection"]
    expected = np.zeros(layer.data.shape, np.uint8)
    expected[GRAIN] = 1
    qtbot.waitUntil(lambda: (np.asarray(layer.data) == expected).all())
    np.testing.assert_allclose(layer.scale, window.viewer.layers["feature 1"].scale)
    qtbot.waitUntil(lambda: "36 selected" in dock.panel.status.text())
    assert lit(dock, ORANGE, 5, 10)
    assert not lit(dock, ORANGE, 0, 0)
    press(qtbot, dock.panel.clear_button)
    qtbot.waitUntil(lambda: "Encircle" in dock.panel.status.text())
    assert not lit(dock, ORANGE, 5, 10)
    assert not dock.panel.clear_button.isEnabled()


def test_what_is_painted_and_what_is_drawn_on_the_map_lights_up(dock, window, qtbot):
    viewer = window.viewer
    press(qtbot, dock.panel.paint_button)
    layer = viewer.layers.selection.active
    assert (layer.name, layer.mode) == ("selection", "paint")
    layer.paint((2, 3), 1)
    qtbot.waitUntil(lambda: lit(dock, ORANGE, 2, 3))
    assert not lit(dock, ORANGE, 10, 3)
    # µm: rows 8 to 10, columns 2 to 5
    shapes = viewer.add_shapes(
        [np.array([[4, 0.5], [5, 0.5], [5, 1.25], [4, 1.25]])], units=("um", "um")
    )
    qtbot.waitUntil(lambda: lit(dock, BLUE, 9, 3))
    assert "in the region drawn" in dock.panel.status.text()
    assert lit(dock, ORANGE, 2, 3)
    shapes.data = [shapes.data[0] - (3, 0)]
    qtbot.waitUntil(lambda: lit(dock, BLUE, 3, 3) and not lit(dock, BLUE, 9, 3))
    viewer.layers.remove(shapes)
    viewer.layers.remove(layer)
    qtbot.waitUntil(lambda: "Encircle" in dock.panel.status.text())


def test_the_position_under_the_cursor_is_marked_among_the_points(dock, window, qtbot):
    for row, col in ((5, 10), (1, 2)):
        window.move(row, col)
        window.wait_for(f"row {row}, column {col}")
        assert dock.panel.plot.marked == dock.panel._view.at(row, col)


def test_axes_and_colours_are_as_chosen(dock, window, maps, qtbot):
    plot = dock.panel.plot
    dock.axes[0].setCurrentIndex(3)
    qtbot.waitUntil(lambda: plot.axes.get_xlabel().startswith("component 4"))
    assert plot.axes.get_ylabel().startswith("component 2")
    white = np.asarray(plot._pictures[0].get_array())
    assert (white[..., :3] == white[0, 0, :3]).all() or (white[white[..., 3] > 0][:, :3].std() < 1)
    dock.colour.setCurrentText("feature 3")
    layer = window.viewer.layers["feature 3"]
    layer.colormap = "green"

    def green():
        picture = np.asarray(plot._pictures[0].get_array())
        return picture[..., 1].max() > 200 and picture[..., 0].max() == 0

    qtbot.waitUntil(green)
    window.viewer.layers.remove(layer)
    qtbot.waitUntil(lambda: not green())
    assert dock.colour.currentText() == "density"


def test_a_component_chosen_on_both_axes_changes_places(dock):
    across, up = dock.axes
    for axis, chosen, expected in ((across, 1, (1, 0)), (up, 1, (0, 1)), (up, 3, (0, 3))):
        axis.setCurrentIndex(chosen)
        assert (across.currentIndex(), up.currentIndex()) == expected


def test_the_nearest_patterns_are_listed_shown_and_mapped(dock, window, maps, qtbot):
    nearest = dock.nearest
    window.click(3, 9)
    window.wait_for("row 3, column 9")
    press(qtbot, nearest.button)
    name = "distance to row 3, column 9"
    qtbot.waitUntil(lambda: name in window.viewer.layers)
    layer = window.viewer.layers[name]
    features = maps.values[:FEATURES]
    expected = np.linalg.norm(features - features[:, 3, 9][:, None, None], axis=0)
    np.testing.assert_allclose(layer.data, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(layer.scale, maps.step)
    qtbot.waitUntil(lambda: nearest.list.count() > 0)
    assert "another grain" in nearest.notice.text()
    assert nearest.notice.isVisible()
    row, col = nearest._found[0]
    assert expected[row, col] < 2
    assert nearest.list.item(0).text().startswith(f"row {row}, column {col}")
    place = nearest.list.visualItemRect(nearest.list.item(0)).center()
    qtbot.mouseClick(nearest.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    window.wait_for(f"row {row}, column {col}")
    assert window.session.held


def test_three_maps_become_a_picture_that_can_be_saved(dock, window, maps, qtbot):
    composite = dock.composite
    # The best features to begin with; the contrast is none.
    assert [choice.currentText() for choice in composite.choices] == [
        "feature 6",
        "feature 5",
        "feature 4",
    ]
    composite.choices[1].setCurrentText("pattern contrast")
    press(qtbot, composite.button)
    names = ["feature 6 (red)", "pattern contrast (green)", "feature 4 (blue)"]
    qtbot.waitUntil(lambda: all(name in window.viewer.layers for name in names))
    layers = [window.viewer.layers[name] for name in names]
    assert [layer.colormap.name for layer in layers] == ["red", "green", "blue"]
    assert [layer.blending for layer in layers[1:]] == ["additive", "additive"]
    assert [link_of(layer).channel for layer in layers] == [5, 6, 3]
    saved = stack_of([layer.as_layer_data_tuple() for layer in layers])
    assert set(saved.names) == set(names)
    assert saved.provenance == maps.provenance
    # Asked for again, it is there already, and is seen.
    count = len(window.viewer.layers)
    layers[2].visible = False
    window.viewer.layers["feature 1"].visible = True
    window.viewer.layers.move(window.viewer.layers.index("feature 1"), count)
    press(qtbot, composite.button)
    qtbot.waitUntil(lambda: list(window.viewer.layers[-3:]) == layers)
    qtbot.waitUntil(lambda: set(window.viewer.layers.selection) == set(layers))
    assert all(layer.visible for layer in layers)
    assert len(window.viewer.layers) == count


def test_a_layout_can_be_cancelled_and_the_other_chosen_again(dock, qtbot, monkeypatch):
    def endless(vectors):
        for done in range(10_000):
            yield Progress(done, 10_000)

    monkeypatch.setattr(point_cloud, "umap", endless)
    monkeypatch.setattr(latent_space, "has_umap", lambda: True)
    choose(dock, qtbot, Method.UMAP)
    qtbot.waitUntil(lambda: dock.row.bar.isVisible())
    assert dock.panel._view is None
    for widget in (*dock.axes, dock.colour, dock.panel.paint_button):
        assert not widget.isEnabled()
        assert widget.toolTip() == "Being laid out"
    press(qtbot, dock.row.cancel_button)
    assert not dock.row.bar.isVisible()
    choose(dock, qtbot, Method.COMPONENTS)
    wait_for_points(dock, qtbot)
    assert dock.axes[0].isEnabled()
    assert dock.axes[0].toolTip() == "What the plot shows across"


def choose(dock, qtbot, method):
    """As a hand does, of which the box tells by another signal than of a program."""
    dock.method.setCurrentText(str(method))
    dock.method.activated.emit(dock.method.currentIndex())


def test_a_failure_is_told(dock, qtbot, monkeypatch):
    def fail(vectors):
        yield Progress(0, 0)
        raise ValueError("too few positions")

    monkeypatch.setattr(point_cloud, "umap", fail)
    choose(dock, qtbot, Method.UMAP)
    qtbot.waitUntil(lambda: dock.row.notice.text() == "too few positions")
    assert dock.row.notice.isVisible()
    assert not dock.row.bar.isVisible()


def test_without_umap_it_is_told_how_to_get_it(make_napari_viewer, monkeypatch):
    monkeypatch.setattr(latent_space, "has_umap", lambda: False)
    _, dock = make_napari_viewer().window.add_plugin_dock_widget(PLUGIN, LATENT_SPACE)
    item = dock.method.model().item(1)
    assert not item.isEnabled()
    assert "pip install" in item.toolTip()


def test_where_there_are_no_maps_nothing_can_be_done(dock, window, qtbot):
    window.viewer.layers.clear()
    qtbot.waitUntil(lambda: dock.panel._view is None)
    for widget in (
        dock.stacks,
        dock.method,
        *dock.axes,
        dock.colour,
        dock.panel.paint_button,
        dock.nearest.button,
        dock.composite.button,
        *dock.composite.choices,
    ):
        assert not widget.isEnabled()
    assert "Encode a scan" in dock.stacks.toolTip()
    assert dock.nearest.button.toolTip()
    for widget in (*dock.axes, dock.colour, dock.panel.paint_button):
        assert widget.toolTip() == "There are no maps to explore"
    assert dock.panel.plot.marked is None
