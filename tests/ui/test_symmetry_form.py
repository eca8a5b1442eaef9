"""The form of symmetry maps, driven as a hand does."""

import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from napari.layers import Labels
from spot_window import spot_scan
from typer.testing import CliRunner

from napari_kikuchi.cli.commands import app
from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.crystals.kinematical_master import kinematical_intensities
from napari_kikuchi.geometry import Geometry
from napari_kikuchi.io.map_store import read_maps
from napari_kikuchi.jobs import Progress
from napari_kikuchi.samples import sample_folder
from napari_kikuchi.symmetry import find_centre, maps
from napari_kikuchi.symmetry.adapted_to_scan import ScanAdaptation
from napari_kikuchi.symmetry.classifier import SymmetryClassifier
from napari_kikuchi.symmetry.find_centre import FoundCentre
from napari_kikuchi.symmetry.modes import Modes
from napari_kikuchi.symmetry.network import SymmetryArchitecture, SymmetryNetwork
from napari_kikuchi.symmetry.sector import sector_directions
from napari_kikuchi.ui import PLUGIN, SYMMETRY
from napari_kikuchi.ui.child import JobState
from napari_kikuchi.ui.reader import navigator_layer
from napari_kikuchi.ui.symmetry import Symmetry
from symmetry_maps import GEOMETRY, GROUPS, Masters, symmetry_scan

FAKE = Path(__file__).with_name("fake_child.py")
# A process of its own imports first, and the machine may have other things to do.
PATIENCE_MS = 240_000


@pytest.fixture
def open_dock(make_napari_viewer, scan_file):
    """Open the dock over a scan; with a behaviour, its child only pretends to work."""

    def open_it(behaviour=None, scan=scan_file):
        viewer = make_napari_viewer()
        viewer.open(scan, plugin=PLUGIN)
        if behaviour is None:
            _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, SYMMETRY)
        else:
            dock = Symmetry(viewer, (sys.executable, str(FAKE), behaviour))
            viewer.window.add_dock_widget(dock)
        return dock

    return open_it


@pytest.fixture
def classifier_file(tmp_path):
    """A classifier that has learned nothing, but how cubic crystals stand."""
    torch.manual_seed(0)
    directions = sector_directions()
    masters = [
        kinematical_intensities(Crystal.built_in(name), directions, voltage=voltage)
        for name in ("cu", "al", "fe")
        for voltage in (12, 20, 28)
    ]
    modes = Modes.of(np.array(masters))
    coarse, fine = modes.in_triangle
    counts = coarse.shape[1], fine.shape[1]
    network = SymmetryNetwork(SymmetryArchitecture(GROUPS, width=2, modes=counts)).eval()
    network.coarse_modes.copy_(torch.from_numpy(coarse))
    network.fine_modes.copy_(torch.from_numpy(fine))
    path = tmp_path / "own.safetensors"
    SymmetryClassifier(network).save(path)
    return path


@pytest.fixture
def asked(monkeypatch):
    """What the command asks of the library, instead of an answer."""
    found = []

    def ask(scan, classifier, geometry, path, **options):
        found.append((classifier, geometry, path, options))
        raise ValueError("asked")

    monkeypatch.setattr(maps, "symmetry_maps", ask)
    return found


def run(form):
    told = CliRunner().invoke(app, form.request().arguments())
    assert "Error asked" in told.output, told.output


def test_what_is_chosen_reaches_the_command(open_dock, scan_file, classifier_file, asked):
    form = open_dock().form
    options = form.geometry_options
    for field, value in zip(options.centre, (0.5, 0.3, 0.7), strict=True):
        field.value = value
    options.convention.value, options.tilt.value = "edax", 69.5
    form.classifier.value = classifier_file
    form.threshold.value = 2.5
    form.among.value = "229, 216"
    run(form)
    classifier, geometry, path, given = asked.pop()
    assert classifier.groups == GROUPS
    assert geometry == Geometry((0.5, 0.3, 0.7), "edax", 69.5)
    assert path == scan_file.with_name("weld.symmetry.zarr")
    assert given == {
        "among": (225, 229),
        "adaptation": None,
        "grain_threshold": 2.5,
        "workers": None,
        "resume": True,
    }


def test_groups_that_are_none_are_told_before_anything_runs(open_dock):
    form = open_dock().form
    assert form.request().among is None
    form.among.value = "hexagonal"
    with pytest.raises(ValueError, match="195 to 230"):
        form.request()


def test_adapting_is_asked_for_by_a_box(open_dock, classifier_file, asked):
    form = open_dock().form
    form.classifier.value = classifier_file
    for field, value in zip(form.geometry_options.centre, (0.5, 0.3, 0.7), strict=True):
        field.value = value
    box = form.adapt
    assert not box.isChecked()
    assert "dozen phases" in box.toolTip()
    box.click()
    run(form)
    assert asked.pop()[3]["adaptation"] == ScanAdaptation()


def test_an_unknown_centre_is_left_to_be_found_with_the_tilts_that_are_chosen(
    open_dock, classifier_file, asked, monkeypatch
):
    def find(scan, modes, *, workers, **tilts):
        yield Progress(0, 1, "Looking")
        return FoundCentre(Geometry((0.51, 0.29, 0.61), **tilts), 0.7)

    monkeypatch.setattr(find_centre, "find_scan_centre", find)
    form = open_dock().form
    assert "is found from the patterns" in form.geometry_options.notice.text()
    form.classifier.value = classifier_file
    form.geometry_options.detector_tilt.value = -8
    run(form)
    assert asked.pop()[1] == Geometry((0.51, 0.29, 0.61), detector_tilt=-8)


def test_the_geometry_that_a_file_tells_is_taken(open_dock, tmp_path):
    shutil.copytree(sample_folder() / "wrought.truth.zarr", tmp_path / "wrought.truth.zarr")
    form = open_dock(scan=Path(shutil.copy(sample_folder() / "wrought.up1", tmp_path))).form
    assert form.geometry_options.notice.text() == "The geometry is that of wrought.truth.zarr."
    line = form.request().arguments()
    assert line[line.index("--pc") + 1] == "0.42,0.22,0.5"


def test_the_centre_is_found_by_a_button(open_dock, classifier_file, qtbot, monkeypatch):
    asked = []

    def find(scan, modes, **tilts):
        asked.append((scan, modes.fine.shape, tilts))
        yield Progress(0, 1, "Looking")
        return FoundCentre(Geometry((0.51, 0.29, 0.61), **tilts), 0.7)

    monkeypatch.setattr(find_centre, "find_scan_centre", find)
    dock = open_dock()
    form, options = dock.form, dock.form.geometry_options
    form.classifier.value = classifier_file
    options.tilt.value = 60
    form.find_button.click()
    assert not form.find_button.isEnabled()
    qtbot.waitUntil(lambda: options.chosen() == Geometry((0.51, 0.29, 0.61), sample_tilt=60))
    assert asked[0][0] is dock.scan
    assert asked[0][2] == {"sample_tilt": 60, "detector_tilt": 0}
    assert "cubic crystals explain 70%" in options.notice.text()
    assert form.find_button.isEnabled()
    line = form.request().arguments()
    assert line[line.index("--pc") + 1] == "0.51,0.29,0.61"
    options.centre[0].value = 0.4
    assert options.notice.text() == ""


def test_a_search_that_fails_says_why_and_leaves_the_geometry(open_dock, tmp_path, qtbot):
    form = open_dock().form
    form.classifier.value = tmp_path / "none.safetensors"
    form.find_button.click()
    qtbot.waitUntil(lambda: "none.safetensors" in form.finding.notice.text())
    assert form.find_button.isEnabled()
    assert not form.geometry_options.is_known


def test_what_was_cancelled_is_gone_on_with_or_begun_anew(open_dock, scan_file, qtbot):
    form = open_dock("waits").form
    panel, seen = form.panel, []
    panel.reported.connect(seen.append)
    assert panel.button.text() == "Map symmetry"
    panel.button.click()
    assert panel.button.text() == "Cancel"
    qtbot.waitUntil(lambda: len(seen) == 2)
    assert seen[0]["arguments"][:2] == ["symmetry", str(scan_file)]
    scan_file.with_name("weld.symmetry.zarr.partial").mkdir()
    panel.button.click()
    qtbot.waitUntil(lambda: panel.job.state == JobState.STOPPED)
    assert panel.button.text() == "Resume"
    assert not form.request().restart
    panel.restart.click()
    assert panel.button.text() == "Map symmetry"
    assert "--restart" in form.request().arguments()


def test_patterns_of_spots_are_sent_to_the_orientations(make_napari_viewer):
    viewer = make_napari_viewer()
    data, attributes, _ = navigator_layer(spot_scan())
    viewer.add_image(data, **attributes)
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, SYMMETRY)
    assert "Orientations finds out" in dock.form.notice.text()
    assert not dock.form.panel.button.isEnabled()
    assert not dock.form.options.isEnabled()
    viewer.layers.clear()
    assert dock.form.notice.text() == ""


def test_what_is_said_is_of_the_scan_that_is_open(make_napari_viewer, scan_file):
    viewer = make_napari_viewer()
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, SYMMETRY)
    panel, notice = dock.form.panel, dock.form.geometry_options.notice
    assert notice.text() == ""
    panel.start()
    assert panel.message.text() == "Open a scan to map it."
    viewer.open(scan_file, plugin=PLUGIN)
    assert "space group" in panel.message.text()
    assert "is not known" in notice.text()
    viewer.layers.clear()
    assert notice.text() == ""


def test_what_few_need_is_folded_away(open_dock):
    form = open_dock().form
    assert not form.more.isExpanded()
    for field in (form.classifier, form.threshold, form.out):
        assert form.more.isAncestorOf(field.native)


def test_one_click_brings_the_map_over_the_scan(
    open_dock, classifier_file, tmp_path, write_scan, qtbot, monkeypatch
):
    monkeypatch.setenv("OMP_NUM_THREADS", os.environ.get("OMP_NUM_THREADS", "1"))
    patterns = symmetry_scan(Masters())[0].source.array[:3, 2:6]
    dock = open_dock(scan=write_scan(tmp_path / "steel.up2", patterns))
    form, panel = dock.form, dock.form.panel
    form.classifier.value = classifier_file
    for field, value in zip(form.geometry_options.centre, GEOMETRY.pc, strict=True):
        field.value = value
    form.adapt.click()
    panel.button.click()
    layers = dock.session.viewer.layers
    qtbot.waitUntil(lambda: not panel.job.active, timeout=PATIENCE_MS)
    assert panel.job.state == JobState.DONE, panel.job.message
    qtbot.waitUntil(lambda: "adapted" in panel.message.text())
    store = read_maps(tmp_path / "steel.symmetry.zarr")
    qtbot.waitUntil(lambda: len(layers) == 1 + len(store), timeout=PATIENCE_MS)
    labels = layers["symmetry"]
    assert isinstance(labels, Labels)
    assert layers[-1] is labels
    np.testing.assert_array_equal(labels.data, np.nan_to_num(store.map(0), nan=-1))
    assert tuple(labels.scale) == (0.5, 0.25)
    qtbot.waitUntil(lambda: form.legend.isVisibleTo(form))
