"""What is drawn on maps is measured, in the real dock, against the arrays themselves."""

import numpy as np
import pytest
from qtpy.QtCore import Qt
from scipy import ndimage

from napari_kikuchi.maps import MapStack
from napari_kikuchi.ui import INSPECTOR, PLUGIN
from napari_kikuchi.ui.layers import layers_of
from napari_kikuchi.ui.link import link_of


@pytest.fixture
def inspector(window, stack):
    """The inspector beside an open scan of which there are four maps, of which two are visible."""
    viewer = window.viewer
    source = link_of(viewer.layers[0]).source
    for data, attributes, _ in layers_of(stack, source):
        viewer.add_image(data, **attributes)
    viewer.layers[0].visible = False
    viewer.layers["feature 2"].visible = viewer.layers["feature 4"].visible = True
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, INSPECTOR)
    return dock


def draw(inspector, qtbot, tool, *shapes):
    """Press a tool and draw shapes in µm, as a hand does."""
    button = inspector.tools.buttons[tool]
    assert button.isEnabled()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    layer = inspector.session.viewer.layers.selection.active
    assert str(layer.mode).startswith("add_")
    kinds = {"Line": "line", "Path": "path", "Box": "rectangle", "Lasso": "polygon"}
    for shape in shapes:
        layer.add([np.array(shape, float)], shape_type=kinds[tool])
    return layer


def test_a_line_gives_the_profiles_of_the_visible_maps(inspector, stack, qtbot):
    draw(inspector, qtbot, "Line", [[1, 0.5], [4, 3.5]])
    qtbot.waitUntil(lambda: len(inspector.line.curves) == 2)
    assert inspector.pages.currentWidget() is inspector.line
    assert [curve.name for curve in inspector.line.curves] == ["feature 2", "feature 4"]
    # Rows lie 0.5 µm apart, columns 0.25 µm: three µm each way.
    distances = np.arange(0, np.hypot(3, 3), 0.25)
    rows = (1 + distances / np.sqrt(2)) / 0.5
    cols = (0.5 + distances / np.sqrt(2)) / 0.25
    for curve, channel in zip(inspector.line.curves, (1, 3), strict=True):
        expected = ndimage.map_coordinates(stack.map(channel), [rows, cols], order=1)
        np.testing.assert_allclose(curve.profile.distances, distances)
        np.testing.assert_allclose(curve.profile.values, expected, atol=1e-5)
    assert "4.24 µm" in inspector.line.title.text()


def test_moved_and_turned_layers_change_nothing_that_is_drawn_on_them(inspector, stack, qtbot):
    viewer = inspector.session.viewer
    shapes = draw(inspector, qtbot, "Line", [[1, 0.5], [4, 3.5]])
    qtbot.waitUntil(lambda: len(inspector.line.curves) == 2)
    before = inspector.line.curves[0].profile.values
    for layer in (viewer.layers["feature 2"], shapes):
        layer.affine.translate = (30, -20)
        layer.affine.rotate = 35
        layer.affine = layer.affine
    viewer.layers["feature 4"].visible = False
    qtbot.waitUntil(lambda: len(inspector.line.curves) == 1)
    np.testing.assert_allclose(inspector.line.curves[0].profile.values, before, atol=1e-5)


def test_the_features_and_the_patterns_along_a_line_follow(inspector, stack, patterns, qtbot):
    line = inspector.line
    draw(inspector, qtbot, "Line", [[2, 0], [2, 3.75]])  # all of row 4
    qtbot.waitUntil(lambda: line.strip is not None and line.features is not None)
    assert sorted(line.features.names) == sorted(stack.names)
    shown = line.features.values[line.features.names.index("feature 3")]
    values = stack.map(2)
    np.testing.assert_allclose(shown, (values[4] - values.mean()) / values.std(), rtol=1e-5)
    assert line.strip.places[:, 0].tolist() == [4] * 6
    assert line.strip.places[:, 1].tolist() == [0, 3, 6, 9, 12, 15]
    scan = inspector.session.scans()[0]
    prepare = inspector.session.preparation(scan).preprocessor
    expected = prepare(patterns[4, [0, 3, 6, 9, 12, 15]])
    np.testing.assert_allclose(np.nan_to_num(line.strip.patterns), expected, atol=1e-6)
    # A click on the plot holds the pattern there.
    line.plot.pointed.emit(1.52)
    subject = inspector.session.subject
    assert inspector.session.held
    assert (subject.row, subject.col) == (4, 6)


def test_several_lines_are_averaged(inspector, stack, qtbot):
    shapes = draw(inspector, qtbot, "Line", *[[[row, 0.5], [row, 2.5]] for row in (1, 2, 3)])
    shapes.selected_data = {0, 1, 2}
    qtbot.waitUntil(lambda: "mean of 3 lines" in inspector.line.title.text())
    expected = stack.map(1)[[2, 4, 6], 2:11]
    found = inspector.line.curves[0].profile
    np.testing.assert_allclose(found.distances, np.arange(-4, 5) / 4)
    np.testing.assert_allclose(found.values, expected.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(found.deviation, expected.std(axis=0), atol=1e-5)


def test_a_line_that_leaves_the_map_is_followed_as_far_as_there_are_values(inspector, qtbot):
    shapes = draw(inspector, qtbot, "Line", [[100, 100], [105, 100]])
    qtbot.wait(200)
    assert inspector.pages.currentWidget() is inspector.invitation
    shapes.add_lines(np.array([[2.0, 2.0], [2.0, 2.0]]))
    qtbot.wait(200)
    assert inspector.pages.currentWidget() is inspector.invitation
    shapes.add_lines(np.array([[2.0, 2.0], [2.0, 30.0]]))
    qtbot.waitUntil(lambda: inspector.line.curves != [])
    found = inspector.line.curves[0].profile.values
    assert np.isfinite(found).sum() == 8
    assert np.isnan(found[8:]).all()


def test_where_there_is_nothing_to_draw_on_the_tools_say_so(make_napari_viewer, qtbot):
    viewer = make_napari_viewer(show=True)
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, INSPECTOR)
    for button in dock.tools.buttons.values():
        assert not button.isEnabled()
        assert "Open a scan" in button.toolTip()


def test_maps_without_their_scan_are_measured_without_patterns(make_napari_viewer, stack, qtbot):
    viewer = make_napari_viewer(show=True)
    alone = MapStack(stack.values, stack.channels, stack.step)
    for data, attributes, _ in layers_of(alone):
        viewer.add_image(data, **attributes)
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, INSPECTOR)
    draw(dock, qtbot, "Line", [[2, 0], [2, 3]])
    qtbot.waitUntil(lambda: dock.line.features is not None)
    assert dock.line.strip is None
    assert not dock.line.less.isEnabled()
    assert "not open" in dock.line.less.toolTip()
