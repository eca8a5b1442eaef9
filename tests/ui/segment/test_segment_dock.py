"""What the pages of the dock share, and clusters."""

import numpy as np
from napari.layers import Labels, Layer
from qtpy.QtCore import Qt
from segmenting import STEP, assert_same_parts, find, grains, layers_in, open_dock

from napari_kikuchi.maps import MapStack
from napari_kikuchi.ui.layers import layers_of
from napari_kikuchi.ui.link import ScanLink


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
