"""Domains in the real dock, against maps whose truth is known."""

import numpy as np
import pytest
from napari.layers import Image
from qtpy.QtCore import Qt
from segmenting import STEP, assert_same_parts, find, grains, layers_in, save, wait

from napari_kikuchi.explore.domains import domain_spread
from napari_kikuchi.explore.neighbour_distances import kernel_spread, neighbour_distances
from napari_kikuchi.jobs import finish
from napari_kikuchi.ui import domains_page
from napari_kikuchi.ui.link import link_of


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
