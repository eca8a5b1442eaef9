import numpy as np
import pytest

from napari_kikuchi.io import open_scan
from napari_kikuchi.scan import Block
from napari_kikuchi.ui.live_map import LiveMap
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
