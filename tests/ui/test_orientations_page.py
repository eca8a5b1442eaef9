"""What maps of orientations bring into a window: spots, words, misorientations, a correlation."""

from dataclasses import replace

import numpy as np
import pytest
from orientation_maps import hough_maps, true_maps, true_orientations
from spot_window import SpotWindow

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.explore.orientations import misorientation_to
from napari_kikuchi.io import open_scan
from napari_kikuchi.io.map_store import write_maps
from napari_kikuchi.orientation.correlation import axis_correlation
from napari_kikuchi.orientation.simulated_scan import simulate_spot_scan
from napari_kikuchi.ui import INSPECTOR, ORIENTATIONS, PLUGIN
from napari_kikuchi.ui.link import link_of
from napari_kikuchi.ui.pattern_scale import pattern_scales_of
from napari_kikuchi.ui.reader import navigator_layer
from napari_kikuchi.ui.show_maps import show_stack
from napari_kikuchi.ui.solutions import solutions_of
from napari_kikuchi.ui.spot_sources import spot_sources_of
from spot_file import write_spot_file


@pytest.fixture(scope="module")
def sample():
    crystals = [Crystal.built_in("cu"), Crystal.built_in("ti")]
    return simulate_spot_scan((8, 9), crystals, seed=1)


@pytest.fixture
def opened(make_napari_viewer, qtbot, sample):
    """A window with the scan, the dock, and no maps yet."""
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1400, 900)
    data, attributes, _ = navigator_layer(sample[0])
    viewer.add_image(data, **attributes)
    window = SpotWindow(viewer, qtbot)
    window.wait_for("row 4, column 4")
    _, window.dock = viewer.window.add_plugin_dock_widget(PLUGIN, ORIENTATIONS)
    window.dock.tabs.setCurrentIndex(1)
    return window


def show(window, stack):
    """Show maps of the scan that is open."""
    source = link_of(window.viewer.layers[0]).source
    count = len(window.viewer.layers) + len(stack)
    show_stack(window.session, stack, source)
    solutions = solutions_of(window.session)
    window.qtbot.waitUntil(lambda: solutions.of(source.scan) is not None)
    window.qtbot.waitUntil(lambda: len(window.viewer.layers) == count)


def position_of(truth, phase):
    """A position of a phase; None: of none."""
    row, col = np.argwhere(truth.phases == phase)[0]
    return int(row), int(col)


def go(window, row, col):
    here = window.session.subject
    window.session.step(row - here.row, col - here.col)


def test_spots_of_the_solution_are_drawn_and_told_where_there_is_one(opened, sample, qtbot):
    scan, truth = sample
    marks, readout = opened.tools.spots, opened.patterns.orientation
    assert "Map the orientations" in marks.simulated.toolTip()
    assert not readout.isVisible()
    show(opened, true_maps(truth, scan))
    assert marks.simulated.isEnabled()
    scale = pattern_scales_of(opened.session).of(scan)
    assert scale.calibration.settings() == truth.calibration.settings()
    drawing = marks.drawings[marks.simulated]
    for phase, name in enumerate(("Cu", "Ti")):
        go(opened, *(place := position_of(truth, phase)))
        expected = truth.spots(np.array([place]))[0]
        strongest = expected[: max(1, (expected[:, 2] > 0.1 * expected[0, 2]).sum())]
        x, y = truth.calibration.to_pixels(strongest[None, :, 0], strongest[None, :, 1], [place])

        def on_the_true_ones(x=x, y=y):
            places = np.array(drawing._places).reshape(-1, 2)
            if not len(places):
                return False
            apart = np.hypot(places[:, :1] - y, places[:, 1:] - x)
            return apart.min(axis=0).max() < 0.1

        qtbot.waitUntil(on_the_true_ones)
        reading = solutions_of(opened.session).of(scan).readings.at(*place)
        assert readout.text().startswith(f"{name}  ·  beam {reading.away:.1f}° from [")
        assert "confidence 0.90" in readout.text()
        assert f"φ₁ {reading.euler[0]:.1f}°" in readout.text()
        assert readout.text() in readout.toolTip()
    go(opened, *position_of(truth, -1))
    qtbot.waitUntil(lambda: drawing.count == 0)
    assert readout.text() == "not indexed"


def test_maps_that_are_opened_bring_their_scan_and_its_spots(
    make_napari_viewer, qtbot, sample, tmp_path
):
    path = write_spot_file(tmp_path / "weld.hspy", sample[0])
    scan = open_scan(path)
    store = tmp_path / "weld.orientations.zarr"
    write_maps(store, true_maps(sample[1], scan))
    viewer = make_napari_viewer(show=True)
    viewer.open(store, plugin=PLUGIN)
    window = SpotWindow(viewer, qtbot)
    sources = spot_sources_of(window.session)
    qtbot.waitUntil(lambda: [sources.simulated(one) for one in window.session.scans()] != [])
    (found,) = window.session.scans()
    qtbot.waitUntil(lambda: sources.simulated(found) is not None)
    assert window.patterns.orientation.isVisible()
    calibration = pattern_scales_of(window.session).of(found).calibration
    assert calibration.settings() == sample[1].calibration.settings()


def test_nothing_is_told_of_maps_of_which_no_pattern_is_indexed(opened, sample, qtbot):
    scan, truth = sample
    stack = true_maps(truth, scan)
    show(opened, stack)
    sources, solutions = spot_sources_of(opened.session), solutions_of(opened.session)
    assert sources.simulated(scan) is not None
    values = np.asarray(stack.values).copy()
    values[0], values[2:6] = 0, np.nan
    source = link_of(opened.viewer.layers[0]).source
    show_stack(opened.session, replace(stack, values=values), source)
    qtbot.waitUntil(lambda: solutions.of(scan) is None)
    assert sources.simulated(scan) is None
    assert not opened.patterns.orientation.isVisible()
    qtbot.waitUntil(lambda: len(opened.viewer.layers) == 1 + 2 * len(stack))


def test_nothing_is_told_of_maps_that_are_gone(opened, sample):
    scan, truth = sample
    stack = hough_maps(truth, scan)
    told = []
    page, solutions = opened.dock.page, solutions_of(opened.session)
    solutions.changed.connect(lambda _: told.append(page.notice.text()))
    show(opened, stack)
    # While they are read, which may take its time, and after that.
    assert told == ["Reading the orientations…", ""]
    assert opened.patterns.orientation.isVisible()
    for _ in range(len(stack)):
        assert solutions.of(scan) is not None
        opened.viewer.layers.pop()
    assert solutions.of(scan) is None
    assert not opened.patterns.orientation.isVisible()
    assert not page.content.isVisible()


def test_maps_that_do_not_tell_the_atoms_have_no_spots_but_all_else(opened, sample):
    scan, truth = sample
    phases = [one.settings() for one in truth.crystals]
    for phase in phases:
        del phase["atoms"]
    show(opened, true_maps(truth, scan, phases=phases))
    assert spot_sources_of(opened.session).simulated(scan) is None
    go(opened, *position_of(truth, 0))
    assert opened.patterns.orientation.text().startswith("Cu  ·  beam ")


@pytest.mark.parametrize("made_by", [true_maps, hough_maps])
def test_misorientations_to_the_position_shown_are_one_layer(opened, sample, qtbot, made_by):
    scan, truth = sample
    tool, page = opened.dock.page.misorientation, opened.dock.page
    assert not page.content.isVisible()
    assert "no orientations of this scan yet" in page.notice.text()
    show(opened, made_by(truth, scan))
    assert page.content.isVisible()
    simulated = spot_sources_of(opened.session).simulated(scan)
    assert (simulated is None) == (made_by is hough_maps)
    go(opened, *(place := position_of(truth, 0)))
    assert "  ·  beam " in opened.patterns.orientation.text()
    layers = opened.viewer.layers
    count = len(layers)
    known = true_orientations(truth)

    def shown(row, col):
        name = f"misorientation to row {row}, column {col}"
        qtbot.waitUntil(lambda: name in layers)
        assert len(layers) == count + 1
        expected = misorientation_to(known, row, col)
        np.testing.assert_allclose(layers[name].data, expected, atol=0.05)
        return layers[name]

    tool.button.click()
    layer = shown(*place)
    assert link_of(layer).stack.channels[0].unit == "°"
    assert layer.contrast_limits == pytest.approx(
        link_of(layer).stack.channels[0].contrast(layer.data)
    )
    # Nothing else shines through where there is another phase.
    maps = [one for one in layers if (link := link_of(one)) and link.stack]
    assert [one for one in maps if one.visible] == [layer]
    # The next position, once the cursor is followed, without a click.
    other = tuple(int(one) for one in np.argwhere(truth.phases == 0)[-1])
    go(opened, *other)
    tool.follow.click()
    assert shown(*other) is layer
    go(opened, *place)
    assert shown(*place) is layer
    tool.follow.click()
    go(opened, *position_of(truth, -1))
    tool.button.click()
    qtbot.waitUntil(lambda: "not indexed" in tool.notice.text())
    assert shown(*place) is layer


def test_zone_axes_are_correlated_and_colours_have_a_key(opened, sample, qtbot):
    scan, truth = sample
    show(opened, true_maps(truth, scan))
    page = opened.dock.page
    assert "patterns are indexed: Cu" in page.notice.text()
    assert not page.correlation.plot.isVisible()
    page.correlation.button.click()
    qtbot.waitUntil(lambda: page.correlation.plot.figure is not None)
    qtbot.waitUntil(lambda: page.correlation.plot.current and page.key.current)
    expected = axis_correlation(true_orientations(truth)).over_distance(scan.step)
    line = page.correlation.plot.parts.lines[0]
    count = len(line.get_xdata())
    assert count > 3
    np.testing.assert_allclose(line.get_xdata(), expected["distance (µm)"][:count])
    np.testing.assert_allclose(line.get_ydata(), expected["correlation"][:count], atol=1e-6)
    assert "one half" in page.correlation.notice.text()
    words = [text.get_text() for axes in page.key.figure.axes for text in axes.texts]
    assert {"Cu", "Ti", "[111]", "[210]"} <= set(words)
    # Another scan has none of it.
    opened.dock.set_scan(None)
    assert not page.content.isVisible()
    assert page.key.figure is None


def test_a_figure_of_them_has_the_colour_key_of_each_phase(opened, sample):
    scan, truth = sample
    show(opened, true_maps(truth, scan))
    _, inspector = opened.viewer.window.add_plugin_dock_widget(PLUGIN, INSPECTOR)
    (panel,) = inspector._figure()[0].maps
    assert [key.name for key in panel.keys] == ["Cu", "Ti"]
    assert panel.heading == "crystal direction along z"
