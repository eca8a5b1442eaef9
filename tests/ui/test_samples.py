from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from npe2 import PluginManifest

import napari_kikuchi
from napari_kikuchi.io.map_store import read_maps
from napari_kikuchi.microstructure.measured import read_measured
from napari_kikuchi.samples import sample_folder
from napari_kikuchi.simulate.scan import truth_path
from napari_kikuchi.ui import samples
from napari_kikuchi.ui.link import KEY, link_of, scan_of
from napari_kikuchi.ui.pattern_viewer import PatternViewer
from napari_kikuchi.ui.pattern_views import View

MANIFEST = PluginManifest.from_file(Path(napari_kikuchi.__file__).parent / "napari.yaml")
SAMPLES = {sample.key: sample for sample in MANIFEST.contributions.sample_data}


@pytest.mark.parametrize(
    ("key", "shape"),
    [("additive", (40, 48)), ("wrought", (40, 48)), ("nickel", (3, 3)), ("silicon", (1, 3))],
)
def test_samples_open_and_are_what_the_menu_says(key, shape):
    ((data, attributes, _),) = getattr(samples, key)()
    assert data.shape == shape
    assert f"{shape[0]} × {shape[1]}" in SAMPLES[key].display_name
    assert np.isfinite(data).all()
    assert attributes["metadata"][KEY].source.scan.map_shape == shape


def test_the_nickel_map_is_the_file_that_kikuchipy_has_fetched(monkeypatch):
    import kikuchipy

    folder = Path(kikuchipy.__file__).parent / "data" / "kikuchipy_h5ebsd"
    found = SimpleNamespace(folder=str(folder), filename="patterns", extension="h5")
    signal = SimpleNamespace(tmp_parameters=found)
    monkeypatch.setattr(kikuchipy.data, "nickel_ebsd_large", lambda **_: signal)
    ((data, attributes, _),) = samples.nickel_map()
    assert data.shape == (3, 3)
    scan = attributes["metadata"][KEY].source.scan
    assert scan.path == folder / "patterns.h5"


def test_without_network_the_message_says_so(monkeypatch):
    import kikuchipy

    def no_network(**_):
        raise OSError("name resolution failed")

    monkeypatch.setattr(kikuchipy.data, "nickel_ebsd_large", no_network)
    with pytest.raises(ConnectionError, match=r"name resolution failed.*online\?"):
        samples.nickel_map()


def test_the_stem_sample_is_simulated_when_it_is_chosen_and_opens_as_a_file_does(
    make_napari_viewer, tmp_path, monkeypatch, qtbot
):
    monkeypatch.setattr("napari_kikuchi.io.places.user_folder", lambda: tmp_path)
    viewer = make_napari_viewer(show=True)
    (navigator,) = viewer.open_sample("napari-kikuchi", "copper_iron")
    scan = scan_of(navigator)
    assert navigator.data.shape == (40, 48)
    assert "40 × 48" in SAMPLES["copper_iron"].display_name
    assert "virtual bright field" in navigator.name
    assert scan.technique == "4D-STEM"
    assert scan.path.is_relative_to(tmp_path)
    (patterns,) = (
        dock for dock in viewer.window.dock_widgets.values() if isinstance(dock, PatternViewer)
    )
    qtbot.waitUntil(lambda: patterns.panes.shown == [View.RAW], timeout=30_000)
    # Its truth lies beside it, and is shown like any map.
    viewer.open(truth_path(scan.path), plugin="napari-kikuchi")
    assert {"phase", "grain", "thickness", "IPF z red"} <= {layer.name for layer in viewer.layers}
    truth = next(layer for layer in viewer.layers if layer.name == "phase")
    assert scan_of(truth) is scan


def test_the_sample_of_two_phases_is_simulated_when_it_is_chosen(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_kikuchi.io.places.user_folder", lambda: tmp_path)
    ((data, attributes, _),) = samples.nickel_laves()
    assert data.shape == (40, 48)
    assert "40 × 48" in SAMPLES["nickel_laves"].display_name
    scan = attributes["metadata"][KEY].source.scan
    assert scan.path.is_relative_to(tmp_path)
    assert scan.technique == "EBSD"
    truth = read_maps(truth_path(scan.path))
    assert (truth.map(truth.names.index("particle")) > 0).any()


def test_the_sample_with_holes_is_a_map_that_can_be_filled_in(make_napari_viewer):
    viewer = make_napari_viewer()
    layers = viewer.open_sample("napari-kikuchi", "holed")
    assert "96 × 128" in SAMPLES["holed"].display_name
    measured = read_measured(link_of(layers[0]).stack)
    assert measured.orientations.map_shape == (96, 128)
    assert 0.05 < measured.missing / (96 * 128) < 0.15
    assert [phase.name for phase in measured.phases] == ["generated phase 1", "generated phase 2"]


def test_every_command_of_the_manifest_can_be_called():
    for command in MANIFEST.contributions.commands:
        module, name = command.python_name.split(":")
        assert callable(getattr(__import__(module, fromlist=[name]), name)), command.id


@pytest.mark.parametrize("name", ["additive", "wrought"])
def test_the_truth_of_a_simulated_sample_is_shown_like_any_map(make_napari_viewer, name):
    viewer = make_napari_viewer()
    viewer.open(str(sample_folder() / f"{name}.truth.zarr"), plugin="napari-kikuchi")
    assert {"grain", "wall", "twin"} <= {layer.name for layer in viewer.layers}
