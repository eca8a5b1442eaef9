from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtCore import QTimer

from napari_kikuchi.io.map_store import read_maps, write_maps
from napari_kikuchi.maps import Channel
from napari_kikuchi.ui.link import link_of
from napari_kikuchi.ui.session import session_of
from napari_kikuchi.ui.show_maps import show_store


@pytest.fixture
def viewer(make_napari_viewer, scan_file):
    """With a scan in it."""
    viewer = make_napari_viewer()
    viewer.open(scan_file, plugin="napari-kikuchi")
    return viewer


def names(viewer):
    return [layer.name for layer in viewer.layers]


def test_the_window_answers_while_maps_take_the_place_of_others(viewer, stack, tmp_path, qtbot):
    session, store = session_of(viewer), tmp_path / "maps.zarr"
    scan = link_of(viewer.layers[0]).source.scan
    write_maps(store, stack)
    show_store(session, store, scan)
    ranked = ["weld: quick contrast", *(f"feature {i}" for i in (1, 3, 4, 2))]
    qtbot.waitUntil(lambda: names(viewer) == ranked)
    # Labels made of a map are the user's, whatever napari copied to them.
    viewer.add_labels(
        np.zeros(scan.map_shape, int), name="grains", metadata=viewer.layers[1].metadata
    )

    answered, clock = [0], QTimer()
    clock.timeout.connect(lambda: answered.append(len(answered)))
    clock.start(0)
    changed = []
    for event in (viewer.layers.events.inserted, viewer.layers.events.removed):
        event.connect(lambda _: changed.append(answered[-1]))
    write_maps(store, replace(stack, values=stack.values + 1000))
    show_store(session, store, scan)
    qtbot.waitUntil(lambda: len(changed) == 8)
    clock.stop()
    assert len(set(changed)) == 8  # at most one layer came or went at a time
    assert sorted(names(viewer)) == sorted([*ranked, "grains"])
    assert all(viewer.layers[name].data.mean() > 900 for name in ranked[1:])


def test_maps_that_are_still_coming_give_way_to_newer_ones(viewer, stack, tmp_path, qtbot):
    session, store = session_of(viewer), tmp_path / "maps.zarr"
    scan = link_of(viewer.layers[0]).source.scan
    for offset in (0, 1000):
        write_maps(store, replace(stack, values=stack.values + offset))
        show_store(session, store, scan)
        qtbot.waitUntil(lambda: len(viewer.layers) > 2)
    qtbot.waitUntil(lambda: len(viewer.layers) == 5)
    qtbot.wait(100)
    assert len(viewer.layers) == 5
    assert all(layer.data.mean() > 900 for layer in viewer.layers[1:])


def test_a_picture_in_colours_is_seen_at_once_and_saved_as_one(viewer, stack, tmp_path, qtbot):
    colours = [Channel(f"IPF {c}", colormap=c, limits=(0.0, 1.0)) for c in ("red", "green", "blue")]
    write_maps(tmp_path / "maps.zarr", replace(stack, channels=[*colours, Channel("KAM")]))
    scan = link_of(viewer.layers[0]).source.scan
    show_store(session_of(viewer), tmp_path / "maps.zarr", scan)
    expected = [
        ("IPF blue", True, "translucent"),
        ("IPF green", True, "additive"),
        ("IPF red", True, "additive"),
        ("KAM", False, "translucent"),
    ]

    def maps():
        return [(layer.name, layer.visible, layer.blending) for layer in viewer.layers][1:]

    qtbot.waitUntil(lambda: maps() == expected)
    assert [tuple(layer.contrast_limits) for layer in viewer.layers][1:4] == [(0, 1)] * 3

    saved = tmp_path / "saved.zarr"
    for layer in viewer.layers:
        layer.contrast_limits = (0.1, 0.2)
    viewer.layers.selection = set(viewer.layers[1:])
    assert viewer.layers.save(str(saved), selected=True)
    found = read_maps(saved)
    assert found.names == ["IPF red", "IPF green", "IPF blue", "KAM"]
    assert [found.names[i] for i in found.shown_first()] == found.names[:3]
