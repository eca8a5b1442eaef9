from dataclasses import replace

import numpy as np
import pytest

from napari_kikuchi.io import open_scan
from napari_kikuchi.scan import Block
from napari_kikuchi.ui.live_map import LiveMap, centre_block
from napari_kikuchi.ui.reader import navigator_layer
from napari_kikuchi.ui.session import session_of

SIDE = 24
PLACE = Block(slice(2, 8), slice(4, 12))


def walls(height):
    row, col = np.indices((SIDE, SIDE))
    return (height * ((row % 8 == 0) | (col % 8 == 0))).astype(np.float32)


@pytest.fixture
def scan(scan_file):
    return open_scan(scan_file)


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer()


@pytest.fixture
def live(viewer):
    return LiveMap(session_of(viewer))


@pytest.fixture
def train(live, viewer, tmp_path, qtbot):
    """Let a training write maps of walls of these heights, and wait until they are shown."""

    def write(*heights):
        maps = np.stack([walls(height) for height in heights])
        np.save(tmp_path / "live.npy", maps)
        live.refresh(tmp_path / "live.npy")
        qtbot.waitUntil(lambda: not live._busy)
        return maps

    return write


def test_the_best_feature_is_shown_and_named_on_its_positions(live, viewer, train, scan):
    live.watch(scan, PLACE)
    assert len(viewer.layers) == 0  # nothing black lies over the maps meanwhile
    maps = train(1, 3, 2)
    (layer,) = viewer.layers
    assert layer.name == "training: feature 2"
    np.testing.assert_array_equal(layer.data, maps[1])
    np.testing.assert_allclose(layer.scale, scan.step)
    np.testing.assert_allclose(layer.translate, [2 * scan.step[0], 4 * scan.step[1]])
    assert layer.visible


def test_features_about_as_good_do_not_take_turns(live, viewer, train, scan):
    live.watch(scan, PLACE)
    train(1, 3, 2)
    train(1, 3, 3.5)
    (layer,) = viewer.layers
    assert layer.name == "training: feature 2"
    train(1, 3, 4)
    assert layer.name == "training: feature 3"
    np.testing.assert_array_equal(layer.data, walls(4))


def test_a_layer_that_the_user_hides_or_removes_stays_so(live, viewer, train, scan):
    live.watch(scan, PLACE)
    train(1)
    viewer.layers[0].visible = False
    train(2)
    assert not viewer.layers[0].visible
    viewer.layers.clear()
    train(3)
    assert len(viewer.layers) == 0
    live.watch(scan, PLACE)  # until the next training
    train(3)
    assert len(viewer.layers) == 1


def test_the_next_training_uses_the_layer_again_at_its_own_place(live, viewer, train, scan):
    live.watch(scan, PLACE)
    train(1)
    (layer,) = viewer.layers
    live.watch(scan, Block(slice(0, 6), slice(0, 8)))
    assert not layer.visible
    train(2, 1)
    assert list(viewer.layers) == [layer]
    assert layer.visible
    np.testing.assert_allclose(layer.translate, [0, 0])
    np.testing.assert_array_equal(layer.data, walls(2))


def test_nothing_is_shown_of_what_is_not_watched(live, viewer, train, scan):
    train(1)
    live.watch(scan, PLACE)
    live.unwatch()
    train(1)
    assert len(viewer.layers) == 0


def test_a_smaller_model_is_watched_on_the_same_positions(live, viewer, train, scan, monkeypatch):
    told = []
    monkeypatch.setattr("napari_kikuchi.ui.live_map.tell_error", told.append)
    live.watch(scan, PLACE)
    train(1, 2, 3)
    (layer,) = viewer.layers
    layer.visible = False
    live.watch(scan, PLACE)
    train(2, 1.9)
    assert layer.name == "training: feature 1"
    assert not layer.visible  # it has not come anew
    train(2)  # and if a file of another model lies there
    assert told == []


def test_the_map_lies_where_the_scan_lies_and_takes_no_ones_place(live, viewer, train, scan):
    data, attributes, _ = navigator_layer(scan)
    under = viewer.add_image(data, **attributes)
    under.translate, under.scale, under.rotate = (0, 30), (2, 1), 20
    shapes = viewer.add_shapes()
    live.watch(scan, PLACE)
    train(1)
    layer = viewer.layers[-1]
    for corner in ((0, 0), (5, 7)):
        on_scan = under.data_to_world(np.add(corner, (2, 4)))
        np.testing.assert_allclose(layer.data_to_world(corner), on_scan)
    assert viewer.layers.selection.active is shapes
    under.affine = [[0, 1, 5], [1, 0, 0], [0, 0, 1]]
    live.watch(scan, Block(slice(0, 6), slice(3, 11)))
    train(1)
    assert viewer.layers[-1] is layer
    np.testing.assert_allclose(layer.data_to_world((1, 1)), under.data_to_world((1, 4)))


def test_the_middle_of_a_scan_that_was_stopped_early_has_patterns(scan):
    assert centre_block(scan, 4) == Block(slice(4, 8), slice(6, 10))
    present = np.zeros(scan.map_shape, bool)
    present[:5] = True
    block = centre_block(replace(scan, present=present), 4)
    assert present[block.rows, block.cols].all()
