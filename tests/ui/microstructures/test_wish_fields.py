"""What one wishes for of a generated map, by the real dock."""

import numpy as np
import pytest
from making import COLS, ROWS, add_maps, make, named, stacks_in
from qtpy.QtCore import Qt

from napari_kikuchi.microstructure.generator import MicrostructureGenerator
from napari_kikuchi.microstructure.network import GeneratorArchitecture, GeneratorNetwork
from napari_kikuchi.ui.link import unmeasured


@pytest.fixture
def viewer(windowless):
    return windowless


@pytest.fixture
def page(dock, control_file):
    dock.options.control.value = control_file
    page = dock.generate
    page.rows.value, page.cols.value = 12, 20
    return page


def last(page):
    return stacks_in(page.session.viewer)[-1]


def test_nothing_is_wished_for_to_begin_with(page):
    assert page.wishes.fraction.native.text() == "as it comes"
    assert not page.wishes.asked().any


def test_a_share_of_the_second_phase_is_wished_for(page, qtbot):
    make(page, qtbot)
    page.wishes.fraction.value = 30
    make(page, qtbot)
    assert last(page).provenance["microstructure"]["wished"] == {"fraction": 0.3}
    without, led = (named(one, "quaternion a") for one in stacks_in(page.session.viewer))
    assert not np.array_equal(without, led)
    page.wishes.fraction.value = -1
    assert not page.wishes.asked().any


def test_phases_are_those_of_a_phase_map(page, stack, qtbot):
    viewer = page.session.viewer
    add_maps(viewer, stack, unmeasured("measured"))
    qtbot.waitUntil(lambda: page.wishes.phases.count() > 1)
    page.wishes.phases.setCurrentText("phase")
    assert (page.rows.value, page.cols.value) == (ROWS, COLS)
    assert not page.rows.enabled
    # What nobody has measured is not wished for.
    np.testing.assert_array_equal(page.wishes.asked().phase, named(stack, "phase") - 1)
    assert np.isnan(page.wishes.asked().phase).sum() == 20
    make(page, qtbot)
    assert last(page).map_shape == (ROWS, COLS)
    assert last(page).provenance["microstructure"]["wished"] == {"phase": [ROWS, COLS]}
    # Once the layer is gone, so is the wish.
    viewer.layers.clear()
    qtbot.waitUntil(lambda: page.wishes.phases.count() == 1)
    assert page.rows.enabled
    assert not page.wishes.asked().any


def test_what_is_painted_is_the_second_phase(page, qtbot):
    painted = np.zeros((8, 16), np.uint8)
    painted[2:5, 3:9] = 3
    page.session.viewer.add_labels(painted, name="painted")
    qtbot.waitUntil(lambda: page.wishes.phases.count() == 2)
    page.wishes.phases.setCurrentText("painted")
    np.testing.assert_array_equal(page.wishes.asked().phase, painted > 0)
    assert (page.rows.value, page.cols.value) == (8, 16)


def test_a_map_is_as_large_as_the_largest_layer(page, qtbot):
    page.session.viewer.add_labels(np.zeros((5000, 4), np.uint8), name="long")
    qtbot.waitUntil(lambda: page.wishes.phases.count() == 2)
    page.wishes.phases.setCurrentText("long")
    assert (page.rows.value, page.cols.value) == (5000, 4)


def test_a_control_of_another_generator_is_told(page, dock, tmp_path, qtbot):
    network = GeneratorNetwork(GeneratorArchitecture((8, 8), 1, 2))
    MicrostructureGenerator(network).save(tmp_path / "other.safetensors")
    dock.options.generator.value = tmp_path / "other.safetensors"
    page.wishes.fraction.value = 30
    qtbot.mouseClick(page.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(page.row.notice.text()))
    assert "belongs to a generator" in page.row.notice.text()
