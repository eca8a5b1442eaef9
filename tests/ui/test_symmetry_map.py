"""A map of symmetry in the window: its colours, what they mean, what stands beside a pattern."""

import sys
from dataclasses import replace
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from napari.layers import Image, Labels
from orientation_maps import hough_maps
from pattern_window import PLUGIN, Window

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.io import open_scan
from napari_kikuchi.io.map_store import read_maps, write_maps
from napari_kikuchi.orientation.simulated_scan import simulate_spot_scan
from napari_kikuchi.symmetry.map_readings import SymmetryReadings
from napari_kikuchi.ui import SYMMETRY
from napari_kikuchi.ui.layers import own_layer
from napari_kikuchi.ui.link import ScanLink, link_of
from napari_kikuchi.ui.pattern_views import View
from napari_kikuchi.ui.reader import navigator_layer
from napari_kikuchi.ui.show_maps import show_stack, show_store
from napari_kikuchi.ui.solutions import solutions_of
from napari_kikuchi.ui.symmetries import symmetries_of
from napari_kikuchi.ui.symmetry import Symmetry
from napari_kikuchi.ui.symmetry_colours import group_colour
from napari_kikuchi.ui.symmetry_layer import tell_confidence
from napari_kikuchi.ui.writer import write_map_layers
from symmetry_maps import FIRST, GEOMETRY, SECOND, UNLIKE, Masters, symmetry_scan, symmetry_stack

SHOWN = [View.RAW, View.CORRECTED, View.SIMULATED]


@pytest.fixture
def masters(monkeypatch):
    """The phases that are known."""
    known = Masters()
    module = ModuleType("napari_kikuchi.symmetry.references")
    module.References = SimpleNamespace(shipped=lambda: known)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return known


@pytest.fixture
def opened(make_napari_viewer, qtbot, masters):
    """A window with a scan and maps of its symmetry."""
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1400, 900)
    scan, rotations = symmetry_scan(masters)
    data, attributes, _ = navigator_layer(scan)
    viewer.add_image(data, **attributes)
    window = Window(viewer, qtbot)
    window.stack = symmetry_stack(scan, rotations)
    show_stack(window.session, window.stack, link_of(viewer.layers[0]).source)
    window.scan = scan
    known = symmetries_of(window.session)
    qtbot.waitUntil(lambda: known.of(scan) is not None)
    qtbot.waitUntil(lambda: len(viewer.layers) == 1 + len(window.stack))
    return window


def dock_of(window):
    widgets = window.viewer.window.dock_widgets.values()
    return next(widget for widget in widgets if isinstance(widget, Symmetry))


def rows_of(legend):
    """The texts of the legend, row by row."""
    grid = legend._rows
    items = [
        [grid.itemAtPosition(row, column) for column in range(grid.columnCount())]
        for row in range(1, grid.rowCount())
    ]
    return [[one.widget() for one in row if one is not None] for row in items if row[0] is not None]


def rgb(colour):
    """Parts of a colour that is written as on a web page."""
    return [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]


def point_at(window, row, col):
    """Move the mouse there; docks that have just come may still move the map."""

    def arrived():
        # Where it is already, perhaps since the test before, no movement is told.
        window.move(row + 1, col)
        window.move(row, col)
        return f"row {row}, column {col}" in window.patterns.position.text()

    window.qtbot.waitUntil(arrived)


def colour_at(layer, row, col):
    """What is drawn at a position."""
    return layer.colormap.map(np.asarray(layer.data[row, col]))


def test_labels_are_numbers_of_groups_in_colours_of_their_own(opened):
    layers = opened.viewer.layers
    labels = layers["symmetry"]
    assert isinstance(labels, Labels)
    assert labels.visible
    assert layers[-1] is labels
    groups = np.unique(np.asarray(labels.data)[:, :11]).tolist()
    assert groups == [0, 225, 229]
    drawn = [colour_at(labels, 0, col) for col in (0, 4, 8)]
    for colour, group in zip(drawn, (225, 229, 0), strict=True):
        np.testing.assert_allclose(colour[:3], rgb(group_colour(group)), atol=0.01)
        assert colour[3] == 1
    assert colour_at(labels, 0, 11)[3] == 0
    # The others are maps as those of any store; the picture of orientations waits.
    others = [layers[name] for name in ("confidence", "IPF z red", "grain")]
    assert all(isinstance(layer, Image) and not layer.visible for layer in others)


def test_under_the_cursor_the_map_names_the_group_and_what_looks_like_it(opened):
    labels = opened.viewer.layers["symmetry"]
    place = labels.data_to_world((2, 1))
    status = labels.get_status(place, world=True)["value"]
    assert "225 (Fm-3m)" in status
    assert status.endswith("confidence: 0.60")
    assert "Patterns of some phases of 221 (Pm-3m) look the same" in status
    place = labels.data_to_world((2, 9))
    assert labels.get_status(place, world=True)["value"].endswith("unlike cubic crystals")
    # napari shows the same beside the cursor.
    assert opened.viewer.tooltip.visible


def test_the_confidence_under_the_cursor_is_that_of_the_position(masters):
    stack = symmetry_stack(symmetry_scan(masters)[0])
    values = np.stack([stack.map(index) for index in range(len(stack))])
    confidence = stack.names.index("confidence")
    values[confidence, 0, FIRST.start], values[confidence, 1, FIRST.start] = 0.25, np.nan
    stack = replace(stack, values=values)
    data, attributes, _ = own_layer(stack, 0, ScanLink())
    layer = Labels(data, **attributes)
    tell_confidence(layer, stack)

    def told(row, column):
        status = layer.get_status((row, column))
        assert status["coordinates"].endswith(status["value"])
        return status["value"].partition("confidence: ")[2]

    shown = [told(row, FIRST.start) for row in (0, 1, 2)]
    assert shown == ["0.25", "", "0.60"]
    assert told(2, SECOND.start) == "0.95"
    assert told(2, UNLIKE.start) == told(2, 11) == told(2, 12) == told(-1, 0) == ""
    # What someone has painted is not what the confidence is of.
    layer.data[2, FIRST.start] = 230
    assert told(2, FIRST.start) == ""


def test_the_legend_opens_with_the_map_and_tells_shares(opened):
    legend = dock_of(opened).form.legend
    assert legend.isVisible()
    texts = [[one.text() for one in row if hasattr(one, "text")] for row in rows_of(legend)]
    assert [row[-3:] for row in texts] == [
        ["225  Fm-3m", "36.4%", "0.60"],
        ["229  Im-3m", "36.4%", "0.95"],
        ["unlike cubic crystals", "27.3%", ""],
    ]
    square, name, bar = rows_of(legend)[0][:3]
    shown = square.pixmap().toImage().pixelColor(3, 3).name()
    assert shown == group_colour(225)
    assert bar.grab().toImage().pixelColor(8, bar.height() // 2).name() == group_colour(225)
    first, second = name.toolTip().splitlines()
    assert first.startswith("225 (Fm-3m), or 209, 216, which")
    assert second.endswith("221 (Pm-3m) look the same")
    opened.viewer.layers.clear()
    opened.qtbot.waitUntil(lambda: not legend.isVisible())


def test_beside_the_pattern_stands_that_of_the_best_match(opened, masters):
    point_at(opened, 2, 1)
    opened.wait_for_views(*SHOWN)
    readout = opened.patterns.symmetry
    assert readout.group.text() == "225 (Fm-3m)  ·  confidence 0.60  ·  or 221"
    told = readout.group.toolTip().splitlines()
    assert told[0] == readout.group.text()
    assert told[1].startswith("225 (Fm-3m), or 209, 216, which")
    assert told[2].endswith("221 (Pm-3m) look the same")
    # Among the values of the maps it is not told again.
    assert opened.patterns.values.text().startswith("compatible groups 2  ·  probability 221")
    assert readout.match.text().startswith("best match: faces, Fm-3m, correlation 0.")
    simulated = opened.patterns.panes.image(View.SIMULATED)
    measured = opened.scan.read(2, 1)
    assert np.corrcoef(simulated.ravel(), measured.ravel())[0, 1] > 0.7

    point_at(opened, 3, 5)
    opened.qtbot.waitUntil(lambda: "best match: body, Im-3m" in readout.match.text())
    point_at(opened, 3, 9)
    opened.qtbot.waitUntil(lambda: readout.match.text() == "")
    assert readout.group.text() == "unlike cubic crystals"


def test_where_no_phase_is_known_the_other_patterns_stay_where_they_are(opened):
    point_at(opened, 2, 1)
    opened.wait_for_views(*SHOWN)
    panes = opened.patterns.panes
    panes.model.scene.camera.zoom *= 2
    frames = panes.frames()
    pane = panes.model.layers[-1]
    assert pane.name == "simulated"
    point_at(opened, 3, 9)
    opened.qtbot.waitUntil(lambda: pane.name == "simulated\nno known phase")
    assert panes.shown == SHOWN
    assert np.isnan(panes.image(View.SIMULATED)).all()
    assert panes.frames() == frames
    point_at(opened, 3, 5)
    opened.qtbot.waitUntil(lambda: pane.name == "simulated")
    assert np.isfinite(panes.image(View.SIMULATED)).all()
    assert panes.frames() == frames


def test_the_simulated_pattern_is_offered_only_where_there_is_one(opened):
    point_at(opened, 2, 1)
    opened.wait_for_views(*SHOWN)
    box = opened.patterns.controls.box(View.SIMULATED)
    assert box.isVisible()
    box.click()
    opened.wait_for_views(View.RAW, View.CORRECTED)
    box.click()
    opened.wait_for_views(*SHOWN)
    for layer in [one for one in opened.viewer.layers if link_of(one).stack is not None]:
        opened.viewer.layers.remove(layer)
    opened.wait_for_views(View.RAW, View.CORRECTED)
    assert not box.isVisible()
    assert not opened.patterns.symmetry.isVisible()


def test_a_pattern_that_cannot_be_compared_is_shown_all_the_same(opened, masters, monkeypatch):
    def fail(*_, **__):
        raise ValueError("no such phase")

    monkeypatch.setattr(masters, "match", fail)
    point_at(opened, 2, 1)
    opened.wait_for_views(*SHOWN)
    assert opened.patterns.panes.model.layers[-1].name == "simulated\nnot compared"
    opened.qtbot.waitUntil(lambda: "no such phase" in opened.patterns.notice.text())


def test_the_geometry_of_the_maps_is_taken_where_none_is_known(opened):
    options = dock_of(opened).form.geometry_options
    assert options.chosen() == GEOMETRY
    assert options.notice.text() == "The geometry is that of the maps of symmetry."


def test_a_store_of_symmetry_is_opened_with_its_scan(
    make_napari_viewer, qtbot, tmp_path, masters, write_scan
):
    patterns = symmetry_scan(masters)[0].source.array
    scan = open_scan(write_scan(tmp_path / "steel.up2", patterns))
    store = tmp_path / "steel.symmetry.zarr"
    write_maps(store, symmetry_stack(scan))
    viewer = make_napari_viewer(show=True)
    viewer.open(store, plugin=PLUGIN)
    window = Window(viewer, qtbot)
    labels = viewer.layers["symmetry"]
    assert isinstance(labels, Labels)
    assert [layer.name for layer in viewer.layers if layer.visible] == ["symmetry"]
    qtbot.waitUntil(lambda: dock_of(window).form.legend.isVisible())

    # Made anew, it takes the place of what was shown.
    source = link_of(labels).source
    qtbot.waitUntil(lambda: source.scan is not None)
    show_store(window.session, store, source.scan)
    count = len(read_maps(store))
    # Two dozen layers come one by one, which takes a busy machine without a graphics card a while.
    qtbot.waitUntil(
        lambda: labels not in viewer.layers and len(viewer.layers) == count, timeout=180_000
    )
    assert viewer.layers["symmetry"].visible
    assert SYMMETRY in " ".join(viewer.window.dock_widgets)


def test_what_is_saved_of_a_map_of_symmetry_is_one_again(opened, tmp_path):
    layers = [opened.viewer.layers[name] for name in ("confidence", "symmetry")]
    target = tmp_path / "part.zarr"
    write_map_layers(str(target), [layer.as_layer_data_tuple() for layer in layers])
    saved = read_maps(target)
    assert saved.names == ["symmetry", "confidence"]
    np.testing.assert_array_equal(saved.map(0), opened.stack.map(0))
    assert SymmetryReadings.of(saved).at(0, FIRST.start).group == 225
    assert saved.channels[0].colormap == "tab10"
    # What was painted over is saved as it is.
    layers[1].data[0, FIRST.start] = 227
    write_map_layers(str(target), [layer.as_layer_data_tuple() for layer in layers])
    assert read_maps(target).map(0)[0, FIRST.start] == 227


def test_orientations_that_were_indexed_outlive_a_map_of_symmetry(session, qtbot, masters):
    crystals = [Crystal.built_in("cu"), Crystal.built_in("ti")]
    spots, truth = simulate_spot_scan((8, 12), crystals, seed=1)
    scan, rotations = symmetry_scan(masters)
    source = ScanLink(scan)
    show_stack(session, hough_maps(truth, spots), source)
    solutions = solutions_of(session)
    qtbot.waitUntil(lambda: solutions.of(scan) is not None)
    show_stack(session, symmetry_stack(scan, rotations), source)
    known = symmetries_of(session)
    qtbot.waitUntil(lambda: known.of(scan) is not None)
    assert solutions.of(scan) is not None
    assert known.of(scan).readings.at(0, SECOND.start).group == 229
