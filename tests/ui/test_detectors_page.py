"""Virtual detectors, drawn and changed by a mouse, and the maps that they make."""

from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtCore import Qt
from spot_window import BEAM, CENTRE, SCALE, SpotWindow, spot_patterns, spot_scan
from typer.testing import CliRunner

from napari_kikuchi.cli.commands import app
from napari_kikuchi.io import open_scan
from napari_kikuchi.io.map_store import read_maps
from napari_kikuchi.orientation.round_detectors import RoundDetector
from napari_kikuchi.ui.child import JobState
from napari_kikuchi.ui.link import link_of
from napari_kikuchi.ui.pattern_scale import pattern_scales_of
from napari_kikuchi.ui.requests import VirtualRequest
from spot_file import write_spot_file

PATIENCE_MS = 120_000
USUAL = ["bright field", "annular dark field"]


@pytest.fixture
def detecting(spot_window, qtbot):
    """A window in which the page is open."""
    spot_window.tools.tabs.setCurrentIndex(2)
    page = spot_window.tools.detectors
    qtbot.waitUntil(lambda: page.list.count() == 2)
    return spot_window


def pixel(window):
    """Of the screen, in pixels of the pattern: so far the mouse may be off."""
    return 1.5 / window.patterns.panes.frames()[0].zoom


def names(page):
    return [one.name for one in page.detectors]


def test_the_usual_ones_are_there_around_the_beam(detecting):
    page = detecting.tools.detectors
    assert detecting.tools.overlay.is_shown(page.drawing)
    bright, dark = page.request().detectors
    assert [bright.name, dark.name] == USUAL
    assert bright.centre == dark.centre == pytest.approx(CENTRE, abs=0.01)
    assert bright.inner == 0
    assert BEAM < bright.outer < dark.inner < 3 * BEAM
    assert dark.outer == pytest.approx(CENTRE[0], abs=0.1)
    assert f"{bright.outer * SCALE:.3g} 1/Å" in page.list.item(0).text()
    # What is removed comes back by one click, once.
    page.list.setCurrentRow(1)
    page.remove.click()
    assert names(page) == USUAL[:1]
    page.dark.click()
    page.dark.click()
    assert names(page) == USUAL
    detecting.tools.tabs.setCurrentIndex(0)
    assert not detecting.tools.overlay.is_shown(page.drawing)


def test_edges_and_middles_are_dragged(detecting, qtbot):
    page, off = detecting.tools.detectors, pixel(detecting)
    dark = page.detectors[1]
    detecting.drag((CENTRE[0], CENTRE[1] + dark.outer), (CENTRE[0], CENTRE[1] + 25))
    detecting.drag((CENTRE[0] + dark.inner, CENTRE[1]), (CENTRE[0] + 12, CENTRE[1]))
    assert page.detectors[1].outer == pytest.approx(25, abs=off)
    assert page.detectors[1].inner == pytest.approx(12, abs=off)
    # An edge does not go through the other.
    detecting.drag((CENTRE[0] + 12, CENTRE[1]), (CENTRE[0] + 29, CENTRE[1]))
    changed = page.detectors[1]
    assert changed.inner == changed.outer - 0.5
    # The middle is that of the one that is selected; keys move that, too.
    page.list.setCurrentRow(0)
    detecting.drag(CENTRE, (40, 20))
    assert page.detectors[0].centre == pytest.approx((40, 20), abs=off)
    row, col = page.detectors[0].centre
    qtbot.keyClick(detecting.pattern_canvas, Qt.Key.Key_Up)
    assert page.detectors[0].centre == (row - 0.5, col)
    # The other goes with the direct beam.
    assert page.detectors[1] == changed
    scales, scan = pattern_scales_of(detecting.session), detecting.session.subject.scan
    scales.set(scan, replace(scales.of(scan), centre=(31.0, 35.0)))
    assert [one.centre for one in page.request().detectors] == [(row - 0.5, col), (31.0, 35.0)]


def test_discs_and_rings_are_drawn_and_renamed(detecting):
    page, off = detecting.tools.detectors, pixel(detecting)
    disc, ring = page.pencils
    disc.click()
    detecting.drag((45, 50), (45, 58))
    assert not disc.isChecked()
    drawn = page.detectors[2]
    assert (drawn.name, drawn.inner) == ("detector 1", 0)
    assert drawn.outer == pytest.approx(8, abs=2 * off)
    assert drawn.centre == pytest.approx((45, 50), abs=off)
    # Begun at the direct beam it lies around it.
    disc.click()
    ring.click()
    assert not disc.isChecked()
    detecting.drag((CENTRE[0] + 0.6, CENTRE[1]), (CENTRE[0], CENTRE[1] + 20))
    drawn = page.detectors[3]
    assert (drawn.name, drawn.centre) == ("detector 2", None)
    assert (drawn.inner, drawn.outer) == pytest.approx((10, 20), abs=off)
    # A click alone draws nothing.
    disc.click()
    detecting.drag((10, 10), (10, 10))
    assert len(page.detectors) == 4
    disc.click()

    page.list.item(2).setText("grain A")
    assert page.detectors[2].name == "grain A"
    assert page.list.item(2).text().startswith("grain A  ·  ")
    # A map is known by its name: there are no two of one.
    page.list.item(3).setText("grain A")
    assert page.detectors[3].name == "detector 2"
    assert page.list.item(3).text().startswith("detector 2")


def test_what_is_asked_for_reaches_the_command(tmp_path, monkeypatch):
    scan = spot_scan(path=tmp_path / "a.hspy", options={"allow_partial": True})
    detectors = [RoundDetector("my = ring", 3.25, 7, (1.5, 2))]
    asked = []

    def ask(scan, masks, path, **options):
        asked.append((scan, masks, path, options))
        raise ValueError("asked")

    monkeypatch.setattr("napari_kikuchi.orientation.detectors.virtual_images", ask)
    monkeypatch.setattr(
        "napari_kikuchi.orientation.round_detectors.detector_masks",
        lambda given, shape, centre: given,
    )
    monkeypatch.setattr(
        "napari_kikuchi.io.open_scan",
        lambda path, **options: spot_scan(path=path, options=options),
    )
    request = VirtualRequest(scan, detectors, tmp_path / "out.zarr", restart=True)
    assert "Error asked" in CliRunner().invoke(app, request.arguments()).output
    (opened, given, path, options) = asked.pop()
    assert (opened.path, opened.options) == (scan.path, scan.options)
    assert given == detectors
    assert path == tmp_path / "out.zarr"
    assert not options["resume"]


def test_one_click_brings_bright_and_dark_field_over_the_scan(make_napari_viewer, qtbot, tmp_path):
    patterns = spot_patterns()
    opened = open_scan(write_spot_file(tmp_path / "a.hspy", spot_scan()))
    scan = spot_scan(path=opened.path, options=opened.options)
    window = SpotWindow(make_napari_viewer(show=True), qtbot)
    window.show(scan)
    window.tools.tabs.setCurrentIndex(2)
    page, layers = window.tools.detectors, window.viewer.layers
    page.panel.button.click()
    assert page.panel.button.text() == "Cancel"
    qtbot.waitUntil(lambda: len(layers) == 3 or not page.panel.job.active, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: len(layers) == 3)
    assert page.panel.job.state == JobState.DONE, page.panel.job.message
    shown = list(reversed(layers))[:2]
    assert [layer.name for layer in shown] == USUAL
    for layer, detector in zip(shown, page.request().detectors, strict=True):
        mask = detector.mask(patterns.shape[2:], detector.centre)
        np.testing.assert_array_equal(layer.data, (patterns * mask).sum(axis=(2, 3)))
        assert link_of(layer).source is link_of(layers[0]).source
    assert read_maps(tmp_path / "a.virtual.zarr").names == USUAL


def test_what_is_missing_is_told_and_what_was_stopped_goes_on(spot_window, qtbot, tmp_path):
    page = spot_window.tools.detectors
    spot_window.tools.tabs.setCurrentIndex(2)
    page.panel.button.click()
    assert "lives in memory" in page.panel.message.text()
    while page.detectors:
        page.remove.click()
    page.panel.button.click()
    assert "Add a detector first" in page.panel.message.text()

    (tmp_path / "a.virtual.zarr.partial").mkdir()
    spot_window.viewer.layers.clear()
    spot_window.show(spot_scan(path=tmp_path / "a.up2"))
    spot_window.tools.tabs.setCurrentIndex(2)
    assert page.panel.button.text() == "Resume"
    qtbot.waitUntil(lambda: page.detectors != [])
    assert not page.request().restart
    page.panel.restart.click()
    assert page.panel.button.text() == "Make maps"
    assert page.request().restart


def test_where_a_beam_leaves_no_room_there_is_no_dark_field(spot_window):
    page, session = spot_window.tools.detectors, spot_window.session
    scan = session.subject.scan
    scales = pattern_scales_of(session)
    known = scales.of(scan)
    scales.set(scan, replace(known, beam=40.0))
    assert not page.dark.isEnabled()
    assert "leaves no room" in page.dark.toolTip()
    page.bright.click()
    assert "bright field" in [one.name for one in page.detectors]
    scales.set(scan, known)
    assert page.dark.isEnabled()
    assert "A ring" in page.dark.toolTip()
