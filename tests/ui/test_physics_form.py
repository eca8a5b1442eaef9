"""The form of the physics maps, driven as a hand does."""

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from napari_kikuchi.cli.commands import app
from napari_kikuchi.geometry import Geometry
from napari_kikuchi.io.map_store import read_maps, write_maps
from napari_kikuchi.jobs import finish
from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.physics import maps as physics
from napari_kikuchi.physics.indexing import HoughIndexing
from napari_kikuchi.samples import sample_folder
from napari_kikuchi.ui import PHYSICS_MAPS, PLUGIN
from napari_kikuchi.ui.child import JobState
from napari_kikuchi.ui.link import link_of
from napari_kikuchi.ui.physics_maps import PhysicsMaps

FAKE = Path(__file__).with_name("fake_child.py")
SIMPLE = ["quality", "sharpness", "contrast"]
# A process of its own imports first, and the machine may have other things to do.
PATIENCE_MS = 120_000


@pytest.fixture
def open_dock(make_napari_viewer, scan_file):
    """Open the dock over a scan; with a behaviour, its child only pretends to work."""

    def open_it(behaviour=None):
        viewer = make_napari_viewer()
        viewer.open(scan_file, plugin=PLUGIN)
        if behaviour is None:
            _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, PHYSICS_MAPS)
        else:
            dock = PhysicsMaps(viewer, (sys.executable, str(FAKE), behaviour))
            viewer.window.add_dock_widget(dock)
        return dock

    return open_it


@pytest.fixture
def simulated(tmp_path):
    """A simulated scan with its truth beside it."""
    shutil.copytree(sample_folder() / "wrought.truth.zarr", tmp_path / "wrought.truth.zarr")
    return shutil.copy(sample_folder() / "wrought.up1", tmp_path)


def centre(form):
    return tuple(field.value for field in form.indexing.geometry_options.centre)


def store_of(kinds, path, scan):
    """Physics maps of some kinds, as far as the form looks at them."""
    values = np.zeros((1, *scan.map_shape), np.float32)
    write_maps(
        path,
        MapStack(values, [Channel("x")], provenance={"method": "physics", "kinds": kinds}),
    )


def test_one_click_brings_the_three_simple_maps_over_the_scan(
    open_dock, scan_file, tmp_path, qtbot
):
    dock = open_dock()
    panel = dock.form.panel
    assert panel.button.text() == "Make maps"
    panel.button.click()
    assert panel.button.text() == "Cancel"
    layers = dock.session.viewer.layers
    qtbot.waitUntil(lambda: len(layers) == 4 or not panel.job.active, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: len(layers) == 4)
    assert panel.job.state == JobState.DONE, panel.job.message

    expected = finish(physics.physics_maps(dock.scan, SIMPLE, tmp_path / "directly.zarr"))
    shown = list(reversed(layers))[:3]
    assert [layer.name for layer in shown] == expected.names
    assert [layer.visible for layer in shown] == [True, False, False]
    for layer, values in zip(shown, expected.values[:], strict=True):
        np.testing.assert_array_equal(layer.data, values)
        assert tuple(layer.scale) == (0.5, 0.25)
        # The pattern behind each point is that of the scan that was open.
        assert link_of(layer).source is link_of(layers[0]).source
    store = scan_file.with_name("weld.physics.zarr")
    assert read_maps(store).provenance["kinds"] == SIMPLE
    assert dock.form.request().out == store


def test_what_indexing_needs_is_shown_when_it_is_ticked_and_reaches_the_command(
    open_dock, tmp_path, qtbot, monkeypatch
):
    form = open_dock().form
    asked = []

    def ask(scan, kinds, path, **options):
        asked.append((kinds, options))
        raise ValueError("asked")

    monkeypatch.setattr(physics, "physics_maps", ask)

    def run():
        told = CliRunner().invoke(app, form.request().arguments())
        assert "Error asked" in told.output
        return asked.pop()

    assert not form.indexing.isVisibleTo(form)
    kinds, options = run()
    assert kinds == SIMPLE
    assert (options["indexing"], options["recipe"].size) == (None, (10, 10))
    assert options["resume"]

    form.kinds["indexing"].native.click()
    assert form.indexing.isVisibleTo(form)
    assert not form.indexing.cif.native.isVisibleTo(form)
    for kind in SIMPLE:
        form.kinds[kind].native.click()
    options = run()[1]
    assert (options["indexing"], options["grain_threshold"]) == (
        HoughIndexing(Geometry((0.42, 0.22, 0.5))),
        5.0,
    )
    geometry = form.indexing.geometry_options
    for field, value in zip(geometry.centre, (-0.0125, 0.75, 0.6123), strict=True):
        field.value = value
    geometry.convention.value = "edax"
    geometry.tilt.value, geometry.detector_tilt.value = 69.5, -8.2
    form.indexing.threshold.value = 2.5
    form.indexing.phase.value = "file"
    assert form.indexing.cif.native.isVisibleTo(form)
    with pytest.raises(ValueError, match="which CIF file"):
        form.request()
    cif = tmp_path / "austenite steel.cif"
    form.indexing.cif.value = cif
    kinds, options = run()
    assert kinds == ["indexing"]
    assert options["indexing"] == HoughIndexing(
        Geometry((-0.0125, 0.75, 0.6123), "edax", 69.5, -8.2), str(cif)
    )
    assert options["grain_threshold"] == 2.5

    form.kinds["indexing"].native.click()
    assert not form.indexing.isVisibleTo(form)


def test_the_mask_that_was_chosen_for_the_scan_is_that_of_the_maps(open_dock, scan_file, qtbot):
    dock = open_dock("waits")
    mask = np.zeros((5, 5), bool)
    mask[1:4, 2] = True
    dock.session.set_recipe(dock.scan, replace(dock.session.recipe(dock.scan), mask=mask))
    seen = []
    dock.form.panel.reported.connect(seen.append)
    dock.form.panel.button.click()
    qtbot.waitUntil(lambda: len(seen) > 0)
    given = seen[0]["arguments"]
    file = scan_file.with_name("weld.physics.mask.npy")
    assert given[given.index("--mask") + 1] == str(file)
    np.testing.assert_array_equal(np.load(file), mask.repeat(2, axis=0).repeat(2, axis=1))
    dock.session.set_recipe(dock.scan, replace(dock.session.recipe(dock.scan), mask=None))
    assert dock.form.request().mask is None
    dock.form.panel.job.end()


def test_the_geometry_is_the_one_that_files_tell_and_stays_with_its_scan(open_dock, simulated):
    dock = open_dock()
    options = dock.form.indexing.geometry_options
    assert "is not known" in options.notice.text()
    assert centre(dock.form) == (0.42, 0.22, 0.5)
    options.centre[0].value = 0.5
    assert options.notice.text() == ""  # the user's own

    dock.session.viewer.open(simulated, plugin=PLUGIN)
    dock.choice.setCurrentIndex(dock.choice.findText("wrought"))
    assert options.notice.text() == "The geometry is that of wrought.truth.zarr."
    assert centre(dock.form) == (0.42, 0.22, 0.5)
    options.tilt.value = 60
    assert options.notice.text() == ""
    dock.choice.setCurrentIndex(dock.choice.findText("weld"))
    assert (centre(dock.form), options.tilt.value) == ((0.5, 0.22, 0.5), 70)
    dock.choice.setCurrentIndex(dock.choice.findText("wrought"))
    assert options.tilt.value == 60


def test_smaller_sizes_are_offered_and_asked_for(open_dock, simulated):
    dock = open_dock()
    assert dock.form.size.choices == (None,)
    dock.session.viewer.open(simulated, plugin=PLUGIN)
    dock.choice.setCurrentIndex(dock.choice.findText("wrought"))
    assert dock.form.size.choices == (None, (40, 40), (30, 30))
    dock.form.size.value = (30, 30)
    line = dock.form.request().arguments()
    assert line[line.index("--size") + 1] == "30x30"


def test_what_was_cancelled_is_gone_on_with_or_begun_anew(open_dock, scan_file, qtbot):
    form = open_dock("waits").form
    panel, seen = form.panel, []
    panel.reported.connect(seen.append)
    assert not form.panel.restart.isVisibleTo(form)
    panel.button.click()
    qtbot.waitUntil(lambda: len(seen) == 2)
    scan_file.with_name("weld.physics.zarr.partial").mkdir()
    panel.button.click()
    qtbot.waitUntil(lambda: panel.job.state == JobState.STOPPED)
    assert panel.message.text() == "Stopped. What was finished is kept."
    assert panel.button.text() == "Resume"
    assert not form.request().restart
    assert form.panel.restart.isVisibleTo(form)
    form.panel.restart.click()
    assert panel.button.text() == "Make maps"
    assert "--restart" in form.request().arguments()
    # Elsewhere there is nothing to begin anew.
    form.out.value = scan_file.with_name("other.zarr")
    assert not form.panel.restart.isVisibleTo(form)
    assert not form.request().restart


def test_without_pyebsdindex_the_form_names_the_extra_that_brings_it(
    open_dock, tmp_path, monkeypatch, qtbot
):
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "pyebsdindex.py").write_text("raise ImportError('not here')")
    monkeypatch.setenv("PYTHONPATH", str(hidden), prepend=os.pathsep)
    form = open_dock().form
    panel = form.panel
    form.kinds["indexing"].native.click()
    panel.button.click()
    qtbot.waitUntil(lambda: not panel.job.active, timeout=PATIENCE_MS)
    assert panel.job.state == JobState.FAILED
    assert panel.message.text() == (
        'Hough indexing needs PyEBSDIndex: pip install "napari-kikuchi[index]"'
    )
    assert panel.message.isVisibleTo(form)
    assert panel.button.text() == "Make maps"


def test_what_is_missing_is_said_before_anything_runs(open_dock):
    dock = open_dock("waits")
    form = dock.form
    for kind in SIMPLE:
        form.kinds[kind].native.click()
    form.panel.button.click()
    assert form.panel.message.text() == "Tick at least one kind of map."
    dock.session.viewer.layers.clear()
    form.panel.button.click()
    assert form.panel.message.text() == "Open a scan to map it."
    assert form.panel.job.state == JobState.IDLE


def test_maps_take_the_place_of_no_others(open_dock, scan_file):
    dock = open_dock("waits")
    form, place = dock.form, scan_file.with_name("weld.physics.zarr")
    assert form.out.value == place
    store_of(["contrast", "indexing"], place, dock.scan)
    form.kinds["intensity"].native.click()
    assert form.out.value == scan_file.with_name("weld.physics-2.zarr")
    # Made again with more, or told where, they go there.
    form.kinds["indexing"].native.click()
    assert form.out.value == place
    chosen = form.out.value = scan_file.with_name("mine.zarr")
    form.kinds["intensity"].native.click()
    form.kinds["indexing"].native.click()
    assert form.out.value == chosen


def test_maps_made_while_others_are_ticked_are_not_lost_to_them(open_dock, scan_file, qtbot):
    dock = open_dock("waits")
    form, seen = dock.form, []
    form.panel.reported.connect(seen.append)
    form.panel.button.click()
    qtbot.waitUntil(lambda: len(seen) == 2)
    form.kinds["sharpness"].native.click()
    place = scan_file.with_name("weld.physics.zarr")
    assert form.out.value == place
    store_of(SIMPLE, place, dock.scan)
    form.panel.button.click()
    qtbot.waitUntil(lambda: form.panel.job.state == JobState.STOPPED)
    assert form.out.value == scan_file.with_name("weld.physics-2.zarr")


def test_the_scan_is_the_one_that_ran_whatever_is_chosen_meanwhile(open_dock, simulated, qtbot):
    dock = open_dock("pretends")
    viewer = dock.session.viewer
    viewer.open(simulated, plugin=PLUGIN)
    weld = next(scan for scan in dock.session.scans() if scan.name == "weld")
    dock.choice.setCurrentIndex(dock.choice.findText("weld"))
    dock.form.panel.button.click()
    dock.choice.setCurrentIndex(dock.choice.findText("wrought"))
    qtbot.waitUntil(lambda: len(viewer.layers) == 5)
    assert link_of(viewer.layers[-1]).source.scan is weld
