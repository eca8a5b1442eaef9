"""Walls, cells, domains and clusters in the real dock, against maps whose truth is known."""

import csv

import numpy as np
import pytest
from napari.layers import Image, Labels, Layer
from qtpy.QtCore import Qt

from napari_kikuchi.explore.domains import domain_spread
from napari_kikuchi.explore.neighbour_distances import kernel_spread, neighbour_distances
from napari_kikuchi.io import open_scan
from napari_kikuchi.io.map_store import read_maps
from napari_kikuchi.jobs import finish
from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.ui import PLUGIN, SEGMENT, domains_page
from napari_kikuchi.ui.layers import layers_of
from napari_kikuchi.ui.link import ScanLink, link_of
from napari_kikuchi.ui.pointer import Pointer

ROWS, COLS, STEP = 60, 96, (0.5, 0.25)
# Distances between walls, and how thick these are, in µm.
APART, THICK = (5.0, 6.0), 0.6
FEATURES = 6
WALLED = "pattern contrast"


def walled(noise=0.03):
    """Dark walls along rows and columns, as thick as told at half of their depth."""
    away = []
    for size, step, apart in zip((ROWS, COLS), STEP, APART, strict=True):
        # So that no wall lies on the border of the map.
        place = (np.arange(size) + 0.5) * step
        away.append(np.abs((place % apart) - apart / 2))
    distance = np.minimum(away[0][:, None], away[1])
    walls = np.exp(-4 * np.log(2) * (distance / THICK) ** 2)
    return 1 - 0.5 * walls + noise * np.random.default_rng(1).normal(size=walls.shape)


def grains():
    """Numbers of four grains, the largest first."""
    row, col = np.indices((ROWS, COLS))
    return 1 + (col >= 50) + 2 * (row >= 35)


@pytest.fixture
def stack():
    """Features that differ from grain to grain, a map of walls, and one of noise."""
    rng = np.random.default_rng(0)
    means = rng.normal(scale=3, size=(FEATURES, 5))
    features = means[:, grains()] + rng.normal(scale=0.2, size=(FEATURES, ROWS, COLS))
    values = np.stack([*features, walled(), rng.normal(size=(ROWS, COLS))]).astype(np.float32)
    channels = [Channel(f"feature {i + 1}", score=float(i)) for i in range(FEATURES)]
    channels += [Channel(WALLED, score=20.0), Channel("noise")]
    return MapStack(values, channels, STEP, {"method": "latent", "model": {"latent": FEATURES}})


@pytest.fixture
def scan(tmp_path, write_scan):
    patterns = np.random.default_rng(2).integers(0, 1000, (ROWS, COLS, 8, 8)).astype(np.uint16)
    return open_scan(write_scan(tmp_path / "weld.up2", patterns))


@pytest.fixture
def dock(make_napari_viewer, stack, scan):
    viewer = make_napari_viewer()
    for data, attributes, kind in layers_of(stack, ScanLink(scan)):
        viewer.layers.append(Layer.create(data, attributes, kind))
    return open_dock(viewer)


def open_dock(viewer):
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, SEGMENT)
    return dock


def find(page, qtbot):
    """Press the button, and wait until all is shown."""
    assert page.button.isEnabled(), page.button.toolTip()
    qtbot.mouseClick(page.button, Qt.MouseButton.LeftButton)
    assert not page.button.isEnabled()
    assert page.row.cancel_button.isVisibleTo(page)
    wait(page, qtbot)


def wait(page, qtbot):
    qtbot.waitUntil(lambda: not page.row.active)
    qtbot.wait(100)  # Layers come one after another.


def layers_in(dock):
    return dock.session.viewer.layers


def save(page, name, path, qtbot):
    assert page.save_buttons[name].isEnabled()
    page.save(name, path)
    qtbot.waitUntil(path.exists)
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def assert_same_parts(one, other):
    """Whether two maps of numbers divide alike, whatever the numbers."""
    pairs = np.unique(np.stack([one.ravel(), other.ravel()]), axis=1)
    assert pairs.shape[1] == len(np.unique(one)) == len(np.unique(other))


# ---------------------------------------------------------------------- walls and cells


def test_walls_and_cells_have_the_size_they_were_made_with(dock, tmp_path, qtbot):
    page = dock.walls
    assert page.map.value == WALLED  # which is visible
    find(page, qtbot)
    cells, walls = layers_in(dock)["cells"], layers_in(dock)["walls"]
    over = layers_in(dock)[WALLED]
    for layer in (cells, walls):
        assert isinstance(layer, Labels)
        np.testing.assert_array_equal(layer.scale, over.scale)
        assert layer.units == over.units
    deep = walled(noise=0) < 0.75
    assert np.mean((walls.data == 1) == deep) > 0.95
    figures = {row["measure"]: row for row in save(page, "figures", tmp_path / "f.csv", qtbot)}
    for name, expected in (
        ("wall thickness", THICK),
        ("wall fraction", deep.mean()),
        ("cell diameter", np.sqrt(4 * APART[0] * APART[1] / np.pi)),
    ):
        assert float(figures[name]["value"]) == pytest.approx(expected, rel=0.1)
        assert 0 <= float(figures[name]["standard error"]) < 0.1 * expected
    assert figures["wall thickness"]["unit"] == "µm"
    told = page.words.text()
    assert told.startswith(f"Dark walls on {WALLED}")
    assert f"{float(figures['wall thickness']['value']):.1f}" in told
    # As many as were made, of which the outermost are cut.
    assert (figures["cells"]["value"], figures["whole cells"]["value"]) == ("35", "15")
    of_cells = save(page, "cells", tmp_path / "c.csv", qtbot)
    assert len(of_cells) == page.table.model().rowCount() == 35


def test_a_row_of_the_table_leads_to_its_cell(dock, qtbot):
    page = dock.walls
    find(page, qtbot)
    page.table.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    page.table.selectRow(0)
    cells = layers_in(dock)["cells"]
    chosen = np.count_nonzero(cells.data == cells.selected_label)
    assert chosen == np.bincount(cells.data.ravel())[1:].min()


def test_a_row_of_what_is_in_view_moves_nothing(make_napari_viewer, stack, scan, qtbot):
    viewer = make_napari_viewer(show=True)
    for data, attributes, kind in layers_of(stack, ScanLink(scan)):
        viewer.layers.append(Layer.create(data, attributes, kind))
    page = open_dock(viewer).walls
    find(page, qtbot)
    camera = viewer.scene.camera
    cells = viewer.layers["cells"]
    viewer.reset_view()
    qtbot.waitUntil(lambda: np.ptp(cells.corner_pixels, axis=0).min() > 0)
    before = camera.center
    page.table.selectRow(0)
    chosen = cells.selected_label
    assert camera.center == before
    place = (np.argwhere(cells.data == chosen) * STEP).mean(axis=0)
    camera.center = (*camera.center[:-2], *(place + 1000))
    corner = cells.corner_pixels.copy()
    qtbot.waitUntil(lambda: (cells.corner_pixels != corner).any())
    page.table.selectRow(1)
    page.table.selectRow(0)
    np.testing.assert_allclose(camera.center[-2:], place, atol=1e-6)


def test_cells_end_at_the_borders_of_labels_too(dock, qtbot):
    page = dock.walls
    assert not page.borders.enabled
    assert "no labels" in page.borders.tooltip
    layers_in(dock).append(Labels(grains(), name="grains", scale=STEP, units=("um", "um")))
    qtbot.waitUntil(lambda: page.borders.enabled)
    assert page.borders.choices == ("nothing else", "grains")
    find(page, qtbot)
    without = layers_in(dock)["cells"].data.copy()
    page.borders.value = "grains"
    find(page, qtbot)
    cells = layers_in(dock)["cells"].data
    # The layers of the same map are renewed; what was found is no border of itself.
    assert [layer.name for layer in layers_in(dock)].count("cells") == 1
    assert page.borders.choices == ("nothing else", "grains")
    assert cells.max() > without.max()
    for number in range(1, cells.max() + 1):
        assert len(np.unique(grains()[cells == number])) == 1


def test_a_map_without_walls_says_so(dock, qtbot):
    page = dock.walls
    page.map.value = "noise"
    find(page, qtbot)
    assert "no walls stand out" in page.row.notice.text()
    assert "cells" not in layers_in(dock)
    assert not page.save_buttons["figures"].isEnabled()
    assert page.save_buttons["figures"].toolTip() == "Nothing has been found yet"


def test_the_visible_map_comes_first_until_one_is_chosen(dock, qtbot):
    page = dock.walls
    layers_in(dock)[WALLED].visible = False
    layers_in(dock)["feature 3"].visible = True
    qtbot.waitUntil(lambda: page.map.value == "feature 3")
    page.map.native.activated.emit(0)
    page.map.value = "noise"
    layers_in(dock)["feature 5"].visible = True
    qtbot.waitUntil(lambda: page.map.choices[:2] == ("feature 5", "feature 3"))
    assert page.map.value == "noise"


def test_patterns_follow_over_cells_and_saved_cells_come_back(dock, scan, tmp_path, qtbot):
    find(dock.walls, qtbot)
    viewer, cells = dock.session.viewer, layers_in(dock)["cells"]
    viewer.layers.selection.active = cells
    point = Pointer(dock.session).point_at((10.0, 7.5))
    assert (point.scan, point.row, point.col, point.layer) == (scan, 20, 30, cells)
    settings = link_of(cells).stack.provenance["settings"]
    assert settings == {"map": WALLED, "dark": True, "borders": None}
    cells.data[:2] = 7  # what was mended by hand is what is saved
    viewer.layers.selection = {cells, layers_in(dock)["walls"]}
    assert viewer.layers.save(str(tmp_path / "cells.zarr"), selected=True)
    saved = read_maps(tmp_path / "cells.zarr")
    assert [(one.name, one.colormap) for one in saved.channels] == [
        ("cells", "tab20"),
        ("walls", "tab20"),
    ]
    np.testing.assert_array_equal(saved.map(0), cells.data)
    assert saved.step == STEP
    assert saved.provenance["method"] == "walls"
    assert saved.provenance["maps"]["model"] == {"latent": FEATURES}


# ---------------------------------------------------------------------- domains


def test_domains_are_the_grains_and_their_spread_is_mapped(dock, stack, tmp_path, qtbot):
    page = dock.domains
    assert not page.threshold.enabled
    assert "Find domains first" in page.threshold.tooltip
    find(page, qtbot)
    domains = layers_in(dock)["domains"]
    assert_same_parts(domains.data, grains())
    assert page.words.text().startswith("4 domains, at the suggested threshold of")
    assert page.threshold.native.suffix() == " °"
    distances = finish(neighbour_distances(stack, "angle"))
    expected = {
        "kernel spread": kernel_spread(distances, page._neighbours.suggested),
        "domain spread": finish(domain_spread(stack, domains.data)).spread,
    }
    for name, values in expected.items():
        layer = layers_in(dock)[name]
        assert isinstance(layer, Image)
        np.testing.assert_allclose(layer.data, values, rtol=1e-5)
        link = link_of(layer)
        assert link.stack.channels[link.channel].name == name
        # It does not cover the domains.
        assert layers_in(dock).index(layer) < layers_in(dock).index(domains)
    rows = save(page, "domains", tmp_path / "d.csv", qtbot)
    areas = np.bincount(domains.data.ravel())[1:] * STEP[0] * STEP[1]
    np.testing.assert_allclose([float(row["area (µm²)"]) for row in rows], areas)
    for row in rows:
        here = domains.data == int(row["domain"])
        means = [values[here].mean() for values in expected.values()]
        told = [float(row[name]) for name in ("kernel spread (°)", "domain spread")]
        np.testing.assert_allclose(told, means, rtol=1e-4)


def test_another_threshold_is_tried_without_comparing_again(dock, monkeypatch, qtbot):
    page = dock.domains
    find(page, qtbot)
    suggested, domains = page.threshold.value, layers_in(dock)["domains"]
    spread = layers_in(dock)["domain spread"].data.copy()

    def again(*_):
        raise AssertionError("compared again")

    monkeypatch.setattr(domains_page, "neighbour_distances", again)
    page.threshold.value = 180
    qtbot.waitUntil(lambda: domains.data.max() == 1)
    wait(page, qtbot)
    assert page.words.text().startswith("1 domain, at a threshold of 180°;")
    assert link_of(domains).stack.provenance["settings"]["threshold"] == 180
    assert np.nanmean(layers_in(dock)["domain spread"].data) > 3 * np.nanmean(spread)
    # The plot sets it, too.
    plot = page.distance_plot
    qtbot.waitUntil(lambda: plot.current)
    place = plot.place(plot.figure.axes[0], suggested, 1).toPoint()
    qtbot.mousePress(plot, Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: domains.data.max() == 4)
    wait(page, qtbot)
    assert page.threshold.value == pytest.approx(suggested, abs=2)


def test_fewer_positions_are_tried_at_the_very_threshold_that_was_suggested(dock, qtbot):
    page = dock.domains
    find(page, qtbot)
    domains = layers_in(dock)["domains"]
    # It has more digits than the form has room for.
    assert page.threshold.value != page._neighbours.suggested
    page.smallest.value = 5000
    qtbot.waitUntil(lambda: domains.data.max() == 1)
    wait(page, qtbot)
    assert page.words.text().startswith("1 domain, at the suggested threshold of")
    settings = link_of(domains).stack.provenance["settings"]
    assert settings["threshold"] == page._neighbours.suggested


def test_whoever_keeps_a_map_of_spread_sees_that_it_is_renewed(dock, qtbot):
    page = dock.domains
    find(page, qtbot)
    spread = layers_in(dock)["kernel spread"]
    kept, before, told = spread.data, spread.data.copy(), []
    spread.events.data.connect(told.append)
    page.threshold.value = 180
    qtbot.waitUntil(lambda: bool(told))
    wait(page, qtbot)
    np.testing.assert_array_equal(kept, before)
    assert not np.array_equal(spread.data, before, equal_nan=True)


def test_by_distance_the_threshold_has_the_unit_of_the_features(dock, qtbot):
    page = dock.domains
    find(page, qtbot)
    angles = layers_in(dock)["domains"]
    page.metric.value = "distance of vectors"
    assert not page.threshold.enabled
    find(page, qtbot)
    assert page.threshold.native.suffix() == ""
    # Both are there to be compared.
    others = [one for one in layers_in(dock) if one.name.startswith("domains")]
    assert len(others) == 2
    for layer in others:
        assert_same_parts(layer.data, grains())
    assert link_of(angles).stack is not link_of(others[-1]).stack


def test_what_is_found_hides_what_was_found_before(dock, qtbot):
    find(dock.walls, qtbot)
    find(dock.clusters, qtbot)
    seen = {name: layers_in(dock)[name].visible for name in ("cells", "walls", "clusters")}
    assert seen == {"cells": False, "walls": False, "clusters": True}
    # Who shows them again has them beside the next try.
    layers_in(dock)["walls"].visible = True
    find(dock.clusters, qtbot)
    assert layers_in(dock)["walls"].visible
    layers_in(dock)["walls"].visible = False
    find(dock.walls, qtbot)
    assert layers_in(dock)["walls"].visible
    assert not layers_in(dock)["clusters"].visible


def test_a_cancelled_search_leaves_nothing_behind(dock, monkeypatch, qtbot):
    page = dock.domains

    def endless(*_):
        while True:
            yield domains_page.Progress(0, 0, "Comparing neighbours")

    monkeypatch.setattr(domains_page, "neighbour_distances", endless)
    qtbot.mouseClick(page.button, Qt.MouseButton.LeftButton)
    assert page.button.toolTip() == "This is being done"
    qtbot.mouseClick(page.row.cancel_button, Qt.MouseButton.LeftButton)
    assert page.button.isEnabled()
    assert "domains" not in layers_in(dock)


# ---------------------------------------------------------------------- clusters


def test_clusters_are_the_kinds_there_are_and_told_by_their_size(dock, qtbot):
    page = dock.clusters
    page.count.value = 4
    find(page, qtbot)
    clusters = layers_in(dock)["clusters"]
    assert_same_parts(clusters.data, grains())
    assert page.words.text() == "5,760 positions in 4 clusters, by 6 latent features."
    model = page.table.model()
    shown = [[model.index(row, col).data() for col in range(4)] for row in range(4)]
    counts = np.bincount(clusters.data.ravel())[1:]
    assert [row[0] for row in shown] == ["1", "2", "3", "4"]
    assert [row[3] for row in shown] == [f"{count:,}" for count in counts]
    np.testing.assert_allclose([float(row[2]) for row in shown], 100 * counts / 5760, rtol=5e-3)
    # The colour beside a number is the one on the map.
    colour = model.index(2, 0).data(Qt.ItemDataRole.DecorationRole)
    np.testing.assert_allclose(colour.getRgbF(), clusters.get_color(3), atol=0.01)


# ---------------------------------------------------------------------- what there is to work on


def test_without_maps_all_is_disabled_and_says_why(make_napari_viewer):
    dock = open_dock(make_napari_viewer())
    for page in (dock.walls, dock.domains, dock.clusters):
        assert not page.button.isEnabled()
        assert page.button.toolTip() == "Encode a scan, or open its maps, first"
    for choice in (dock.walls.map, dock.walls.darkness, dock.domains.metric, dock.clusters.count):
        assert not choice.enabled


def test_results_of_other_maps_stay_as_they_are(dock, stack, scan, qtbot):
    find(dock.clusters, qtbot)
    before = layers_in(dock)["clusters"]
    turned = MapStack(stack.values[:, ::-1].copy(), stack.channels, STEP, stack.provenance)
    for data, attributes, kind in layers_of(turned, ScanLink(scan)):
        layers_in(dock).append(Layer.create(data, attributes, kind))
    qtbot.waitUntil(lambda: dock.stacks.count() == 2)
    dock.stacks.setCurrentIndex(1 - dock.stacks.currentIndex())
    assert dock.clusters.words.text() == ""
    find(dock.clusters, qtbot)
    after = [one for one in layers_in(dock) if isinstance(one, Labels)][-1]
    assert after is not before
    np.testing.assert_array_equal(after.data[::-1] > 0, before.data > 0)
