"""Maps filled in by the real dock, beside those that were measured."""

from dataclasses import replace

import numpy as np
import pytest
from making import (
    COLS,
    HOLE,
    ROWS,
    STEP,
    add_maps,
    hole,
    layer_of,
    make,
    named,
    open_dock,
    settle,
    stacks_in,
)
from napari.layers import Labels
from qtpy.QtCore import Qt

from napari_kikuchi.io.indexed import PHASE, QUATERNION
from napari_kikuchi.jobs import Progress
from napari_kikuchi.microstructure import scan_filling
from napari_kikuchi.microstructure.maps import FILLED_IN, cubic_phases
from napari_kikuchi.ui.link import ScanLink, link_of
from napari_kikuchi.ui.pointer import Pointer
from napari_kikuchi.ui.solutions import solutions_of


def test_what_was_measured_stays_bit_by_bit_and_holes_are_filled(dock, viewer, stack, scan, qtbot):
    page = dock.fill_in
    qtbot.waitUntil(lambda: page.missing.text() != "")
    assert page.missing.text() == "20 of 384 points (5.2%) were not indexed."
    make(page, qtbot)
    old, new = stacks_in(viewer)
    assert old is stack
    for name in (PHASE, *QUATERNION):
        layer = layer_of(viewer, new, name)
        np.testing.assert_array_equal(layer.data[~hole()], named(stack, name)[~hole()])
        assert np.isfinite(layer.data).all()
        # Beside the old ones, over the same patterns.
        assert link_of(layer).source.scan is scan
        np.testing.assert_array_equal(layer.scale, STEP)
    np.testing.assert_array_equal(named(new, FILLED_IN) > 0, hole())
    assert page.words.text().startswith("20 of 384 points (5.2%) filled in, with seed 0: they")
    # What is shown is told from what was there.
    assert layer_of(viewer, new, "IPF z red").name == "IPF z red (filled in, seed 0)"
    assert layer_of(viewer, new, "IPF z red").visible
    point = Pointer(dock.session).point_at((3.0, 4.0))
    assert (point.scan, point.row, point.col) == (scan, 6, 16)
    assert link_of(point.layer).stack is new
    # Which orientation a pattern has, only those who have indexed it know.
    qtbot.waitUntil(lambda: not solutions_of(dock.session).is_awaited(scan))
    readings = solutions_of(dock.session).of(scan).readings
    assert readings.at(6, 16) is None
    assert readings.at(0, 0) is not None
    # One goes on with the maps that one had.
    assert dock.stacks.stack is stack
    assert dock.stacks.count() == 2


def test_another_has_the_next_seed(dock, viewer, qtbot):
    page = dock.fill_in
    make(page, qtbot)
    make(page, qtbot, page.another)
    _, one, other = stacks_in(viewer)
    assert [each.provenance["microstructure"]["seed"] for each in (one, other)] == [0, 1]
    assert "with seed 1" in page.words.text()
    offered = [dock.stacks.itemText(i) for i in range(dock.stacks.count())]
    assert len({*offered}) == 3


def test_a_drawn_region_is_made_anew(dock, viewer, stack, qtbot):
    page = dock.fill_in
    before = [layer.name for layer in viewer.layers]
    qtbot.mouseClick(page.region.draw_button, Qt.MouseButton.LeftButton)
    drawn = viewer.layers[-1]
    assert [layer.name for layer in viewer.layers] == [*before, "to fill in"]
    assert isinstance(drawn, Labels)
    assert viewer.layers.selection.active is drawn
    assert drawn.mode == "paint"
    assert 1 <= drawn.brush_size <= 3
    assert page.region.layer is drawn
    over = dock.stacks.layer()
    np.testing.assert_allclose(drawn.data_to_world((3, 5)), over.data_to_world((3, 5)))
    drawn.paint((2, 3), drawn.selected_label)
    painted = drawn.data > 0
    assert painted.any()
    make(page, qtbot)
    new = stacks_in(viewer)[-1]
    np.testing.assert_array_equal(named(new, FILLED_IN) > 0, hole() | painted)
    for name in QUATERNION:
        kept = ~(hole() | painted)
        np.testing.assert_array_equal(named(new, name)[kept], named(stack, name)[kept])
    # It is painted on again, not drawn anew.
    qtbot.mouseClick(page.region.draw_button, Qt.MouseButton.LeftButton)
    assert page.region.layer is drawn
    assert viewer.layers.selection.active is drawn
    viewer.layers.remove(drawn)
    qtbot.waitUntil(lambda: page.region.layer is None)


def test_any_labels_of_the_size_of_the_maps_are_offered(dock, viewer, qtbot):
    page = dock.fill_in
    marked = np.zeros((ROWS, COLS), int)
    marked[10:13, 2:8] = 7
    viewer.add_labels(marked, name="scratch")
    viewer.add_labels(np.zeros((5, 5), int), name="elsewhere")
    choice = page.region.choice
    qtbot.waitUntil(lambda: choice.count() == 2)
    choice.setCurrentIndex(choice.findText("scratch"))
    viewer.layers["scratch"].name = "dust"
    qtbot.waitUntil(lambda: choice.currentText() == "dust")
    make(page, qtbot)
    filled = named(stacks_in(viewer)[-1], FILLED_IN) > 0
    np.testing.assert_array_equal(filled, hole() | (marked > 0))


def test_maps_that_go_on_lie_over_the_old_ones(dock, viewer, stack, qtbot):
    for layer in viewer.layers:  # as scans are that were laid beside others
        layer.translate = (3.0, -2.0)
        layer.rotate = 30
    page = dock.fill_in
    for side, points in zip(("above", "below", "left", "right"), (3, 1, 4, 2), strict=True):
        page.margins.fields[side].value = points
    make(page, qtbot)
    new = stacks_in(viewer)[-1]
    assert new.map_shape == (ROWS + 4, COLS + 6)
    layer, over = layer_of(viewer, new, PHASE), layer_of(viewer, stack, PHASE)
    for row, col in ((0, 0), (7, 3), (ROWS - 1, COLS - 1)):
        np.testing.assert_allclose(
            layer.data_to_world((row + 3, col + 4)), over.data_to_world((row, col)), atol=1e-9
        )
    known = ~hole()
    np.testing.assert_array_equal(layer.data[3:-1, 4:-2][known], over.data[known])
    # Past its edges a scan has no patterns.
    assert link_of(layer).source.scan is None
    assert link_of(layer).source.name == "weld, extended"
    assert "no patterns behind maps that nobody has measured" in link_of(layer).source.problem


def test_what_is_cancelled_leaves_nothing(dock, viewer, monkeypatch, qtbot):
    page, before = dock.fill_in, list(viewer.layers)

    def endless(*_, **__):
        while True:
            yield Progress(0, 0, "Filling in")

    monkeypatch.setattr(scan_filling, "fill_maps", endless)
    qtbot.mouseClick(page.button, Qt.MouseButton.LeftButton)
    qtbot.wait(50)
    qtbot.mouseClick(page.row.cancel_button, Qt.MouseButton.LeftButton)
    assert page.button.isEnabled()
    settle(page, qtbot)
    assert list(viewer.layers) == before
    assert page.words.text() == ""


def test_maps_without_a_hole_need_none(windowless, stack, generator_file, qtbot):
    whole = replace(stack, values=stack.values[:, : HOLE[0].start])
    add_maps(windowless, whole, ScanLink(record={"name": "weld"}))
    dock = open_dock(windowless, generator_file, qtbot)
    page = dock.fill_in
    qtbot.waitUntil(lambda: page.missing.text() == "All 120 points were indexed.")
    make(page, qtbot)
    assert page.words.text().startswith("There is nothing to fill in")
    assert stacks_in(windowless) == [whole]


@pytest.mark.parametrize(
    ("provenance", "told"),
    [
        ({"scan": {"grid": "hexagonal"}, "indexing": {"phases": cubic_phases()}}, "hexagonal one"),
        ({"indexing": {"phases": cubic_phases(3)}}, "one or two phases, found 3"),
        ({}, "hold no orientations"),
    ],
)
def test_maps_that_cannot_be_filled_say_why(
    windowless, stack, generator_file, qtbot, provenance, told
):
    add_maps(windowless, replace(stack, provenance=provenance), ScanLink(record={"name": "weld"}))
    dock = open_dock(windowless, generator_file, qtbot)
    page = dock.fill_in
    qtbot.waitUntil(lambda: told in page.missing.text())
    assert not page.button.isEnabled()
    assert told in page.button.toolTip()


def test_a_file_that_is_no_generator_is_told(dock, tmp_path, qtbot):
    (tmp_path / "notes.safetensors").write_text("no")
    dock.options.generator.value = tmp_path / "notes.safetensors"
    page = dock.fill_in
    qtbot.mouseClick(page.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "notes.safetensors" in page.row.notice.text())
    assert page.button.isEnabled()
