"""The form of orientations, driven as a hand does."""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.explore.orientations import orientations_in
from napari_kikuchi.io.map_store import read_maps
from napari_kikuchi.orientation.simulated_scan import simulate_spot_scan
from napari_kikuchi.orientation.spot_calibration import SpotCalibration
from napari_kikuchi.samples import sample_folder
from napari_kikuchi.ui import PLUGIN
from napari_kikuchi.ui.child import JobState
from napari_kikuchi.ui.link import link_of
from napari_kikuchi.ui.orientations import Orientations
from napari_kikuchi.ui.pattern_scale import pattern_scales_of
from napari_kikuchi.ui.spot_sources import spot_sources_of
from spot_file import write_spot_file

FAKE, COARSE = (Path(__file__).with_name(name) for name in ("fake_child.py", "coarse_child.py"))
# A process of its own imports first, and the machine may have other things to do.
PATIENCE_MS = 200_000


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """A scan of copper in a file, and its truth."""
    scan, truth = simulate_spot_scan((10, 12), [Crystal.built_in("cu")], seed=1)
    return write_spot_file(tmp_path_factory.mktemp("sample") / "weld.hspy", scan), truth


@pytest.fixture
def scan_file(sample, tmp_path):
    """The scan in a folder in which nothing else is."""
    return Path(shutil.copy(sample[0], tmp_path / "weld.hspy"))


@pytest.fixture
def open_dock(make_napari_viewer, scan_file):
    """Open the dock over the scan, with a child that only pretends to work."""

    def open_it(*command):
        viewer = make_napari_viewer(show=True)
        viewer.window.resize(1400, 900)
        viewer.open(scan_file, plugin=PLUGIN)
        dock = Orientations(viewer, (sys.executable, *map(str, command or (FAKE, "waits"))))
        viewer.window.add_dock_widget(dock)
        return dock

    return open_it


def add_phases(dock, qtbot, *sources):
    phases = dock.form.phases
    for source in sources:
        count = len(phases.phases)
        phases.add(source)
        qtbot.waitUntil(lambda count=count: len(phases.phases) > count, timeout=PATIENCE_MS)


def rows_of(phases):
    items = [phases.table.topLevelItem(row) for row in range(phases.table.topLevelItemCount())]
    return [[item.text(column) for column in range(3)] for item in items]


def options_of(form):
    """The command line but for the scan, as a text."""
    command, _, *options = form.request().arguments()
    assert command == "orient"
    return " ".join(options)


def test_one_button_brings_maps_spots_and_what_they_tell(open_dock, sample, scan_file, qtbot):
    truth = sample[1]
    dock = open_dock(COARSE, scan_file.with_name("cache"))
    viewer, form, page = dock.session.viewer, dock.form, dock.page
    add_phases(dock, qtbot, "cu")
    form.foil.value = "thin"
    form.detector.rotation.value = truth.calibration.rotation
    form.panel.button.click()
    assert form.panel.button.text() == "Cancel"
    qtbot.waitUntil(lambda: not form.panel.job.active, timeout=PATIENCE_MS)
    assert form.panel.job.state == JobState.DONE, form.panel.job.message
    stack = read_maps(scan_file.with_name("weld.orientations.zarr"))
    qtbot.waitUntil(lambda: len(viewer.layers) == 1 + len(stack), timeout=PATIENCE_MS)
    shown = {layer.name for layer in viewer.layers if layer.visible and link_of(layer).stack}
    assert shown == {f"IPF z {colour}" for colour in ("red", "green", "blue")}
    qtbot.waitUntil(lambda: "patterns are indexed" in form.panel.message.text())
    assert "1/Å; the direct beam is at row" in form.panel.message.text()
    assert dock.tabs.currentIndex() == 1
    qtbot.waitUntil(lambda: page.content.isVisible())
    assert "of 120 patterns are indexed: Cu" in page.notice.text()

    # The calibration of the patterns is the one that was found.
    scan = dock.scan
    scale = pattern_scales_of(dock.session).of(scan)
    assert scale.calibration.settings() | {"beam_radius": 0} == SpotCalibration.from_settings(
        stack.provenance["indexing"]["calibration"]
    ).settings() | {"beam_radius": 0}
    # Spots found are those of the file, and those simulated lie on them.
    sources = spot_sources_of(dock.session)
    qtbot.waitUntil(lambda: sources.found(scan) is not None and sources.simulated(scan) is not None)
    found = orientations_in(stack)
    near = []
    for row, col in np.argwhere(found.numbers == truth.phases + 1):
        if not found.numbers[row, col]:
            continue
        pixels = sources.found(scan).at(row, col)
        simulated = sources.simulated(scan).at(row, col).values
        x, y = scale.calibration.to_pixels(
            simulated[None, :, 0], simulated[None, :, 1], [(row, col)]
        )
        from_beam = np.hypot(*(pixels[:, 1::-1] - scale.calibration.centres([(row, col)])).T)
        own = pixels[from_beam > 6]
        if len(own) > 2:
            apart = np.hypot(own[:, :1] - x, own[:, 1:2] - y).min(axis=1)
            near.append(np.mean(apart < 2.5))
    assert len(near) > 30
    assert np.mean(near) > 0.9


def test_what_is_chosen_reaches_the_command(open_dock, scan_file, qtbot, tmp_path):
    dock = open_dock()
    form = dock.form
    out = scan_file.with_name("weld.orientations.zarr")
    with pytest.raises(ValueError, match="Add at least one phase"):
        form.request()
    add_phases(dock, qtbot, "cu", "ti")
    assert options_of(form) == (
        f"--phase cu --phase ti --out {out} --voltage 300.0 --find-calibration "
        "--grain-threshold 5.0"
    )
    form.voltage.value, form.radius.value = 200, 3.5
    form.detector.rotation.value, form.detector.flipped.value = -90, True
    form.threshold.value = 2
    assert not form.between.native.isVisibleTo(form)
    form.foil.value = "thick"
    for field, value in zip(form.thickness, (50, 62.0), strict=True):
        field.value = value
    assert options_of(form) == (
        f"--phase cu --phase ti --out {out} --voltage 200.0 --thickness 50-62 --radius 3.5 "
        "--find-calibration --rotation -90.0 --flipped --grain-threshold 2.0"
    )
    form.thickness[0].value = 62
    with pytest.raises(ValueError, match="from thin to thick"):
        form.request()
    assert form.between.native.isVisibleTo(form)
    form.foil.value = "thin"
    assert not form.between.native.isVisibleTo(form)
    assert "--kinematical" in options_of(form)
    assert "--thickness" not in options_of(form)


def test_the_calibration_of_the_pattern_viewer_is_offered_told_and_written(
    open_dock, scan_file, qtbot
):
    dock = open_dock()
    add_phases(dock, qtbot, "cu")
    scales, detector = pattern_scales_of(dock.session), dock.form.detector
    qtbot.waitUntil(lambda: scales.of(dock.scan) is not None)
    choice = detector.source.native.model().item(1)
    assert not choice.isEnabled()
    assert "page Calibrate" in choice.data(Qt.ItemDataRole.ToolTipRole)
    known = scales.of(dock.scan)
    found = SpotCalibration((61.5, 66.25), 0.025, ratio=1.02, ratio_angle=30.0, beam_radius=5.0)
    scales.set(dock.scan, known.with_found(found))
    assert choice.isEnabled()
    assert detector.calibration is None
    detector.source.value = "viewer"
    assert detector.notice.text() == (
        "0.02500 1/Å per pixel  ·  direct beam at row 61.5, column 66.2  ·  "
        "rings longer than wide by 2.0%"
    )
    detector.rotation.value = 12
    file = scan_file.with_name("weld.orientations.calibration.json")
    seen = []
    dock.form.panel.reported.connect(seen.append)
    dock.form.panel.button.click()
    qtbot.waitUntil(lambda: len(seen) > 0)
    given = seen[0]["arguments"]
    assert given[given.index("--calibration") + 1] == str(file)
    assert "--rotation" not in given
    written = SpotCalibration.from_settings(json.loads(file.read_text()))
    assert written.settings() == found.settings() | {"rotation": 12.0}
    dock.form.panel.job.end()
    scales.set(dock.scan, scales.of(dock.scan).placed((1, 1)))
    assert "row 1.0, column 1.0" in detector.notice.text()
    assert detector.rotation.value == 12
    # Maps that are opened tell how the detector was turned for them.
    scales.set(dock.scan, known.with_found(replace(found, rotation=-30.0, flipped=True)))
    assert (detector.rotation.value, detector.flipped.value) == (-30, True)
    # Without a scale there is nothing to take.
    scales.set(dock.scan, known)
    assert detector.source.value == "found"
    assert not choice.isEnabled()


def test_phases_are_told_apart_added_and_removed(open_dock, qtbot, tmp_path):
    dock = open_dock()
    phases = dock.form.phases
    assert "Add the phases" in phases.notice.text()
    assert not phases.remove_button.isEnabled()
    actions = phases.add_button.menu().actions()
    assert [one.text() for one in actions if one.text()] == [
        "copper", "nickel", "aluminium", "iron (bcc)", "titanium (hcp)", "a CIF file…",
    ]  # fmt: skip
    actions[0].trigger()
    qtbot.waitUntil(lambda: phases.phases == ["cu"], timeout=PATIENCE_MS)
    add_phases(dock, qtbot, "ti")
    assert rows_of(phases) == [
        ["Cu", "Fm-3m (225)", "a 3.615 Å"],
        ["Ti", "P63/mmc (194)", "a 2.951, c 4.684 Å, γ 120°"],
    ]
    phases.add("cu")
    qtbot.waitUntil(lambda: "Cu is listed already" in phases.notice.text())
    (tmp_path / "wrong.cif").write_text("nothing")
    phases.add(tmp_path / "wrong.cif")
    qtbot.waitUntil(lambda: "wrong.cif: expected a CIF file" in phases.notice.text())
    assert phases.phases == ["cu", "ti"]
    phases.table.setCurrentItem(phases.table.topLevelItem(0))
    phases.remove_button.click()
    assert phases.phases == ["ti"]
    assert phases.notice.text() == ""


def test_kikuchi_patterns_are_sent_to_the_physics_maps(open_dock, qtbot, tmp_path):
    dock = open_dock()
    form = dock.form
    kikuchi = shutil.copy(sample_folder() / "wrought.up1", tmp_path)
    dock.session.viewer.open(kikuchi, plugin=PLUGIN)
    assert form.panel.button.isEnabled()
    dock.choice.setCurrentIndex(dock.choice.findText("wrought"))
    assert "index these with Physics maps" in form.notice.text()
    assert not form.panel.button.isEnabled()
    assert "Physics maps" in form.panel.button.toolTip()
    assert not form.options.isEnabled()
    dock.choice.setCurrentIndex(dock.choice.findText("weld"))
    assert form.notice.text() == ""
    assert form.panel.button.isEnabled()
    assert form.options.isEnabled()


def test_what_was_cancelled_is_gone_on_with_or_begun_anew(open_dock, scan_file, qtbot):
    dock = open_dock()
    form = dock.form
    add_phases(dock, qtbot, "cu")
    seen = []
    form.panel.reported.connect(seen.append)
    form.panel.button.click()
    qtbot.waitUntil(lambda: len(seen) == 2)
    scan_file.with_name("weld.orientations.zarr.solutions.partial").mkdir()
    form.panel.button.click()
    qtbot.waitUntil(lambda: form.panel.job.state == JobState.STOPPED)
    assert form.panel.message.text() == "Stopped. What was finished is kept."
    assert form.panel.button.text() == "Resume"
    assert "--restart" not in form.request().arguments()
    form.panel.restart.click()
    assert form.panel.button.text() == "Map orientations"
    assert "--restart" in form.request().arguments()
    # Elsewhere there is nothing to begin anew, but for spots that were stopped.
    form.out.value = scan_file.with_name("other.zarr")
    assert not form.panel.restart.isVisibleTo(form)
    assert "--restart" not in form.request().arguments()
    scan_file.with_name("weld.spots.partial").mkdir()
    form.out.value = scan_file.with_name("another.zarr")
    assert form.panel.button.text() == "Resume"


def test_what_is_missing_is_said_before_anything_runs(open_dock):
    dock = open_dock()
    panel = dock.form.panel
    panel.button.click()
    assert panel.message.text() == "Add at least one phase that may be there."
    dock.session.viewer.layers.clear()
    panel.button.click()
    assert panel.message.text() == "Open a 4D-STEM scan to map it."
    assert panel.job.state == JobState.IDLE
