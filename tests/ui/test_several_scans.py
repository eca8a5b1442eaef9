"""The same map of two scans of other steps, in the real dock, against the arrays themselves."""

from time import sleep

import numpy as np
import pytest
import tifffile
from napari.layers.utils._link_layers import get_linked_layers
from pattern_window import Window
from qtpy.QtCore import QPoint, Qt

from napari_kikuchi.explore.several_scans import common_limits
from napari_kikuchi.io import Up2Writer, open_scan
from napari_kikuchi.io.map_store import read_maps
from napari_kikuchi.jobs import Progress
from napari_kikuchi.maps import Channel, MapStack, Mark
from napari_kikuchi.ui import PLUGIN, SEVERAL_SCANS
from napari_kikuchi.ui.layers import layers_of
from napari_kikuchi.ui.link import ScanLink, link_of
from napari_kikuchi.ui.marks import marks_of
from napari_kikuchi.ui.regions import Drawn, grounds
from napari_kikuchi.ui.session import session_of

# By name: rows and columns, and their step in µm.
SCANS = {"coarse": ((8, 10), (0.5, 0.5)), "fine": ((12, 15), (0.25, 0.2))}
# The first column of the fine scan where they lie side by side: the last of the coarse one is at
# 4.5 µm, and the gap, a round number, is a whole number of steps of 0.2 µm.
BESIDE = 5.0
MODEL = {"kind": "vae", "latent": 3, "weights": "a" * 64, "path": "/models/nickel-32.safetensors"}


@pytest.fixture
def stacks(tmp_path):
    """Three maps of each scan by one model; those of the fine scan are larger and shifted."""
    rng = np.random.default_rng(0)
    made = {}
    for size, (name, (shape, step)) in enumerate(SCANS.items(), 1):
        path = tmp_path / f"{name}.up2"
        with Up2Writer(path, shape, (10, 10), step=step) as writer:
            writer.append(rng.integers(0, 60_000, (*shape, 10, 10)).astype(np.uint16))
        values = size * rng.normal(size, size=(3, *shape)).astype(np.float32)
        channels = [Channel(f"feature {i}", score=s) for i, s in ((1, 0.2), (2, 0.9), (3, 0.5))]
        record = {"path": str(path), "name": name, "fingerprint": open_scan(path).fingerprint()}
        made[name] = MapStack(values, channels, step, {"scan": record, "model": MODEL})
    return made


@pytest.fixture
def viewer(make_napari_viewer):
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1400, 900)
    return viewer


@pytest.fixture
def dock(viewer, stacks, qtbot):
    """The dock beside the maps of both scans, whose patterns are open."""
    for stack in stacks.values():
        add_maps(viewer, stack)
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, SEVERAL_SCANS)
    qtbot.waitUntil(lambda: len(dock.session.scans()) == 2)
    return dock


def add_maps(viewer, stack, **options):
    source = ScanLink(session_of(viewer).known(open_scan(stack.provenance["scan"]["path"])))
    for data, attributes, kind in layers_of(stack, source, others=viewer.layers, **options):
        getattr(viewer, f"add_{kind}")(data, **attributes)


def press(qtbot, button):
    assert button.isEnabled(), button.toolTip()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def show_alike(dock, qtbot, name):
    dock.map_choice.setCurrentIndex(dock.map_choice.findData(name))
    press(qtbot, dock.show_button)
    qtbot.waitUntil(lambda: "Shown from" in dock.notice.text())


def visible(viewer):
    return [layer for layer in viewer.layers if layer.visible]


def places(viewer):
    return {layer: tuple(layer.translate) for layer in viewer.layers}


def test_scans_are_listed_and_their_maps_offered_best_first(dock, stacks):
    rows = [dock.scans.topLevelItem(i) for i in range(2)]
    assert [box.text() for box in dock.scans.boxes] == ["coarse", "fine"]
    assert [rows[0].text(i) for i in range(1, 5)] == ["8 × 10", "0.5", "3", "nickel-32"]
    assert rows[1].text(2) == "0.25 × 0.2"
    offered = [dock.map_choice.itemText(i) for i in range(3)]
    assert offered == ["feature 2", "feature 3", "feature 1"]
    marks_of(stacks["fine"]).toggle(0, Mark.STARRED)
    dock.map_choice.showPopup()
    offered = [dock.map_choice.itemText(i) for i in range(3)]
    assert offered == ["★ feature 1", "feature 2", "feature 3"]
    assert dock.map_choice.currentData() == "feature 2"  # the one that is seen
    dock.map_choice.hidePopup()


def test_a_map_of_each_scan_is_shown_alike_and_kept_so(dock, viewer, stacks, qtbot):
    viewer.layers["feature 3"].colormap = "viridis"
    show_alike(dock, qtbot, "feature 3")
    one, other = visible(viewer)
    assert [one.name, other.name] == ["feature 3", "feature 3 (fine)"]
    limits = common_limits([stack.map(2) for stack in stacks.values()])
    for layer in (one, other):
        assert tuple(layer.contrast_limits) == pytest.approx(limits)
        assert layer.colormap.name == "viridis"
    one.contrast_limits = (0, 1)
    assert tuple(other.contrast_limits) == pytest.approx(limits)
    dock.keep_box.click()
    assert tuple(other.contrast_limits) == (0, 1)
    other.contrast_limits, other.colormap = (-1, 2), "magma"
    assert tuple(one.contrast_limits) == (-1, 2)
    assert one.colormap.name == "magma"
    show_alike(dock, qtbot, "feature 1")
    first, second = visible(viewer)
    first.contrast_limits = (0, 3)
    assert tuple(second.contrast_limits) == (0, 3)
    assert tuple(one.contrast_limits) == (-1, 2)
    assert not get_linked_layers(one)
    viewer.layers.remove(second)
    assert not get_linked_layers(first)
    show_alike(dock, qtbot, "feature 1")
    second = viewer.layers["feature 1 (fine)"]
    dock.keep_box.click()
    first.contrast_limits = (0, 4)
    assert tuple(second.contrast_limits) != (0, 4)


def test_scans_lie_in_a_row_with_all_that_lies_on_them_and_go_back(dock, viewer, qtbot):
    show_alike(dock, qtbot, "feature 2")
    coarse, fine = visible(viewer)
    of_fine = [layer for layer in viewer.layers if link_of(layer).source is link_of(fine).source]
    for layer in of_fine:
        layer.translate = (0, 3)
    # What is drawn touches the fine scan, which ends at 5.8 µm, both of them, or neither.
    for name, ends in (("fine", (5, 6)), ("both", (1, 6)), ("neither", (7, 8))):
        viewer.add_shapes([[[1, x] for x in ends]], shape_type="line", name=name)
    grains = np.ones((12, 15), int)
    viewer.add_labels(grains, scale=fine.scale, translate=fine.translate, name="grains")
    moved = [*of_fine, viewer.layers["fine"], viewer.layers["grains"]]
    before = places(viewer)
    assert not dock.back_button.isEnabled()
    press(qtbot, dock.side_button)
    for layer, (y, x) in before.items():
        expected = (y, x + BESIDE - 3) if layer in moved else (y, x)
        assert tuple(layer.translate) == pytest.approx(expected), layer.name
    assert tuple(coarse.translate) == (0, 0)
    press(qtbot, dock.side_button)  # They are.
    assert tuple(fine.translate) == pytest.approx((0, BESIDE))
    since = viewer.add_shapes([[[1, BESIDE], [1, BESIDE + 1]]], shape_type="line", name="since")
    press(qtbot, dock.back_button)
    assert tuple(since.translate) == pytest.approx((0, 3 - BESIDE))
    for layer, place in before.items():
        assert tuple(layer.translate) == pytest.approx(place), layer.name
    assert not dock.back_button.isEnabled()
    assert "No scan has been moved" in dock.back_button.toolTip()


def test_the_cursor_over_either_scan_shows_its_pattern(dock, viewer, qtbot):
    show_alike(dock, qtbot, "feature 2")
    press(qtbot, dock.side_button)
    window = Window(viewer, qtbot)
    qtbot.wait(100)
    camera, canvas = viewer.scene.camera, window.canvas.native

    def place(layer, row, col):
        y, x = (np.array(layer.data_to_world((row, col))) - camera.center[-2:]) * camera.zoom
        return QPoint(round(canvas.width() / 2 + x), round(canvas.height() / 2 + y))

    for layer, name, (row, col) in zip(
        visible(viewer), ("coarse", "fine"), ((3, 7), (4, 11)), strict=True
    ):
        qtbot.mouseMove(canvas, place(layer, row, col))
        window.wait_for(f"row {row}, column {col}")
        subject = dock.session.subject
        assert subject.scan.name == name
        assert subject.layer is layer
        # What is drawn there is measured on that scan, too.
        box = ((1.6, 2.6), (1.6, 5.4), (4.4, 5.4), (4.4, 2.6))
        corners = [layer.data_to_world(corner) for corner in box]
        shapes = viewer.add_shapes([np.array(corners)], shape_type="rectangle")
        ground = next(grounds(dock.session, Drawn(shapes, 0)))
        assert ground.layer is layer
        assert np.ptp(ground.positions, axis=0).tolist() == [2, 2]
        assert ground.positions[0].tolist() == [2, 3]
    dock.session.hold(dock.session.subject)
    mark = viewer.layers["held position"]
    np.testing.assert_allclose(mark.data, [[4 * 0.25, BESIDE + 11 * 0.2]])
    press(qtbot, dock.back_button)
    np.testing.assert_allclose(mark.data, [[4 * 0.25, 11 * 0.2]])
    np.testing.assert_allclose(mark.translate, 0)


def test_a_mosaic_holds_each_map_where_it_lies_and_is_saved(dock, viewer, stacks, qtbot, tmp_path):
    press(qtbot, dock.mosaic_button)
    assert "lie on each other" in dock.notice.text()
    press(qtbot, dock.side_button)
    dock.map_choice.setCurrentIndex(dock.map_choice.findData("feature 1"))
    press(qtbot, dock.mosaic_button)
    qtbot.waitUntil(lambda: "feature 1, mosaic" in viewer.layers)
    layer = viewer.layers["feature 1, mosaic"]
    np.testing.assert_allclose(layer.scale, (0.25, 0.2))
    np.testing.assert_allclose(layer.translate, 0, atol=1e-9)
    coarse, fine = (stack.map(0) for stack in stacks.values())
    assert layer.data.shape == (15, 25 + 15)
    np.testing.assert_allclose(layer.data[:12, 25:], fine, rtol=1e-6)
    # Each second row and each fifth column lie on positions of the coarse scan.
    np.testing.assert_allclose(layer.data[::2, :23:5], coarse[:, ::2], rtol=1e-5)
    between = coarse[0, 0] + 0.4 * (coarse[0, 1] - coarse[0, 0])
    assert layer.data[0, 1] == pytest.approx(between, rel=1e-5)
    assert np.isnan(layer.data[:, 23:25]).all()
    assert np.isnan(layer.data[12:, 23:]).all()
    assert tuple(layer.contrast_limits) == pytest.approx(common_limits([coarse, fine]))

    viewer.layers.selection = {layer}
    for ending in (".zarr", ".tif", ".imagej.tif"):
        assert viewer.layers.save(str(tmp_path / f"both{ending}"), selected=True)
    saved = read_maps(tmp_path / "both.zarr")
    assert (saved.names, saved.step) == (["feature 1, mosaic"], (0.25, 0.2))
    np.testing.assert_array_equal(saved.map(0), layer.data)
    for name in ("both.tif", "both.imagej.tif"):
        np.testing.assert_array_equal(tifffile.imread(tmp_path / name).squeeze(), layer.data)


def test_a_mosaic_that_cannot_be_made_is_refused_and_another_can_be_cancelled(
    dock, viewer, qtbot, monkeypatch
):
    show_alike(dock, qtbot, "feature 2")
    _, fine = visible(viewer)
    fine.translate = (1e6, 1e6)
    count = len(viewer.layers)
    press(qtbot, dock.mosaic_button)
    qtbot.waitUntil(lambda: "is too large" in dock.work.notice.text())
    fine.translate, fine.rotate = (0, 6), 10
    press(qtbot, dock.mosaic_button)
    assert "fine: its map is turned" in dock.notice.text()
    fine.rotate = 0

    def endless(*_):
        while True:
            sleep(0.01)
            yield Progress(1, 2)

    monkeypatch.setattr("napari_kikuchi.ui.mosaic_layer.mosaic", endless)
    press(qtbot, dock.mosaic_button)
    qtbot.waitUntil(lambda: dock.work.bar.maximum() == 2 and dock.work.bar.value() == 1)
    assert not dock.mosaic_button.isEnabled()
    press(qtbot, dock.work.cancel_button)
    assert dock.mosaic_button.isEnabled()
    assert not dock.work.bar.isVisible()
    assert len(viewer.layers) == count


def test_what_does_not_mean_the_same_is_not_shown_but_laid_side_by_side(
    dock, viewer, stacks, qtbot
):
    stack = stacks["fine"]
    other = {**stack.provenance, "model": {**MODEL, "weights": "b" * 64}}
    add_maps(viewer, MapStack(stack.values, stack.channels, stack.step, other))
    coarse, fine, third = dock.scans.boxes
    assert [box.isChecked() for box in (coarse, fine, third)] == [True, True, False]
    fine.click()
    assert "Tick two scans" in dock.notice.text()
    assert not dock.side_button.isEnabled()
    third.click()
    assert "weights aaaaaaaa" in dock.notice.text()
    assert "weights bbbbbbbb" in dock.notice.text()
    for widget in (dock.map_choice, dock.show_button, dock.keep_box, dock.mosaic_button):
        assert not widget.isEnabled()
        assert "see below" in widget.toolTip()
    press(qtbot, dock.side_button)
    assert viewer.layers[-1].translate[1] == pytest.approx(BESIDE)
    coarse.click()
    fine.click()
    assert not dock.side_button.isEnabled()  # two stacks of one scan
    for layer in list(viewer.layers):
        viewer.layers.remove(layer)
    assert dock.scans.boxes == []
    assert "Encode two scans" in dock.notice.text()


def test_maps_that_are_no_layers_come_tied_to_their_scan_and_lie_where_it_does(
    viewer, stacks, qtbot
):
    add_maps(viewer, stacks["coarse"])
    add_maps(viewer, stacks["fine"], limit=2)  # one layer for all of them
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, SEVERAL_SCANS)
    press(qtbot, dock.side_button)
    show_alike(dock, qtbot, "feature 3")
    _, fine = visible(viewer)
    np.testing.assert_array_equal(fine.data, stacks["fine"].map(2))
    assert link_of(fine).channel == 2
    assert link_of(fine).source.scan.name == "fine"
    np.testing.assert_allclose(fine.translate, (0, BESIDE))
    # What comes later, from a form or the feature browser, lies there, too.
    add_maps(viewer, stacks["fine"])
    np.testing.assert_allclose(viewer.layers[-1].translate, (0, BESIDE))
