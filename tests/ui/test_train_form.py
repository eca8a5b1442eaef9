"""The training that runs, and the form in which the next one is set up."""

import sys
from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_kikuchi.io import open_scan, places
from napari_kikuchi.recipe import Recipe
from napari_kikuchi.training import CHECKPOINT_FILE
from napari_kikuchi.ui.child import JobState
from napari_kikuchi.ui.latent_maps import LatentMaps
from napari_kikuchi.ui.prepare_form import MaskChoice
from napari_kikuchi.ui.reader import navigator_layer

FAKE = Path(__file__).with_name("fake_child.py")


@pytest.fixture
def open_another(tmp_path, patterns, write_scan):
    """Open a scan of this name in the viewer of a dock."""

    def open_it(viewer, name):
        scan = open_scan(write_scan(tmp_path / f"{name}.up2", patterns))
        data, attributes, _ = navigator_layer(scan)
        viewer.add_image(data, **attributes)
        return scan

    return open_it


@pytest.fixture
def form(qtbot, tmp_path, monkeypatch, open_another):
    """The form in its dock over the scans a and b; a is chosen."""
    monkeypatch.setattr(places, "user_folder", lambda: tmp_path / "user")
    monkeypatch.setattr("napari_kikuchi.ui.model_choice.shipped_models", list)
    docks = []

    def make(behaviour):
        viewer = ViewerModel()
        open_another(viewer, "a")
        dock = LatentMaps(viewer, (sys.executable, str(FAKE), behaviour))
        qtbot.addWidget(dock)
        docks.append(dock)
        open_another(viewer, "b")
        dock.train.dock, dock.viewer = dock, viewer  # who holds a viewer keeps it alive
        return dock.train

    yield make
    for dock in docks:
        dock.train.panel.job.end()


def choose(form, name):
    dock = form.dock
    dock.choice.setCurrentIndex([scan.name for scan in dock.session.scans()].index(name))


def ended(form, qtbot):
    qtbot.waitUntil(lambda: not form.panel.job.active)
    return form.panel.job.state


def test_a_training_ends_as_it_began_whatever_is_chosen_meanwhile(form, tmp_path, qtbot):
    form = form("waits")
    trained = []
    form.trained.connect(trained.append)
    form.panel.button.click()
    folder = tmp_path / "a.principal-32"
    choose(form, "b")
    form.model.value = "linear"
    folder.mkdir()
    (folder / CHECKPOINT_FILE).touch()
    (folder / "model.safetensors").touch()
    form.panel.button.click()
    assert ended(form, qtbot) == JobState.STOPPED
    assert trained == [str(folder / "model.safetensors")]
    # The form is about the other scan now.
    assert form.folder.value == tmp_path / "b.linear"
    assert not form.resume.value


def test_a_training_that_fails_leaves_its_folder_and_what_there_is_to_resume(form, tmp_path, qtbot):
    form = form("crashes")
    folder = tmp_path / "mine"
    form.folder.value = folder
    form.panel.button.click()
    assert ended(form, qtbot) == JobState.FAILED
    assert form.folder.value == folder

    folder.mkdir(exist_ok=True)
    (folder / CHECKPOINT_FILE).touch()
    form.folder.value = tmp_path / "other"
    form.folder.value = folder
    form.resume.value = True
    form.panel.button.click()
    assert ended(form, qtbot) == JobState.FAILED
    assert (form.folder.value, form.resume.value) == (folder, True)

    # Nobody has asked to go on with a training that was found there.
    form.resume.value = False
    form.panel.button.click()
    assert ended(form, qtbot) == JobState.FAILED
    assert not form.resume.value


def test_a_training_that_crashes_on_its_way_can_be_resumed(form, tmp_path, qtbot):
    form = form("crashes")
    form.folder.value = folder = tmp_path / "mine"
    form.panel.button.click()
    folder.mkdir()
    (folder / CHECKPOINT_FILE).touch()
    event = {"event": "training", "done": 1, "total": 2, "step": 1, "validation_loss": 2.0}
    form.panel.job.reported.emit(event)
    assert ended(form, qtbot) == JobState.FAILED
    assert form.panel.button.text() == "Resume"


def test_a_folder_that_was_typed_in_stays_when_another_scan_is_opened(form, tmp_path, open_another):
    form = form("waits")
    form.folder.value = tmp_path / "mine"
    added = open_another(form.dock.session.viewer, "c")
    form.scans.value = [form.dock.scan, added]
    assert form.request().scans[1] is added
    assert form.folder.value == tmp_path / "mine"
    choose(form, "c")
    assert form.folder.value == tmp_path / "c.principal-32"


@pytest.mark.parametrize("step", ["train", "first look"])
def test_a_request_leaves_the_disk_alone_until_the_job_is_started(form, tmp_path, step, qtbot):
    form = form("waits")
    form.dock.prepare.mask.value = MaskChoice.FRAME
    if step == "train":
        folder = form.folder.value
        assert form.request().mask.all()
        assert not folder.exists()
        panel = form.panel
    else:
        folder, panel = tmp_path / "a.linear", form.dock.first_look.panel
    seen = []
    panel.reported.connect(seen.append)
    panel.button.click()
    qtbot.waitUntil(lambda: len(seen) > 0)
    given = seen[0]["arguments"]
    assert given[given.index("--mask") + 1] == str(folder / "mask.npy")
    assert np.load(folder / "mask.npy").all()
    panel.job.end()


def test_all_that_can_be_prepared_reaches_principal_components(form):
    form = form("waits")
    prepare = form.dock.prepare
    prepare.background.value = "exact"
    prepare.rescale.value = "range"
    prepare.mask.value = MaskChoice.FRAME
    form.model.value = "linear"
    request = form.request()
    asked = Recipe(
        size=request.size,
        background=request.background,
        rescale=request.rescale,
        mask=request.mask,
    )
    recipe = form.dock.session.recipe(form.dock.scan)
    assert asked.settings() == recipe.settings()
    np.testing.assert_array_equal(asked.mask, recipe.mask)
