"""The pattern viewer in a real window, moved by a real mouse and real keys."""

import os
import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QWidget

from napari_kikuchi.io import open_scan
from napari_kikuchi.jobs import finish
from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.preprocess import Recipe, mean_pattern, prepare
from napari_kikuchi.ui import PATTERN_VIEWER
from napari_kikuchi.ui.layers import layers_of
from napari_kikuchi.ui.link import ScanLink
from napari_kikuchi.ui.pattern_viewer import PatternViewer
from napari_kikuchi.ui.pattern_views import View, tone, view_limits
from napari_kikuchi.ui.pointer import MARKER
from napari_kikuchi.ui.reader import navigator_layer
from napari_kikuchi.ui.session import session_of
from napari_kikuchi.ui.show_maps import open_browser

PLUGIN = "napari-kikuchi"


class Window:
    """A viewer with a scan in it, and what a hand does there."""

    def __init__(self, viewer, qtbot):
        self.viewer = viewer
        self.qtbot = qtbot
        self.session = session_of(viewer)
        self.canvas = viewer.window._qt_viewer.canvas

    @property
    def patterns(self):
        widgets = self.viewer.window.dock_widgets.values()
        return next(widget for widget in widgets if isinstance(widget, PatternViewer))

    def place(self, row, col):
        """Where on the canvas a scan position is."""
        layer = self.viewer.layers[0]
        world = np.array(layer.data_to_world((row, col)))
        offset = (world - self.viewer.scene.camera.center[-2:]) * self.viewer.scene.camera.zoom
        size = self.canvas.native.size()
        return QPoint(round(size.width() / 2 + offset[1]), round(size.height() / 2 + offset[0]))

    def move(self, row, col):
        self.qtbot.mouseMove(self.canvas.native, self.place(row, col))

    def click(self, row, col):
        self.move(row, col)
        self.qtbot.mouseClick(
            self.canvas.native, Qt.MouseButton.LeftButton, pos=self.place(row, col)
        )

    def key(self, key, modifier=Qt.KeyboardModifier.NoModifier):
        self.qtbot.keyClick(self.canvas.native, key, modifier)

    def wait_for(self, text):
        self.qtbot.waitUntil(lambda: text in self.patterns.position.text(), timeout=10_000)

    def wait_for_views(self, *views):
        self.qtbot.waitUntil(lambda: self.patterns.panes.shown == list(views), timeout=10_000)


@pytest.fixture
def window(make_napari_viewer, scan_file, qtbot):
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1400, 900)
    viewer.open(scan_file, plugin=PLUGIN)
    window = Window(viewer, qtbot)
    window.wait_for("row 6, column 8")
    qtbot.wait(50)
    return window


def toned(view, values):
    return tone(values, view_limits(view, values))


def test_the_pattern_under_the_cursor_is_shown_held_and_stepped(window, patterns):
    window.move(3, 5)
    window.wait_for("row 3, column 5  ·  y 1.5, x 1.25 µm")
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
    controls.log.click()
    window.qtbot.waitUntil(lambda: show.image(View.RAW).mean() > before)
    controls.colormap.setCurrentText("viridis")
    controls.gamma.setValue(0.5)
    assert show.model.layers["raw"].colormap.name == "viridis"
    assert show.model.layers["raw"].gamma == 0.5


class Halving:
    """An encoder that gives back half of every pattern."""

    kind, latent, recipe = "halving", 25, Recipe(size=(5, 5), background="none")

    def encode(self, patterns):
        return patterns.reshape(len(patterns), -1)

    def decode(self, features):
        return features.reshape(-1, 5, 5) / 2


def test_a_model_reconstructs(window, patterns):
    controls = window.patterns.controls
    controls.choose(View.RECONSTRUCTED, View.DIFFERENCE)
    assert controls.views == ()
    window.session.set_encoder(Halving(), Path("half.safetensors"))
    assert controls.model_button.text() == "half"
    controls.choose(View.RECONSTRUCTED, View.DIFFERENCE)
    window.wait_for_views(View.RECONSTRUCTED, View.DIFFERENCE)
    prepared = finish(prepare(window.session.subject.scan, Halving.recipe))(patterns[6, 8])
    panes = window.patterns.panes
    np.testing.assert_allclose(
        panes.image(View.RECONSTRUCTED), toned(View.RECONSTRUCTED, prepared / 2), atol=1e-4
    )
    np.testing.assert_allclose(
        panes.image(View.DIFFERENCE), toned(View.DIFFERENCE, -prepared / 2), atol=1e-4
    )


def test_a_feature_is_moved_and_the_pattern_changes(window):
    controls, panes = window.patterns.controls, window.patterns.panes
    assert not controls.traversal.isVisible()
    window.session.set_encoder(Halving(), Path("half.safetensors"))
    controls.choose(View.RECONSTRUCTED, View.TRAVERSAL)
    window.wait_for_views(View.RECONSTRUCTED, View.TRAVERSAL)
    assert controls.traversal.isVisible()
    assert controls.traversal.feature.maximum() == 25
    np.testing.assert_array_equal(panes.image(View.TRAVERSAL), panes.image(View.RECONSTRUCTED))
    controls.traversal.feature.setValue(14)
    controls.traversal.by.setValue(-5)

    def changed():
        return np.argwhere(panes.image(View.TRAVERSAL) != panes.image(View.RECONSTRUCTED)).tolist()

    window.qtbot.waitUntil(lambda: changed() == [[2, 3]])


def test_the_feature_of_the_selected_map_is_the_one_to_move(window, stack):
    for data, attributes, _ in layers_of(stack):
        window.viewer.add_image(data, **attributes)
    feature = window.patterns.controls.traversal.feature
    window.viewer.layers.selection.active = window.viewer.layers["feature 3"]
    assert feature.value() == 3
    window.viewer.layers.selection.active = window.viewer.layers["feature 2"]
    assert feature.value() == 2


def test_a_model_leaves_the_recipes_of_the_scans_alone(window, patterns):
    scan = window.session.subject.scan
    drawn = Recipe(size=(10, 10), mask=np.eye(10, dtype=bool))
    window.session.set_recipe(scan, drawn)
    window.patterns.controls.choose(View.PREPROCESSED, View.RECONSTRUCTED)
    window.session.set_encoder(Halving(), Path("half.safetensors"))
    window.wait_for_views(View.PREPROCESSED, View.RECONSTRUCTED)
    assert window.session.recipe(scan) is drawn
    assert window.patterns.panes.image(View.PREPROCESSED).shape == (10, 10)
    assert window.patterns.panes.image(View.RECONSTRUCTED).shape == (5, 5)


def test_the_model_of_the_maps_that_came_last_reconstructs_unless_one_was_chosen(
    window, tmp_path, monkeypatch
):
    loaded = []

    def load(path):
        loaded.append(path)
        return Halving()

    monkeypatch.setattr("napari_kikuchi.latent.encoder.load_encoder", load)
    first, second, third = (tmp_path / f"{name}.safetensors" for name in "abc")
    for path in (first, second, third):
        path.touch()
    button = window.patterns.controls.model_button
    window.session.offer_encoder(first)
    assert button.text() == "a"
    window.patterns.controls.choose(View.RECONSTRUCTED)
    window.wait_for_views(View.RECONSTRUCTED)
    window.session.offer_encoder(second)
    assert button.text() == "b"
    window.qtbot.waitUntil(lambda: window.session.encoder is not None)
    assert loaded == [first, second]
    # The same one again is no news; written anew, it is.
    window.session.offer_encoder(second)
    assert window.session.encoder is not None
    os.utime(second, ns=(0, 0))
    window.session.offer_encoder(second)
    window.qtbot.waitUntil(lambda: window.session.encoder is not None)
    assert loaded == [first, second, second]

    window.session.set_encoder(Halving(), first)
    window.session.offer_encoder(third)
    assert button.text() == "a"

    long = "a-name-with-too-many-letters-for-a-button"
    window.session.set_encoder(Halving(), tmp_path / f"{long}.safetensors")
    start, end = button.text().split("…")
    assert long.startswith(start)
    assert long.endswith(end)
    assert button.fontMetrics().horizontalAdvance(button.text()) < button.width()


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
        return (yield from mean_pattern(*arguments))

    monkeypatch.setattr("napari_kikuchi.ui.region_mean.mean_pattern", held_up)
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
    window.wait_for("row 6, column 3  ·  y 3, x 0.75 µm")
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
