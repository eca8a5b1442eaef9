"""The pattern viewer in a real window, moved by a real mouse and real keys."""

import threading
from itertools import pairwise

import numpy as np
from pattern_window import PLUGIN, Window, toned
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QCheckBox, QWidget

from napari_kikuchi.explore.averages import average_pattern
from napari_kikuchi.io import open_scan
from napari_kikuchi.jobs import finish
from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.preprocess import prepare
from napari_kikuchi.recipe import Recipe
from napari_kikuchi.ui import PATTERN_VIEWER
from napari_kikuchi.ui.layers import layers_of
from napari_kikuchi.ui.link import ScanLink
from napari_kikuchi.ui.pattern_views import View
from napari_kikuchi.ui.pointer import MARKER
from napari_kikuchi.ui.reader import navigator_layer
from napari_kikuchi.ui.show_maps import open_browser


def test_the_pattern_under_the_cursor_is_shown_held_and_stepped(window, patterns):
    window.move(3, 5)
    window.wait_for("row 3, column 5  ·  1.5, 1.25 µm")
    assert window.patterns.scan_label.text() == "weld  ·  10 × 10 pixels"
    raw = toned(View.RAW, patterns[3, 5].astype(np.float32))
    np.testing.assert_allclose(window.patterns.panes.image(View.RAW), raw, atol=1e-6)

    # A click holds it, and the cursor moves on without it.
    window.click(4, 6)
    window.wait_for("row 4, column 6")
    assert window.session.held
    assert window.patterns.hold_button.isChecked()
    window.move(9, 9)
    window.qtbot.wait(50)
    assert "row 4, column 6" in window.patterns.position.text()
    marker = window.viewer.layers[MARKER]
    np.testing.assert_allclose(marker.data, [[2.0, 1.5]])
    assert window.viewer.layers.selection.active is window.viewer.layers[0]

    # Arrow keys step, with Shift by ten, and stop at the edge.
    window.key(Qt.Key.Key_Right)
    window.wait_for("row 4, column 7")
    window.key(Qt.Key.Key_Up)
    window.wait_for("row 3, column 7")
    window.key(Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    window.wait_for("row 3, column 15")
    np.testing.assert_allclose(marker.data, [[1.5, 3.75]])
    raw = toned(View.RAW, patterns[3, 15].astype(np.float32))
    np.testing.assert_allclose(window.patterns.panes.image(View.RAW), raw, atol=1e-6)

    # Another click releases.
    window.click(2, 2)
    window.wait_for("row 2, column 2")
    assert not window.session.held
    assert MARKER not in window.viewer.layers
    # The mouse of who draws draws.
    window.viewer.add_shapes().mode = "add_rectangle"
    window.click(7, 7)
    assert not window.session.held


def test_views_scales_and_recipes(window, patterns):
    show, controls = window.patterns.panes, window.patterns.controls
    scan = window.session.subject.scan
    window.wait_for_views(View.RAW, View.CORRECTED)
    mean = patterns.mean(axis=(0, 1))
    corrected = toned(View.CORRECTED, (patterns[6, 8] - mean).astype(np.float32))
    np.testing.assert_allclose(show.image(View.CORRECTED), corrected, atol=1e-3)

    recipe = Recipe(size=(5, 5), background="none")
    window.session.set_recipe(scan, recipe)
    controls.choose(View.PREPROCESSED)
    window.wait_for_views(View.PREPROCESSED)
    prepared = finish(prepare(scan, recipe))(patterns[6, 8])
    np.testing.assert_allclose(
        show.image(View.PREPROCESSED), toned(View.PREPROCESSED, prepared), atol=1e-5
    )

    # Limits kept: a brighter pattern is brighter. Positions grow brighter along the scan.
    controls.choose(View.RAW)
    window.wait_for_views(View.RAW)
    controls.autoscale_once.click()
    window.session.step(5, 5)
    window.wait_for("row 11, column 13")
    assert show.image(View.RAW).mean() == 1
    controls.autoscale_always.click()
    window.qtbot.waitUntil(lambda: show.image(View.RAW).mean() < 0.9)
    before = show.image(View.RAW).mean()
    controls.tones.setCurrentText("log")
    window.qtbot.waitUntil(lambda: show.image(View.RAW).mean() > before)
    controls.colormap.setCurrentText("viridis")
    controls.gamma.setValue(0.5)
    assert show.model.layers["raw"].colormap.name == "viridis"
    assert show.model.layers["raw"].gamma == 0.5


def test_the_mean_pattern_of_a_region_is_held(window, patterns):
    # Rows 2 to 4 and columns 3 to 8, in µm.
    corners = np.array([[0.9, 0.7], [0.9, 2.1], [2.1, 2.1], [2.1, 0.7]])
    window.patterns.region_button.click()
    assert not window.session.held
    window.viewer.add_shapes([corners], shape_type="rectangle", units=("um", "um"))
    window.patterns.region_button.click()
    window.wait_for("mean of 18 patterns")
    mean = patterns[2:5, 3:9].mean(axis=(0, 1)).astype(np.float32)
    image = window.patterns.panes.image(View.RAW)
    np.testing.assert_allclose(image, toned(View.RAW, mean), atol=1e-4)
    assert window.patterns.hold_button.isChecked()
    window.patterns.hold_button.click()
    window.move(1, 1)
    window.wait_for("row 1, column 1")


def test_the_region_of_a_scan_is_averaged_wherever_the_cursor_has_been(
    window, patterns, tmp_path, write_scan, monkeypatch
):
    scan = window.session.subject.scan
    other = open_scan(write_scan(tmp_path / "other.up2", patterns[::-1]))
    data, attributes, _ = navigator_layer(other)
    window.viewer.add_image(data, **attributes, translate=(0, 30))
    corners = np.array([[0.9, 0.7], [0.9, 2.1], [2.1, 2.1], [2.1, 0.7]])
    window.viewer.add_shapes([corners], shape_type="rectangle", units=("um", "um"))
    # On its way to the button the cursor has passed over the other scan.
    window.session.point_at(window.patterns._pointer.point_at((1.0, 31.0)))
    assert window.session.subject.scan is other
    window.patterns.region_button.click()
    window.wait_for("mean of 18 patterns")
    assert window.session.subject.scan is scan
    window.session.release()

    # The mean of a scan that was closed meanwhile is of no use.
    free = threading.Event()

    def held_up(*arguments):
        free.wait(10)
        return (yield from average_pattern(*arguments))

    monkeypatch.setattr("napari_kikuchi.ui.region_mean.average_pattern", held_up)
    button = window.patterns.region_button
    button.click()
    assert button.text() == "cancel"
    window.viewer.layers.remove(window.viewer.layers[0])
    free.set()
    window.qtbot.waitUntil(lambda: button.text() == "region mean")
    assert not window.session.held
    # No other scan lies under the region.
    button.click()
    assert button.text() == "region mean"


def test_the_values_are_those_of_the_maps_that_are_shown(window, qtbot):
    scan = window.session.subject.scan
    values = np.arange(70, dtype=np.float32)[:, None, None] + np.zeros((1, *scan.map_shape))
    channels = [Channel(f"feature {i + 1}", score=i) for i in range(70)]
    text = window.patterns.values
    browser = open_browser(window.session)
    browser.show_stack(MapStack(values.astype(np.float32), channels, scan.step), ScanLink(scan))
    qtbot.waitUntil(lambda: text.text() == "feature 70 69")
    browser.next()
    qtbot.waitUntil(lambda: text.text() == "feature 69 68")
    window.viewer.layers.remove(browser.current.layer)
    assert text.text() == ""


def test_values_of_the_best_maps_stand_beside_the_pattern(window, stack):
    scan = window.session.subject.scan
    for data, attributes, _ in layers_of(stack, ScanLink(scan)):
        window.viewer.add_image(data, **attributes)
    assert window.patterns.values.text().count("feature") == 4  # without a move of the cursor
    window.session.step(0, 1)
    window.wait_for("row 6, column 9")
    expected = [f"feature {i} {stack.values[i - 1, 6, 9]:.3g}" for i in (2, 4, 3, 1)]
    assert window.patterns.values.text() == "  ·  ".join(expected)

    # The pattern stays as long as a layer of its scan does.
    window.viewer.layers.pop(0)
    assert window.session.subject.layer in window.viewer.layers
    window.viewer.layers.clear()
    assert window.session.subject is None
    assert not window.session.held
    assert window.patterns.panes.shown == []
    assert window.patterns.values.isHidden()


def test_a_long_notice_lies_over_nothing(window, qtbot):
    panel = window.patterns
    # Another dock takes all the height it can get.
    other = QWidget()
    other.setMinimumHeight(550)
    window.viewer.window.add_dock_widget(other)
    window.viewer.window._qt_window.resizeDocks(
        [panel.parent(), other.parent()], [1, 1000], Qt.Orientation.Vertical
    )
    panel.notice.tell("The model expects another screen. " * 12)
    lines = panel.notice.heightForWidth(panel.notice.width())
    assert lines >= 5 * panel.fontMetrics().height()

    def apart():
        column = [panel.panes, panel.position, panel.notice, panel.controls]
        rows = [widget.geometry() for widget in column]
        return panel.notice.height() >= lines and all(
            above.bottom() < below.top() for above, below in pairwise(rows)
        )

    qtbot.wait(100)  # for the docks to settle
    qtbot.waitUntil(apart)
    panel.notice.tell("")
    assert panel.notice.isHidden()


def test_in_a_narrow_dock_all_that_can_be_chosen_is_read(window, qtbot):
    panel = window.patterns
    window.viewer.window._qt_window.resizeDocks([panel.parent()], [1], Qt.Orientation.Horizontal)
    qtbot.waitUntil(lambda: panel.width() <= 390)
    boxes = panel.controls.findChildren(QCheckBox)
    assert [box.text() for box in boxes if box.width() < box.sizeHint().width()] == []


def test_where_a_scan_was_stopped_nothing_is_shown(make_napari_viewer, scan_file, qtbot):
    scan_file.write_bytes(scan_file.read_bytes()[: 42 + 100 * 200])
    viewer = make_napari_viewer(show=True)
    data, attributes, _ = navigator_layer(open_scan(scan_file, allow_partial=True))
    viewer.add_image(data, **attributes)
    window = Window(viewer, qtbot)
    window.wait_for("row 5, column 8")
    window.wait_for_views(View.RAW, View.CORRECTED)
    window.session.step(1, 0)
    window.wait_for("row 6, column 8  ·  no pattern here")
    assert window.patterns.panes.shown == []
    window.session.step(0, -5)
    window.wait_for("row 6, column 3  ·  3, 0.75 µm")
    window.wait_for_views(View.RAW, View.CORRECTED)


def test_a_scan_that_has_moved_is_located(make_napari_viewer, stack, scan_file, qtbot, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    moved = scan_file.rename(tmp_path / "elsewhere" / "weld.up2")
    viewer = make_napari_viewer(show=True)
    for data, attributes, _ in layers_of(stack):
        viewer.add_image(data, **attributes)
    window = Window(viewer, qtbot)
    notice = window.patterns.notice
    qtbot.waitUntil(lambda: "not found" in notice.text())
    assert str(scan_file) in notice.text()
    assert not window.patterns.locate_button.isHidden()
    source = viewer.layers[0].metadata[PLUGIN].source
    window.session.open_link(source, moved)
    window.wait_for("row 6, column 8")
    assert notice.text() == ""
    assert window.patterns.locate_button.isHidden()
    # All layers of the stack are mended at once.
    assert {layer.metadata[PLUGIN].source.scan for layer in viewer.layers} == {source.scan}


def test_a_recipe_that_does_not_fit_is_told_of(window):
    scan = window.session.subject.scan
    window.patterns.controls.choose(View.RAW, View.PREPROCESSED)
    window.wait_for_views(View.RAW, View.PREPROCESSED)
    window.session.set_recipe(scan, Recipe(size=(60, 60)))
    notice = window.patterns.notice
    window.qtbot.waitUntil(lambda: "60 x 60" in notice.text(), timeout=10_000)
    window.wait_for_views(View.RAW)
    # Only as long as it is wanted.
    window.patterns.controls.choose(View.RAW)
    assert notice.text() == ""
    window.patterns.controls.choose(View.RAW, View.PREPROCESSED)
    assert "60 x 60" in notice.text()


def test_the_marker_stays_above_layers_that_come_later(window):
    window.session.step(0, 1)
    layers = window.viewer.layers
    selected = window.viewer.add_image(np.zeros((12, 16)))
    window.qtbot.waitUntil(lambda: layers[-1].name == MARKER)
    assert set(layers.selection) == {selected}


def test_closing_lets_go_of_the_viewer_and_opening_again_takes_up(window):
    window.session.step(0, 1)
    assert MARKER in window.viewer.layers
    callbacks = window.viewer.mouse_move_callbacks
    count = len(callbacks)
    window.patterns.parent().destroyOnClose()
    assert len(callbacks) == count - 1
    assert MARKER not in window.viewer.layers
    window.session.step(0, 1)
    window.viewer.window.add_plugin_dock_widget(PLUGIN, PATTERN_VIEWER)
    window.wait_for("row 6, column 10")


def test_of_two_scans_the_one_under_the_cursor_is_meant(window, patterns, tmp_path, write_scan):
    other = open_scan(write_scan(tmp_path / "other.up2", patterns[::-1]))
    data, attributes, _ = navigator_layer(other)
    window.viewer.add_image(data, **attributes, translate=(0, 100))
    pointer = window.patterns._pointer
    assert pointer.point_at((1.0, 1.0)).scan is not other
    point = pointer.point_at((1.0, 101.0))
    assert (point.scan, point.row, point.col) == (other, 2, 4)
    assert pointer.point_at((1.0, 50.0)) is None
    window.viewer.layers[-1].visible = False
    assert pointer.point_at((1.0, 101.0)) is None


def test_a_pattern_that_cannot_be_read_is_told_of_until_one_can(window, scan_file):
    content = scan_file.read_bytes()
    notice = window.patterns.notice
    scan_file.unlink()
    window.session.step(0, 1)
    window.qtbot.waitUntil(lambda: "cannot be shown" in notice.text())
    scan_file.write_bytes(content)
    window.session.step(0, 1)
    window.wait_for("row 6, column 10")
    assert notice.text() == ""
