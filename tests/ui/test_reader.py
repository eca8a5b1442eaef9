import subprocess
import sys

import numpy as np
import pytest
from napari.layers import Labels
from napari.layers._layer_actions import _convert_to_labels, _duplicate_layer
from qtpy.QtWidgets import QApplication, QInputDialog, QMessageBox

from napari_kikuchi.io import PatternFileError, open_scan
from napari_kikuchi.io.map_store import write_maps
from napari_kikuchi.maps import Region
from napari_kikuchi.ui import PATTERN_VIEWER
from napari_kikuchi.ui.layers import layers_of
from napari_kikuchi.ui.link import ScanLink, link_of, scan_of
from napari_kikuchi.ui.navigator import Navigator
from napari_kikuchi.ui.reader import get_map_reader, get_scan_reader, read_scan
from napari_kikuchi.ui.session import session_of

PLUGIN = "napari-kikuchi"


@pytest.fixture
def told(monkeypatch):
    """What the user is told of errors."""
    messages = []
    monkeypatch.setattr("napari_kikuchi.ui.messages.show_error", messages.append)
    return messages


def dialogs(kind):
    return [w for w in QApplication.topLevelWidgets() if isinstance(w, kind) and w.isVisible()]


def test_a_scan_opens_as_a_navigator_in_micrometres_beside_the_pattern_viewer(
    make_napari_viewer, scan_file, qtbot
):
    viewer = make_napari_viewer()
    viewer.open(scan_file, plugin=PLUGIN)
    (layer,) = viewer.layers
    assert layer.name == "weld: quick contrast"
    assert layer.data.shape == (12, 16)
    assert tuple(layer.scale) == (0.5, 0.25)
    assert [str(unit) for unit in layer.units] == ["micrometer", "micrometer"]
    assert scan_of(layer).path == scan_file
    assert viewer.canvas.overlays.scale_bar.visible
    assert any(PATTERN_VIEWER in name for name in viewer.window.dock_widgets)
    # The pattern in the middle is shown until the cursor chooses.
    subject = session_of(viewer).subject
    assert (subject.row, subject.col) == (6, 8)


def test_the_menu_closes_the_pattern_viewer_that_opened_by_itself(make_napari_viewer, scan_file):
    from napari._app_model import get_app_model

    viewer = make_napari_viewer(show=True)
    viewer.open(scan_file, plugin=PLUGIN)
    (panel,) = (w for name, w in viewer.window.dock_widgets.items() if PATTERN_VIEWER in name)
    for shown in (False, True):
        get_app_model().commands.execute_command("napari-kikuchi.pattern_viewer").result()
        assert panel.isVisible() == shown
    assert sum(PATTERN_VIEWER in name for name in viewer.window.dock_widgets) == 1


def test_a_second_scan_shows_its_own_pattern_unless_one_is_held(
    make_napari_viewer, tmp_path, scan_file, write_scan, patterns
):
    viewer = make_napari_viewer()
    session = session_of(viewer)
    viewer.open(scan_file, plugin=PLUGIN)
    session.step(0, 3)
    session.release()
    first = viewer.layers[0]
    viewer.add_image(first.data, metadata=first.metadata)  # another map of the same scan
    assert session.subject.col == 11

    viewer.open(write_scan(tmp_path / "plate.up2", patterns[:4, :6]), plugin=PLUGIN)
    assert session.subject.scan is scan_of(viewer.layers[-1])
    assert (session.subject.row, session.subject.col) == (2, 3)

    session.hold(session.subject)
    viewer.open(write_scan(tmp_path / "rod.up2", patterns[:2, :2]), plugin=PLUGIN)
    assert session.subject.scan.name == "plate"


def test_a_navigator_is_refined_in_the_background(make_napari_viewer, tmp_path, write_scan, qtbot):
    rng = np.random.default_rng(0)
    path = write_scan(tmp_path / "long.up2", rng.integers(0, 9, (48, 50, 8, 8), np.uint16))
    viewer = make_napari_viewer()
    viewer.open(path, plugin=PLUGIN)
    navigator = link_of(viewer.layers[0]).navigator
    qtbot.waitUntil(lambda: navigator.stride == 1, timeout=10_000)
    qtbot.waitUntil(lambda: viewer.layers[0].contrast_limits[1] < navigator.values.max())
    assert np.unique(viewer.layers[0].data).size > 2000


def test_only_the_layer_that_a_navigator_fills_is_refined(
    make_napari_viewer, tmp_path, write_scan, qtbot, monkeypatch
):
    begun = []
    monkeypatch.setattr(Navigator, "refine", lambda self: begun.append(self) or iter(()))
    path = write_scan(tmp_path / "long.up2", np.ones((48, 50, 8, 8), np.uint16))
    viewer = make_napari_viewer()
    viewer.open(path, plugin=PLUGIN)
    (layer,) = viewer.layers
    assert len(begun) == 1
    viewer.layers.selection = {layer}
    _duplicate_layer(viewer.layers)
    viewer.add_image(layer.data, metadata=layer.metadata)
    assert len(begun) == 1


# napari says so of every image that becomes labels.
@pytest.mark.filterwarnings('ignore:projection mode "mean" is not compatible:UserWarning')
def test_labels_made_of_maps_are_left_alone(make_napari_viewer, stack, scan_file, qtbot):
    viewer = make_napari_viewer()
    viewer.open(scan_file, plugin=PLUGIN)
    scan = scan_of(viewer.layers[0])
    for data, attributes, _ in layers_of(stack, ScanLink(scan)):
        viewer.add_image(data, **attributes)
    # The navigator, and a map that is hidden.
    for layer in (viewer.layers[0], viewer.layers["feature 1"]):
        viewer.layers.selection = {layer}
        with np.errstate(invalid="ignore"):
            _convert_to_labels(viewer.layers)
        labels = viewer.layers[viewer.layers.index(layer) + 1]
        assert isinstance(labels, Labels)
        assert scan_of(labels) is scan


def test_maps_may_go_before_their_scan_is_found(make_napari_viewer, stack, qtbot):
    viewer = make_napari_viewer()
    session = session_of(viewer)
    settled = []
    session.link_changed.connect(settled.append)
    for data, attributes, _ in layers_of(stack):
        viewer.add_image(data, **attributes)
    viewer.layers.clear()
    qtbot.waitUntil(lambda: bool(settled))
    assert session.subject is None


def test_reading_a_huge_scan_imports_neither_torch_nor_kikuchipy(tmp_path):
    path = tmp_path / "huge.up2"
    from napari_kikuchi.io.up2 import LONG_HEADER

    with path.open("wb") as file:
        file.write(LONG_HEADER.pack(3, 480, 480, LONG_HEADER.size, 0, 1000, 900, 0, 1.0, 1.0))
        file.truncate(LONG_HEADER.size + 900 * 1000 * 480 * 480 * 2)
    check = (
        "import sys\n"
        "from napari_kikuchi.ui.reader import get_scan_reader\n"
        f"path = {str(path)!r}\n"
        "(data, attributes, kind), = get_scan_reader(path)(path)\n"
        "assert data.shape == (900, 1000) and kind == 'image'\n"
        "found = {'torch', 'kikuchipy', 'dask.array', 'zarr'}.intersection(sys.modules)\n"
        "assert not found, found\n"
    )
    subprocess.run([sys.executable, "-c", check], check=True)


def test_a_file_that_is_not_whole_is_told_of_and_opened_on_request(
    make_napari_viewer, scan_file, qtbot, told
):
    whole = scan_file.read_bytes()
    scan_file.write_bytes(whole[: 42 + 100 * 200])
    viewer = make_napari_viewer()
    viewer.open(scan_file, plugin=PLUGIN)
    assert len(viewer.layers) == 0
    (box,) = dialogs(QMessageBox)
    assert str(scan_file) in box.text()
    accept = next(b for b in box.buttons() if b.text() == "Open what is there")
    accept.click()
    (layer,) = viewer.layers
    present = np.arange(192).reshape(12, 16) < 100
    np.testing.assert_array_equal(np.isnan(layer.data), ~present)
    assert scan_of(layer).options == {"allow_partial": True}
    assert told == []
    # The middle, row 6 and column 8, was not reached: the nearest pattern is shown.
    subject = session_of(viewer).subject
    assert (subject.row, subject.col) == (5, 8)


def test_a_file_that_has_gone_before_it_is_opened_on_request_is_told_of(
    make_napari_viewer, scan_file, told
):
    scan_file.write_bytes(scan_file.read_bytes()[: 42 + 100 * 200])
    viewer = make_napari_viewer()
    viewer.open(scan_file, plugin=PLUGIN)
    (box,) = dialogs(QMessageBox)
    scan_file.write_bytes(b"")
    next(b for b in box.buttons() if b.text() == "Open what is there").click()
    assert len(viewer.layers) == 0
    assert told == []
    (again,) = dialogs(QMessageBox)
    assert str(scan_file) in again.text()
    again.close()


def test_a_file_that_cannot_be_read_is_a_message_and_no_layer(make_napari_viewer, tmp_path):
    viewer = make_napari_viewer()
    for name, content in (("empty.up2", b""), ("text.up2", b"not patterns, but long enough" * 9)):
        path = tmp_path / name
        path.write_bytes(content)
        viewer.open(path, plugin=PLUGIN)
        assert len(viewer.layers) == 0
        (box,) = dialogs(QMessageBox)
        assert str(path) in box.text()
        box.close()


def test_the_grid_is_asked_for_where_nothing_says_it(make_napari_viewer, tmp_path, qtbot):
    path = tmp_path / "old.up2"
    header = np.array([1, 4, 4, 16], "<u4").tobytes()
    path.write_bytes(header + np.arange(6 * 16, dtype="<u2").tobytes())
    viewer = make_napari_viewer()
    viewer.open(path, plugin=PLUGIN)
    (dialog,) = dialogs(QInputDialog)
    assert "6 patterns" in dialog.labelText()
    dialog.setTextValue("3 rows × 2 columns")
    dialog.accept()
    assert viewer.layers[0].data.shape == (3, 2)


def test_without_a_window_errors_are_raised(tmp_path):
    with pytest.raises(PatternFileError, match=r"missing\.up2"):
        read_scan(str(tmp_path / "missing.up2"))


def test_maps_open_as_layers_tied_to_their_scan(make_napari_viewer, stack, tmp_path, qtbot):
    from dataclasses import replace

    square = ((0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, 0.0))
    store = tmp_path / "weld.zarr"
    write_maps(store, replace(stack, regions=[Region("melt pool", "polygon", square)]))
    viewer = make_napari_viewer()
    viewer.open(store, plugin=PLUGIN)
    assert [layer.name for layer in reversed(viewer.layers)] == [
        "regions",
        *(f"feature {i}" for i in (2, 4, 3, 1)),
    ]
    layer = viewer.layers["feature 2"]
    np.testing.assert_array_equal(layer.data, stack.values[1])
    qtbot.waitUntil(lambda: scan_of(layer) is not None)
    assert {scan_of(viewer.layers[f"feature {i}"]) for i in (1, 2, 3, 4)} == {scan_of(layer)}
    assert session_of(viewer).subject.scan is scan_of(layer)


def test_all_layers_of_a_scan_share_it_however_they_were_opened(
    make_napari_viewer, stack, scan_file, tmp_path, qtbot, patterns, write_scan
):
    viewer = make_napari_viewer()
    for name in ("one.zarr", "two.zarr"):
        write_maps(tmp_path / name, stack)
        viewer.open(tmp_path / name, plugin=PLUGIN)
    qtbot.waitUntil(lambda: all(scan_of(layer) for layer in viewer.layers))
    viewer.open(scan_file, plugin=PLUGIN)
    assert len(viewer.layers) == 9
    assert len({scan_of(layer) for layer in viewer.layers}) == 1
    # Measured anew, it is another one.
    write_scan(scan_file, patterns[::-1])
    viewer.open(scan_file, plugin=PLUGIN)
    assert len({scan_of(layer) for layer in viewer.layers}) == 2


def test_foreign_files_are_left_to_other_readers(tmp_path, scan_file):
    assert get_map_reader(str(tmp_path)) is None
    (tmp_path / "other.h5").write_bytes(b"\x89HDF")
    assert get_scan_reader(str(tmp_path / "other.h5")) is None
    assert get_scan_reader([str(scan_file)]) is None
    assert open_scan(scan_file).map_shape == read_scan(str(scan_file))[0][0].shape
