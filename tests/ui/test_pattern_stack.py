import numpy as np
import pytest
from napari._app_model import get_app_model
from napari.layers import Image
from qtpy.QtWidgets import QApplication, QMessageBox

from napari_kikuchi.io import open_scan
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.scan import Scan
from napari_kikuchi.ui.latent_maps import LatentMaps
from napari_kikuchi.ui.link import link_of
from napari_kikuchi.ui.pattern_stack import pattern_stack
from napari_kikuchi.ui.reader import navigator_layer


def run(command):
    """Choose a command in the menu of the selected layer."""
    get_app_model().commands.execute_command(f"napari-kikuchi.{command}").result()


def test_the_stack_is_lazy_in_micrometres_and_pixels(scan_file, patterns):
    data, attributes, kind = pattern_stack(open_scan(scan_file))
    assert kind == "image"
    assert hasattr(data, "dask")
    np.testing.assert_array_equal(data[3, 5].compute(), patterns[3, 5])
    layer = Image(data, **attributes)
    assert tuple(layer.scale) == (0.5, 0.25, 1, 1)
    assert [str(unit) for unit in layer.units] == ["micrometer", "micrometer", "pixel", "pixel"]
    low, high = layer.contrast_limits
    assert patterns.min() <= low < high <= patterns.max()
    assert high - low > 0.5 * np.ptp(patterns)


def test_it_opens_in_a_viewer_of_its_own(make_napari_viewer, scan_file, monkeypatch, patterns):
    viewer, other = make_napari_viewer(), make_napari_viewer()
    monkeypatch.setattr("napari.Viewer", lambda title: other)
    told = []
    monkeypatch.setattr("napari_kikuchi.ui.messages.show_error", told.append)
    monkeypatch.setattr("napari.viewer.current_viewer", lambda: viewer)
    viewer.add_image(np.zeros((2, 2)))
    run("add_pattern_stack")
    assert "Select a layer" in told.pop()
    viewer.open(scan_file, plugin="napari-kikuchi")
    run("add_pattern_stack")
    assert other.layers[0].data.shape == patterns.shape


@pytest.fixture
def viewer(make_napari_viewer, monkeypatch):
    viewer = make_napari_viewer()
    monkeypatch.setattr("napari.viewer.current_viewer", lambda: viewer)
    return viewer


@pytest.fixture
def told(monkeypatch):
    """What the user is told of errors."""
    messages = []
    monkeypatch.setattr("napari_kikuchi.ui.messages.show_error", messages.append)
    return messages


def test_patterns_are_opened_again_as_squares(viewer, told, tmp_path, patterns, write_scan, qtbot):
    viewer.open(write_scan(tmp_path / "wide.up2", patterns[:, :, :6]), plugin="napari-kikuchi")
    whole = viewer.layers[0]
    run("open_cropped")
    assert len(viewer.layers) == 1  # the window goes on meanwhile
    qtbot.waitUntil(lambda: len(viewer.layers) == 2)
    scan = link_of(viewer.layers[-1]).source.scan
    assert scan.pattern_shape == (6, 6)
    np.testing.assert_array_equal(scan.read(3, 5), patterns[3, 5, :6, 2:8])
    run("open_cropped")  # the square ones are selected now
    assert "patterns of 6 x 6 are squares" in told.pop()
    assert len(viewer.layers) == 2
    # What is made of them goes elsewhere than what is made of the whole patterns.
    dock = LatentMaps(viewer)
    folders = set()
    for choice in range(2):
        dock.choice.setCurrentIndex(choice)
        dock.train.scans.value = [dock.scan]
        folders.add(dock.train.folder.value.name)
    assert folders == {"wide.principal-32", "wide cropped.principal-32"}
    dock.close()

    viewer.layers.selection = {whole}
    (tmp_path / "wide.up2").unlink()
    run("open_cropped")
    qtbot.waitUntil(lambda: bool(boxes()))
    assert "wide.up2" in boxes()[0].text()
    boxes()[0].close()


def boxes():
    """The messages that wait to be read."""
    return [
        w for w in QApplication.topLevelWidgets() if isinstance(w, QMessageBox) and w.isVisible()
    ]


def test_patterns_in_memory_cannot_be_opened_again(viewer, told, patterns):
    data, attributes, _ = navigator_layer(Scan(ArraySource(patterns[:, :, :6]), name="simulated"))
    viewer.add_image(data, **attributes)
    run("open_cropped")
    assert "simulated is in memory only" in told.pop()
