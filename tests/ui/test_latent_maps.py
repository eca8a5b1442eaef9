import gc
import shutil
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
from magicgui.widgets import ComboBox, SpinBox
from napari._app_model import get_app_model
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication

from napari_kikuchi.io import Up2Writer, places
from napari_kikuchi.io.map_store import read_maps
from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.ui import LATENT_MAPS, PLUGIN, models
from napari_kikuchi.ui.child import JobState
from napari_kikuchi.ui.forms import Form
from napari_kikuchi.ui.job_panel import JobPanel
from napari_kikuchi.ui.latent_maps import LatentMaps
from napari_kikuchi.ui.link import ScanLink, link_of
from napari_kikuchi.ui.prepare_form import MaskChoice
from napari_kikuchi.ui.session import session_of
from napari_kikuchi.ui.show_maps import show_stack

FAKE = Path(__file__).with_name("fake_child.py")


@pytest.fixture(autouse=True)
def no_models(tmp_path, monkeypatch):
    """Nobody has used a model here, and none was shipped."""
    monkeypatch.setattr(places, "user_folder", lambda: tmp_path / "user")
    monkeypatch.setattr("napari_kikuchi.ui.model_choice.shipped_models", list)


@pytest.fixture
def scan_file(tmp_path):
    """5 x 6 patterns of a round screen: brighter in the middle, dark in the corners."""
    rows, cols = np.indices((40, 40)) - 19.5
    screen = np.where(np.hypot(rows, cols) < 18, 150, 4)
    noise = np.random.default_rng(0).integers(0, 60, (5, 6, 40, 40))
    with Up2Writer(tmp_path / "weld.up1", (5, 6), (40, 40), step=(0.5, 0.25)) as writer:
        writer.append((screen + noise * (screen > 4)).astype(np.uint8))
    return tmp_path / "weld.up1"


@pytest.fixture
def dock(make_napari_viewer, scan_file):
    """The dock over an open scan, with a child that pretends to work."""

    def make(behaviour="pretends"):
        viewer = make_napari_viewer()
        viewer.open(scan_file, plugin="napari-kikuchi")
        dock = LatentMaps(viewer, (sys.executable, str(FAKE), behaviour))
        viewer.window.add_dock_widget(dock)
        return dock

    return make


def names(dock):
    return [layer.name for layer in dock.session.viewer.layers]


def prepared(dock, qtbot):
    """Wait for and return the preparation of the scan by its recipe."""
    qtbot.waitUntil(lambda: dock.session.preparation(dock.scan) is not None)
    return dock.session.preparation(dock.scan).preprocessor


def test_preparing_shows_its_effect_at_once(dock, qtbot):
    dock = dock()
    form = dock.prepare
    found = prepared(dock, qtbot).mask
    assert 0.55 < found.mean() < 0.7  # the screen covers pi 18² / 40² = 64 %
    qtbot.waitUntil(lambda: form.editor.mask.shape == found.shape)
    np.testing.assert_array_equal(form.editor.mask, found)

    form.size.value = (30, 30)
    form.background.value = "none"
    assert not prepared(dock, qtbot).background.any()
    assert prepared(dock, qtbot).mask.shape == (30, 30)

    form.mask.value = MaskChoice.FRAME
    assert prepared(dock, qtbot).mask.all()
    form.mask.value = MaskChoice.CIRCLE
    form.mask.value = MaskChoice.FOUND
    assert 0.5 < prepared(dock, qtbot).mask.mean() < 0.7

    form.reset.click()
    assert prepared(dock, qtbot).mask.shape == (40, 40)
    assert form.background.value == "sample"


def test_the_mask_is_edited_with_the_mouse(dock, qtbot):
    dock = dock()
    form = dock.prepare
    prepared(dock, qtbot)
    editor = form.editor
    editor.resize(200, 200)  # 5 screen pixels to a pixel of the mask
    qtbot.waitUntil(lambda: editor.mask.shape == (40, 40))

    form.mask.value = MaskChoice.CIRCLE
    qtbot.mousePress(editor, Qt.MouseButton.LeftButton, pos=QPoint(197, 100))
    qtbot.mouseMove(editor, QPoint(150, 100))
    qtbot.mouseRelease(editor, Qt.MouseButton.LeftButton, pos=QPoint(150, 100))
    mask = prepared(dock, qtbot).mask
    assert mask.sum() == pytest.approx(np.pi * 10**2, rel=0.1)  # the rim is where it was let go
    assert mask[20, 20]

    form.mask.value = MaskChoice.PAINTED
    qtbot.mouseClick(editor, Qt.MouseButton.LeftButton, pos=QPoint(10, 10))
    qtbot.mouseClick(editor, Qt.MouseButton.RightButton, pos=QPoint(100, 100))
    painted = prepared(dock, qtbot).mask
    assert painted[2, 2]
    assert not painted[20, 20]
    assert painted[20, 28]


def test_a_first_look_ends_with_maps_over_the_scan(dock, scan_file, qtbot):
    dock = dock()
    dock.first_look.panel.button.click()
    qtbot.waitUntil(lambda: len(names(dock)) == 4)
    # Best on top and alone visible, whatever the order in the store.
    assert names(dock) == ["weld: quick contrast", "feature 1", "feature 2", "feature 3"]
    layers = dock.session.viewer.layers
    assert [layer.visible for layer in layers] == [True, False, False, True]
    assert link_of(layers[3]).source is link_of(layers[0]).source
    assert "does not know" not in dock.first_look.panel.message.text()
    store = read_maps(scan_file.with_name("weld.linear.zarr"))
    np.testing.assert_array_equal(layers[3].data, store.map(2))
    # A second look replaces the first.
    first = set(layers[1:])
    dock.first_look.panel.button.click()
    qtbot.waitUntil(lambda: len(names(dock)) == 4 and not first & set(layers))


def test_a_training_is_shown_as_it_goes_and_leaves_a_model_to_encode_with(dock, scan_file, qtbot):
    dock = dock()
    train = dock.train
    train.minutes.value = 3
    seen = []
    train.panel.reported.connect(seen.append)
    train.panel.button.click()
    qtbot.waitUntil(lambda: train.panel.job.state == JobState.DONE)
    assert " ".join(seen[0]["arguments"]) == (
        f"train {scan_file} --out {scan_file.with_name('weld.principal-32')} --preset principal-32 "
        "--minutes 3.0 --patterns 16000 --watch 0,5,0,6 --background sample --rescale common "
        "--objective vae --beta 1.0 --kl-warm-up 600 --likelihood calibrated --events"
    )
    assert [point for point, _ in train.plot.validation] == [1, 2, 3, 4, 5]
    model = scan_file.with_name("weld.principal-32") / "model.safetensors"
    assert dock.encode.model.path == model
    assert models.recent_models() == [model]
    layers = dock.session.viewer.layers
    qtbot.waitUntil(lambda: layers[-1].name.startswith("training: feature "))
    assert layers[-1].data.shape == (5, 6)
    # The next training would not overwrite this one.
    assert train.folder.value == scan_file.with_name("weld.principal-32-2")

    assert dock.encode.out.value == scan_file.with_name("weld.principal-32.zarr")
    dock.encode.panel.button.click()
    qtbot.waitUntil(lambda: "feature 3" in names(dock))
    # The pretended model has learned nothing.
    assert "does not know patterns like these" in dock.encode.panel.message.text()


def test_scans_of_one_name_are_told_apart_by_their_folders(dock, scan_file, qtbot):
    dock = dock()
    other = scan_file.parent / "again" / scan_file.name
    other.parent.mkdir()
    shutil.copy(scan_file, other)
    dock.session.viewer.open(other, plugin="napari-kikuchi")
    labels = [f"weld ({folder})" for folder in (other.parent, scan_file.parent)]
    assert [dock.choice.itemText(i) for i in range(dock.choice.count())] == labels
    assert [scan.path for scan in dock.train.scans.choices] == [other, scan_file]


def test_a_stopped_training_is_resumed_and_a_trained_model_adapted(dock, scan_file, qtbot):
    dock = dock("waits")
    train = dock.train
    seen = []
    train.panel.reported.connect(seen.append)
    train.panel.button.click()
    qtbot.waitUntil(lambda: len(seen) == 2)
    assert train.panel.button.text() == "Cancel"
    folder = scan_file.with_name("weld.principal-32")
    folder.mkdir()
    (folder / "checkpoint.safetensors").touch()
    train.panel.button.click()
    qtbot.waitUntil(lambda: train.panel.job.state == JobState.STOPPED)
    request = train.request()
    assert (request.folder, request.resume) == (folder, True)
    assert train.panel.button.text() == "Resume"
    # The curve goes on where it was; another training begins its own.
    train.plot.add(1, 2.0, 2.1)
    train.panel.start()
    qtbot.waitUntil(lambda: train.panel.job.state == JobState.RUNNING)
    assert train.plot.validation == [(1, 2.1)]
    train.panel.job.stop()
    qtbot.waitUntil(lambda: train.panel.job.state == JobState.STOPPED)
    train.resume.value = False
    assert train.panel.button.text() == "Train"
    train.panel.start()
    qtbot.waitUntil(lambda: train.panel.job.state == JobState.RUNNING)
    assert train.plot.validation == []
    train.panel.job.stop()
    qtbot.waitUntil(lambda: train.panel.job.state == JobState.STOPPED)

    train.init.choose(folder / "checkpoint.safetensors")
    request = train.request()
    assert (request.init, request.preset) == (folder / "checkpoint.safetensors", None)


def test_an_edited_mask_is_part_of_the_request(dock, qtbot):
    dock = dock()
    prepared(dock, qtbot)
    dock.prepare.mask.value = MaskChoice.FRAME
    request = dock.train.request()
    assert request.mask.all()
    dock.prepare.mask.value = MaskChoice.FOUND
    assert dock.train.request().mask is None


def test_the_time_left_is_reckoned_from_where_a_training_was_resumed(qtbot, monkeypatch):
    now = 100.0
    monkeypatch.setattr("napari_kikuchi.ui.job_panel.monotonic", lambda: now)
    panel = JobPanel("Train", list, command=(sys.executable, str(FAKE), "waits"))
    qtbot.addWidget(panel)
    for done, time in ((40, 100.0), (50, 120.0)):
        now = time
        panel.job.reported.emit({"event": "training", "done": done, "total": 100, "message": "on"})
    # Ten of a hundred took 20 s; fifty are left.
    assert panel.message.text() == "on (50%, about 2 min left)"


def test_what_a_job_warns_of_stays_until_the_next_one(qtbot):
    panel = JobPanel("Train", list, command=(sys.executable, str(FAKE), "warns"))
    qtbot.addWidget(panel)
    panel.show()
    panel.button.click()
    assert not panel.warnings.isVisible()
    qtbot.waitUntil(lambda: not panel.job.active)
    assert panel.warnings.isVisible()
    assert panel.warnings.text() == "2 patterns could not be read\ntoo little memory"
    panel.button.click()
    assert not panel.warnings.isVisible()
    qtbot.waitUntil(lambda: not panel.job.active)


def test_the_wheel_scrolls_a_form_and_changes_no_field_in_passing(qtbot):
    minutes, watch = SpinBox(label="minutes", value=10), ComboBox(label="watch", choices=[1, 2, 3])
    form = Form(minutes, watch)
    qtbot.addWidget(form)
    with qtbot.waitActive(form):
        form.show()
        form.activateWindow()
    form.setFocus()

    def turn(field):
        place = QPointF(field.rect().center())
        event = QWheelEvent(
            place,
            QPointF(field.mapToGlobal(field.rect().center())),
            QPoint(),
            QPoint(0, -120),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(field, event)
        return event.isAccepted()

    # What a field does not accept, Qt hands on to what is around it.
    assert not turn(minutes.native)
    assert not turn(watch.native)
    assert (minutes.value, watch.value) == (10, 1)
    minutes.native.setFocus()
    qtbot.waitUntil(minutes.native.hasFocus)
    assert turn(minutes.native)
    assert minutes.value == 9


def test_a_failed_job_tells_why_in_the_form_and_can_be_started_again(dock, qtbot):
    dock = dock("refuses")
    panel = dock.first_look.panel
    panel.button.click()
    qtbot.waitUntil(lambda: panel.job.state == JobState.FAILED)
    assert panel.message.text() == "scan.up2: expected 100 bytes, found 90"
    assert panel.button.text() == "First look"
    assert panel.button.isEnabled()


def test_what_is_missing_is_said_before_anything_runs(dock, qtbot):
    dock = dock()
    dock.encode.panel.button.click()
    assert "Choose a model" in dock.encode.panel.message.text()
    assert dock.encode.panel.job.state == JobState.IDLE


def test_closing_the_window_ends_the_job(dock, qtbot):
    dock = dock("waits")
    job = dock.first_look.panel.job
    events = []
    job.reported.connect(events.append)
    dock.first_look.panel.button.click()
    qtbot.waitUntil(lambda: len(events) == 2)
    dock.session.viewer.close()
    qtbot.waitUntil(lambda: not job.active)
    assert events[-1]["event"] == "stopped"


def test_a_dock_that_is_closed_goes_on_with_its_work_and_comes_back(
    make_napari_viewer, scan_file, qtbot
):
    viewer = make_napari_viewer(show=True)
    viewer.open(scan_file, plugin=PLUGIN)

    dock, widget = viewer.window.add_plugin_dock_widget(PLUGIN, LATENT_MAPS)
    widget.train.panel.job._command = (sys.executable, str(FAKE), "waits")
    kept, job = weakref.ref(widget), widget.train.panel.job
    del widget
    events = []
    job.reported.connect(events.append)
    kept().train.panel.button.click()
    qtbot.waitUntil(lambda: len(events) == 2)
    dock.title.close_button.click()
    del dock
    qtbot.waitUntil(lambda: any(LATENT_MAPS in name for name in viewer.window.dock_widgets))
    gc.collect()
    qtbot.wait(50)
    assert job.state == JobState.RUNNING
    assert not kept().isVisible()
    get_app_model().commands.execute_command("napari-kikuchi.latent_maps").result()
    assert kept().isVisible()
    kept().train.panel.button.click()
    qtbot.waitUntil(lambda: job.state == JobState.STOPPED)

    # Without work it may go.
    dock, _ = viewer.window.add_plugin_dock_widget(PLUGIN, LATENT_MAPS)
    dock.title.close_button.click()
    qtbot.wait(50)
    assert not any(LATENT_MAPS in name for name in viewer.window.dock_widgets)


def test_many_maps_come_in_the_feature_browser(make_napari_viewer, qtbot):
    viewer = make_napari_viewer()
    values = np.arange(65 * 4, dtype=np.float32).reshape(65, 2, 2)
    stack = MapStack(values, [Channel(f"feature {i + 1}", score=i) for i in range(65)])
    show_stack(session_of(viewer), stack, ScanLink())
    qtbot.waitUntil(lambda: [layer.name for layer in viewer.layers] == ["feature 65"])
