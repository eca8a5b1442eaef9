"""Walls and cells in the real dock, against maps whose truth is known."""

import numpy as np
import pytest
from napari.layers import Labels, Layer
from qtpy.QtCore import Qt
from segmenting import (
    APART,
    FEATURES,
    STEP,
    THICK,
    WALLED,
    find,
    grains,
    layers_in,
    open_dock,
    save,
    walled,
)

from napari_kikuchi.io.map_store import read_maps
from napari_kikuchi.ui.layers import layers_of
from napari_kikuchi.ui.link import ScanLink, link_of
from napari_kikuchi.ui.pointer import Pointer


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
