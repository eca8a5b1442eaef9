"""Rows of pictures from one map to another, in the real dock."""

from dataclasses import replace

import numpy as np
import pytest
from making import COLS, STEP, add_maps, make

from napari_kikuchi.microstructure.grains import picture_of
from napari_kikuchi.microstructure.measured import read_measured
from napari_kikuchi.ui.link import ScanLink

CUT = 12


@pytest.fixture
def other(stack):
    """The same upside down, with fewer rows."""
    return replace(stack, values=stack.values[:, ::-1][:, :CUT].copy())


@pytest.fixture
def page(dock, viewer, other, qtbot):
    add_maps(viewer, other, ScanLink(record={"name": "other"}))
    qtbot.waitUntil(lambda: dock.interpolate.others.stack is other)
    dock.interpolate.noise.value = 0
    dock.interpolate.count.value = 3
    return dock.interpolate


def test_the_slider_leads_from_one_map_to_the_other(page, viewer, stack, other, qtbot):
    assert page.stacks.stack is stack
    assert not page.weight.enabled
    make(page, qtbot)
    colours = viewer.layers["orientations (interpolated, seed 0)"]
    phase = viewer.layers["phase (interpolated, seed 0)"]
    assert colours.rgb
    assert colours.data.shape == (3, CUT, COLS, 3)
    assert phase.data.shape == (3, CUT, COLS)
    ends = [picture_of(read_measured(one).orientations)[:, :CUT] for one in (stack, other)]
    for index, end in zip((0, 2), ends, strict=True):
        known = ~np.isnan(end[0])
        shown = np.moveaxis(colours.data[index], -1, 0)
        np.testing.assert_allclose(shown[:, known], end[:3, known], atol=1e-6)
        np.testing.assert_allclose(phase.data[index][known], end[3][known], atol=1e-6)
    # It lies over the first maps.
    over = page.stacks.layer()
    for layer in (colours, phase):
        np.testing.assert_allclose(
            layer.data_to_world((1, 4, 5)), (0.5, *over.data_to_world((4, 5)))
        )
        assert layer.axis_labels == ("weight", "y", "x")
    told = page.words.text()
    assert f"The maps have 16 × 24 and {CUT} × 24 points; they were cut to {CUT} × 24." in told
    missing = [int(np.isnan(end[0]).sum()) for end in ends]
    assert f"{missing[0]} points of the first and {missing[1]} of the second" in told


def test_the_weight_moves_napari_s_slider_and_follows_it(page, viewer, qtbot):
    make(page, qtbot)
    assert page.weight.enabled
    page.weight.value = 1
    assert viewer.dims.current_step[0] == 2
    viewer.dims.set_current_step(0, 1)
    assert page.weight.value == pytest.approx(0.5)
    viewer.layers.remove("orientations (interpolated, seed 0)")
    qtbot.waitUntil(lambda: not page.weight.enabled)


def test_from_a_map_to_itself_there_is_no_way(dock, stack):
    page = dock.interpolate
    assert page.others.stack is stack
    assert not page.button.isEnabled()
    assert "two different maps" in page.button.toolTip()


def test_rows_lie_where_maps_were_moved_to(page, viewer, qtbot):
    over = page.stacks.layer()
    over.translate, over.rotate = (3.0, -2.0), 20
    make(page, qtbot)
    layer = viewer.layers["orientations (interpolated, seed 0)"]
    for row, col in ((0, 0), (5, 7)):
        np.testing.assert_allclose(
            layer.data_to_world((0, row, col))[1:], over.data_to_world((row, col)), atol=1e-9
        )
    assert over.scale.tolist() == list(STEP)
