"""What is drawn on maps is measured, in the real dock, against the arrays themselves."""

import numpy as np
import pandas
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMessageBox
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


def test_a_map_that_another_hides_is_told_so(inspector, qtbot):
    viewer = inspector.session.viewer

    def titles():
        figure = inspector.line.line_plot.figure
        axes = [] if figure is None else figure.axes[: len(inspector.line.curves)]
        return [one.get_title(loc="left") for one in axes]

    draw(inspector, qtbot, "Line", [[1, 0.5], [4, 3.5]])
    qtbot.waitUntil(lambda: titles() == ["feature 2", "feature 4, covered"])
    viewer.layers["feature 2"].opacity = 0.6
    qtbot.waitUntil(lambda: titles() == ["feature 2", "feature 4"])
    viewer.layers["feature 2"].opacity = 1
    qtbot.waitUntil(lambda: titles() == ["feature 2", "feature 4, covered"])
    viewer.layers["feature 2"].blending = "additive"
    qtbot.waitUntil(lambda: titles() == ["feature 2", "feature 4"])
    # What is saved of it has the name of the map.
    viewer.layers["feature 2"].blending = "opaque"
    qtbot.waitUntil(lambda: titles() == ["feature 2", "feature 4, covered"])
    assert "feature 4" in inspector.line.table()


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
    # A click on a profile holds the pattern there, as one on a pattern does.
    plot = line.plot
    qtbot.waitUntil(lambda: plot.current)
    profile, *_, strip, _less = plot.figure.axes
    inside = np.mean(profile.get_ylim())
    for place, held in (
        (plot.place(profile, 1.52, inside), (4, 6)),
        (plot.place(strip, 0.9, 0.1), (4, 15)),
    ):
        qtbot.mouseClick(plot, Qt.MouseButton.LeftButton, pos=place.toPoint())
        subject = inspector.session.subject
        assert inspector.session.held
        assert (subject.row, subject.col) == held


def test_a_path_goes_from_click_to_click(inspector, window, qtbot):
    qtbot.mouseClick(inspector.tools.buttons["Path"], Qt.MouseButton.LeftButton)
    for corner in ((2, 2), (2, 10), (8, 10)):
        window.move(*corner)
        qtbot.wait(100)  # napari draws the next corner where the cursor was last
        window.click(*corner)
        qtbot.wait(500)  # else two clicks are a double click, which ends the path
    window.key(Qt.Key.Key_Escape)
    (path,) = window.viewer.layers["regions"].data
    np.testing.assert_allclose(path, [[1, 0.5], [1, 2.5], [4, 2.5]], atol=0.1)
    qtbot.waitUntil(lambda: inspector.line.curves != [])
    assert inspector.line.curves[0].profile.distances[-1] == pytest.approx(5, abs=0.3)


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
    qtbot.waitUntil(lambda: "lies outside the map of weld" in inspector.line.notice.text())
    assert inspector.line.table() == {}
    shapes.add_lines(np.array([[2.0, 2.0], [2.0, 2.2]]))
    qtbot.waitUntil(lambda: "is 0.2 µm long, and a step" in inspector.line.notice.text())
    shapes.add_lines(np.array([[2.0, 2.0], [2.0, 2.0]]))
    qtbot.waitUntil(lambda: "two points that lie apart" in inspector.line.notice.text())
    shapes.add_lines(np.array([[2.0, 2.0], [2.0, 30.0]]))
    qtbot.waitUntil(lambda: inspector.line.curves != [])
    # Of 113 points 8 lie on the map.
    told = inspector.line.notice.text()
    assert (
        told
        == "26.2 of 28 µm of the line lie outside the map of weld and are left out of the profile."
    )
    found = inspector.line.curves[0].profile.values
    assert np.isfinite(found).sum() == 8
    assert np.isnan(found[8:]).all()
    shapes.add_lines(np.array([[2.0, 1.0], [2.0, 3.0]]))
    qtbot.waitUntil(lambda: inspector.line.notice.text() == "")
    shapes.selected_data = {3, 4}
    qtbot.waitUntil(lambda: "26.2 of 28 µm of line a lie outside" in inspector.line.notice.text())


def test_what_is_found_of_a_shape_that_is_gone_does_no_harm(inspector, qtbot):
    shapes = draw(inspector, qtbot, "Line", [[1, 0.5], [4, 3.5]])
    qtbot.waitUntil(lambda: inspector.line.strip is not None)
    shapes.selected_data = {0}
    shapes.remove_selected()
    inspector.line.changed.emit()  # before the inspector has looked again
    qtbot.waitUntil(lambda: inspector.pages.currentWidget() is inspector.invitation)


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


def test_a_region_is_measured_on_the_visible_maps(inspector, stack, patterns, qtbot):
    region = inspector.region
    draw(inspector, qtbot, "Box", [[0.9, 0.4], [0.9, 1.6], [3.1, 1.6], [3.1, 0.4]])
    qtbot.waitUntil(lambda: region.tiles != [])
    assert inspector.pages.currentWidget() is region
    # Rows 2 to 6 and columns 2 to 6.
    assert region.title.text() == "weld: 25 positions, 3.12 µm²"
    for shown, channel in zip(region.maps, (1, 3), strict=True):
        inside = stack.map(channel)[2:7, 2:7]
        assert shown.values[0].count == 25
        assert shown.values[0].mean == pytest.approx(inside.mean(), abs=1e-6)
        assert shown.values[0].deviation == pytest.approx(inside.std(), abs=1e-6)
        assert shown.histograms.places.sum() == 25
        assert shown.histograms.rest.sum() == 12 * 16 - 25
    scan = inspector.session.scans()[0]
    background = inspector.session.preparation(scan).background
    mean = patterns[2:7, 2:7].mean(axis=(0, 1)) - background
    shown = region.tiles[0].pattern
    np.testing.assert_allclose(shown, np.where(np.isnan(shown), np.nan, mean), rtol=1e-4, atol=0.1)


def test_one_position_is_a_region_too(inspector, stack, qtbot):
    region = inspector.region
    draw(inspector, qtbot, "Box", [[0.9, 0.4], [0.9, 0.6], [1.1, 0.6], [1.1, 0.4]])
    qtbot.waitUntil(lambda: region.tiles != [])
    assert "1 position," in region.title.text()
    values = region.maps[0].values[0]
    assert (values.count, values.deviation) == (1, 0)
    assert values.mean == pytest.approx(stack.map(1)[2, 2])


@pytest.mark.parametrize("corner", [(100, 100), (1.1, 0.3)])
def test_a_region_without_a_position_says_so(inspector, qtbot, corner):
    region = inspector.region
    (top, left), size = corner, 0.1
    draw(inspector, qtbot, "Box", [[0.9, 0.4], [0.9, 1.6], [3.1, 1.6], [3.1, 0.4]])
    qtbot.waitUntil(lambda: region.maps != [])
    bottom, right = top + size, left + size
    draw(inspector, qtbot, "Box", [[top, left], [top, right], [bottom, right], [bottom, left]])
    qtbot.waitUntil(lambda: "The region holds no position of weld" in region.notice.text())
    assert inspector.pages.currentWidget() is region
    assert region.title.text() == ""
    assert region.table() == {}
    assert not inspector.saving.table_button.isEnabled()


def test_a_region_that_leaves_the_map_says_how_much_of_it(inspector, qtbot):
    region = inspector.region
    # Rows 2 to 6; columns 13 to 22, of which the map has 13 to 15.
    shapes = draw(inspector, qtbot, "Box", [[0.9, 3.2], [0.9, 5.6], [3.1, 5.6], [3.1, 3.2]])
    qtbot.waitUntil(lambda: region.title.text() == "weld: 15 positions, 1.88 µm²")
    expected = "4.38 of 6.25 µm² of the region lie outside the map of weld and are left out."
    assert region.notice.text() == expected
    assert region.notice.isVisible()
    shapes.add_lines(np.array([[1, 0.5], [4, 3.5]]))
    shapes.selected_data = {0, 1}
    told = f"{expected} 1 selected line is not measured together with regions."
    qtbot.waitUntil(lambda: region.notice.text() == told)
    draw(inspector, qtbot, "Box", [[0.9, 0.4], [0.9, 1.6], [3.1, 1.6], [3.1, 0.4]])
    shapes.selected_data = {0, 2}
    qtbot.waitUntil(lambda: region.notice.text() == expected.replace("the region", "region a"))
    shapes.selected_data = {2}
    qtbot.waitUntil(lambda: region.notice.text() == "")


def test_lines_selected_with_a_region_are_told_not_to_be_measured(inspector, qtbot):
    shapes = draw(inspector, qtbot, "Box", [[0.9, 0.4], [0.9, 1.6], [3.1, 1.6], [3.1, 0.4]])
    shapes.add_lines(np.array([[1, 0.5], [4, 3.5]]))
    shapes.selected_data = {0, 1}
    told = inspector.region.notice
    qtbot.waitUntil(lambda: "1 selected line is not measured" in told.text())
    qtbot.waitUntil(lambda: inspector.region.tiles != [])
    assert told.isVisible()
    shapes.selected_data = {0}
    qtbot.waitUntil(lambda: told.text() == "")


def test_two_regions_are_compared(inspector, stack, patterns, qtbot):
    region = inspector.region
    boxes = [[[t, 0.4], [t, 1.6], [t + 1.2, 1.6], [t + 1.2, 0.4]] for t in (0.9, 2.9)]
    shapes = draw(inspector, qtbot, "Box", *boxes)
    shapes.selected_data = {0, 1}
    qtbot.waitUntil(lambda: region.bands is not None)
    assert region.title.text().count("15 positions") == 2
    for place, rows in enumerate((slice(2, 5), slice(6, 9))):
        expected = stack.map(1)[rows, 2:7]
        assert region.maps[0].values[place].mean == pytest.approx(expected.mean(), abs=1e-6)
    difference = region.tiles[2]
    assert difference.diverging
    one, other = (patterns[rows, 2:7].reshape(15, 10, 10) for rows in (slice(2, 5), slice(6, 9)))
    scan = inspector.session.scans()[0]
    preparation = inspector.session.preparation(scan)
    mask = preparation.preprocessor.mask
    parts = [each.mean(axis=0) / each.mean(axis=0)[mask].mean() for each in (one, other)]
    signs = np.sign(parts[0] - parts[1])[mask]
    np.testing.assert_array_equal(np.sign(difference.pattern[mask]), signs)
    assert "No band differs" in region.told.text()  # there are none
    # Letters on the map tell which is which.
    assert list(shapes.text.values) == ["a", "b"]
    shapes.selected_data = {1}
    qtbot.waitUntil(lambda: not np.any(shapes.text.values == "a"))


def test_what_is_measured_is_saved(inspector, stack, qtbot, tmp_path):
    assert inspector.saving.figure_button.isEnabled()  # of the map alone
    assert not inspector.saving.table_button.isEnabled()
    assert "Nothing is measured" in inspector.saving.table_button.toolTip()
    draw(inspector, qtbot, "Line", [[2, 0], [2, 3.75]])
    qtbot.waitUntil(lambda: inspector.line.strip is not None)
    assert inspector.saving.table_button.isEnabled()
    inspector.saving.save_table(tmp_path / "wall.csv")
    qtbot.waitUntil((tmp_path / "wall.csv").exists)
    found = pandas.read_csv(tmp_path / "wall.csv")
    np.testing.assert_allclose(found["distance (µm)"], 0.25 * np.arange(16))
    np.testing.assert_allclose(found["feature 2"], stack.map(1)[4], atol=1e-5)
    inspector.saving.save_figure(tmp_path / "wall.png")
    qtbot.waitUntil((tmp_path / "wall.svg").exists)
    text = (tmp_path / "wall.svg").read_text()
    for told in ("feature 2", "distance (µm)", "difference", stack.provenance["scan"]["name"]):
        assert told in text
    assert (tmp_path / "wall.png").stat().st_size > 10_000


def test_a_figure_replaces_no_file_that_was_not_asked_about(inspector, qtbot, tmp_path):
    inspector.saving.save_figure(tmp_path / "wall.png")
    svg = tmp_path / "wall.svg"
    qtbot.waitUntil(svg.exists)
    svg.write_text("drawn over")
    inspector.saving.save_figure(tmp_path / "wall.png")
    (box,) = inspector.saving.findChildren(QMessageBox)
    assert "wall.svg" in box.text()
    assert svg.read_text() == "drawn over"
    next(button for button in box.buttons() if button.text() == "Replace").click()
    qtbot.waitUntil(lambda: svg.read_text() != "drawn over")


def test_colour_bars_are_those_of_the_visible_maps(inspector, qtbot):
    layers = inspector.session.viewer.layers

    def barred():
        return {
            layer.name
            for layer in layers
            if getattr(layer, "colorbar", None) is not None and layer.colorbar.visible
        }

    assert barred() == set()
    inspector.colour_bars.click()
    assert barred() == {"feature 2", "feature 4"}
    layers["feature 2"].visible = False
    qtbot.waitUntil(lambda: barred() == {"feature 4"})
    inspector.colour_bars.click()
    assert barred() == set()
