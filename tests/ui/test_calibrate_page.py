"""Calibrating by hand: what a mouse and keys do to the cross and the rings of a crystal."""

import math
from threading import Event

import numpy as np
import pytest
from qtpy.QtCore import Qt
from spot_window import CENTRE, SCALE, spot_patterns, spot_scan

from napari_kikuchi.calibration import Calibration
from napari_kikuchi.crystals.crystal import open_crystal
from napari_kikuchi.jobs import finish
from napari_kikuchi.orientation.detection_settings import Detection
from napari_kikuchi.orientation.find_calibration import FoundCalibration
from napari_kikuchi.orientation.find_spots import find_spots
from napari_kikuchi.orientation.ring_fit import RingFit
from napari_kikuchi.orientation.rings import crystal_rings
from napari_kikuchi.orientation.spot_calibration import Descan, SpotCalibration
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.scan import Scan
from napari_kikuchi.ui.pattern_scale import PatternScale, k_length, pattern_scales_of
from napari_kikuchi.ui.ring_drawing import _line
from napari_kikuchi.ui.session import RegionMean
from napari_kikuchi.ui.spot_sources import spot_sources_of

# Of the strongest ring of copper.
FIRST = math.sqrt(3) / 3.615
PATIENCE_MS = 120_000


@pytest.fixture
def calibrating(spot_window, qtbot):
    """A window in which the page is open, with the rings of copper."""
    # What pytest keeps must not keep the widgets of a window that has been closed.
    notice = spot_window.tools.calibrate.notice
    spot_window.tools.tabs.setCurrentIndex(1)
    qtbot.waitUntil(lambda: "Drag the cross" in notice.text(), timeout=PATIENCE_MS)
    return spot_window


def scale_of(window):
    return pattern_scales_of(window.session).of(window.session.subject.scan)


def test_the_rings_of_the_crystal_are_seen_while_the_page_is(calibrating):
    page = calibrating.tools.calibrate
    overlay = calibrating.tools.overlay
    assert overlay.is_shown(page.rings)
    assert page.isVisible()
    assert not calibrating.patterns.controls.isVisible()
    np.testing.assert_allclose(page.rings.calibration.centre, CENTRE, atol=0.01)
    assert page.rings.calibration.scale == page.scale.value == SCALE
    # Drawn, and in the colour of rings.
    frame = calibrating.patterns.panes.frames()[0]
    picture = overlay.grab().toImage()
    ratio = picture.devicePixelRatio()
    along = frame.to_screen((CENTRE[0] + FIRST / SCALE, CENTRE[1])) * ratio
    blues = [picture.pixelColor(round(along.x()), round(along.y()) + i).blue() for i in (-1, 0, 1)]
    assert max(blues) > 150
    calibrating.tools.tabs.setCurrentIndex(0)
    assert not overlay.is_shown(page.rings)
    assert calibrating.patterns.controls.isVisible()


def test_the_cross_is_dragged_and_nudged(calibrating, qtbot):
    page = calibrating.tools.calibrate
    calibrating.drag(CENTRE, (36.0, 40.0))
    zoom = calibrating.patterns.panes.frames()[0].zoom
    assert scale_of(calibrating).centre == pytest.approx((36, 40), abs=1 / zoom)
    assert [field.value for field in page.centre] == pytest.approx(
        scale_of(calibrating).centre, abs=0.006
    )
    before = scale_of(calibrating).centre
    shown = calibrating.patterns.position.text()
    qtbot.keyClick(calibrating.pattern_canvas, Qt.Key.Key_Left)
    qtbot.keyClick(calibrating.pattern_canvas, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert scale_of(calibrating).centre == pytest.approx((before[0] + 2, before[1] - 0.2))
    assert calibrating.patterns.position.text() == shown
    # Elsewhere the same keys step through the scan, as ever.
    calibrating.tools.tabs.setCurrentIndex(0)
    qtbot.keyClick(calibrating.pattern_canvas, Qt.Key.Key_Left)
    calibrating.wait_for("row 3, column 3")

    page.find_button.click()
    assert scale_of(calibrating).centre == pytest.approx(CENTRE, abs=0.01)


def test_a_ring_is_dragged_and_the_scale_goes_with_it(calibrating):
    page = calibrating.tools.calibrate
    start = (CENTRE[0] + FIRST / SCALE, CENTRE[1])
    end = (CENTRE[0] + 25.0, CENTRE[1])
    camera = calibrating.patterns.panes.model.scene.camera.center
    calibrating.drag(start, end)
    zoom = calibrating.patterns.panes.frames()[0].zoom
    assert scale_of(calibrating).scale == pytest.approx(FIRST / 25, rel=1.5 / zoom / 25)
    assert page.scale.value == pytest.approx(scale_of(calibrating).scale, abs=1e-5)
    assert f"{page.rings.calibration.scale:.5f} 1/Å" in page.rings.words_held()
    assert scale_of(calibrating).centre == pytest.approx(CENTRE, abs=0.01)
    # The pattern below has not moved along.
    assert calibrating.patterns.panes.model.scene.camera.center == camera
    # What others take for the calibration is this one.
    calibration = scale_of(calibrating).calibration
    spots = calibration.to_spots(np.array([[[CENTRE[1], CENTRE[0] + 25, 1]]], np.float32))
    assert math.hypot(spots.kx[0, 0], spots.ky[0, 0]) == pytest.approx(FIRST, rel=0.01)
    # Between the rings the mouse moves the pattern.
    between = CENTRE[0], CENTRE[1] + 15.0
    assert (
        page.rings.handle_at(
            calibrating.at(*between).toPointF(), calibrating.patterns.panes.frames()[0]
        )
        is None
    )


def test_without_a_scale_rings_wait_to_be_dragged(calibrating):
    page = calibrating.tools.calibrate
    scan = spot_scan(None)
    calibrating.viewer.layers.clear()
    calibrating.show(scan)
    calibrating.qtbot.waitUntil(lambda: scale_of(calibrating) is not None)
    calibrating.tools.tabs.setCurrentIndex(1)
    calibrating.qtbot.waitUntil(lambda: "Drag" in page.notice.text(), timeout=PATIENCE_MS)
    assert scale_of(calibrating).calibration is None
    assert page.scale.native.text() == "unknown"
    radius = FIRST / page.rings.calibration.scale
    assert radius == pytest.approx(16)
    calibrating.drag((CENTRE[0] + radius, CENTRE[1]), (CENTRE[0] + FIRST / SCALE, CENTRE[1]))
    assert scale_of(calibrating).scale == pytest.approx(SCALE, rel=0.03)


def test_numbers_are_typed_and_another_crystal_is_chosen(calibrating, qtbot):
    page = calibrating.tools.calibrate
    page.scale.value = 0.02
    page.centre[1].value = 33.5
    known = scale_of(calibrating)
    assert (known.scale, known.centre) == (0.02, pytest.approx((CENTRE[0], 33.5), abs=0.006))
    page.crystal.value = "fe"
    lengths = [ring.length for ring in crystal_rings(open_crystal("fe"), 2.0)]
    qtbot.waitUntil(lambda: sorted(ring.length for ring in page.rings._rings) == sorted(lengths))
    page.crystal.value = "file"
    assert page.cif.native.isVisibleTo(page)
    assert page.rings._rings == []


def test_each_scan_keeps_its_own_calibration(calibrating):
    scales, large = pattern_scales_of(calibrating.session), calibrating.session.subject.scan
    scales.set(large, PatternScale((60.0, 70.0), scale=SCALE))
    patterns = spot_patterns()[..., 18:42, 22:46]
    small = Scan(ArraySource(patterns), technique="4D-STEM", name="small")
    known = PatternScale((12.0, 12.0), scale=2 * SCALE)
    scales.set(small, known)
    calibrating.viewer.layers.clear()
    calibrating.show(small)
    assert scales.of(small) == known
    assert calibrating.tools.calibrate.rings.calibration.centre == (12.0, 12.0)
    assert scales.of(large).centre == (60.0, 70.0)


def test_a_file_that_is_no_crystal_is_told_of(calibrating, tmp_path, qtbot):
    page = calibrating.tools.calibrate
    (tmp_path / "wrong.cif").write_text("nothing")
    page.crystal.value = "file"
    page.cif.value = tmp_path / "wrong.cif"
    qtbot.waitUntil(lambda: "wrong.cif" in page.notice.text())
    assert "expected a CIF file" in page.notice.text()


def test_the_mean_of_the_scan_is_shown_to_calibrate_on(calibrating):
    page = calibrating.tools.calibrate
    page.mean_button.click()
    calibrating.wait_for("mean of 48 patterns")
    assert isinstance(calibrating.session.subject, RegionMean)


def test_what_is_found_from_spots_is_drawn_pattern_by_pattern(
    calibrating, qtbot, tmp_path, monkeypatch
):
    page, session = calibrating.tools.calibrate, calibrating.session
    scan = session.subject.scan
    assert not page.fit_button.isEnabled()
    spots = finish(find_spots(scan, tmp_path / "a.spots", Detection(3.0), device="cpu"))
    spot_sources_of(session).set_found(scan, spots)
    assert page.fit_button.isEnabled()

    descan = Descan((0, 0), ((0.5, 0), (0, 0.25)))
    found = SpotCalibration((29.0, 33.0), 0.02, 30, True, 1.2, 25, 4.0, descan)
    rings = RingFit(0.02, 0.0001, 1.2, 25, 0.9, 0.01, 0.2)
    asked = []

    def find(spots, crystals, told, rotation, flipped):
        asked.append((spots, crystals[0].name, told, rotation, flipped))
        return FoundCalibration(found, None, rings)

    monkeypatch.setattr("napari_kikuchi.orientation.find_calibration.find_calibration", find)
    page.fit_button.click()
    qtbot.waitUntil(lambda: "0.02000 ± 0.00010" in page.notice.text())
    told = Calibration((10 * SCALE, 10 * SCALE), "1/nm")
    assert asked == [(spots, "Cu", told, 0.0, False)]
    assert scale_of(calibrating).calibration == found
    # The beam of the pattern in row 3, column 4.
    assert page.rings.calibration.centre == pytest.approx((30.5, 34.0))
    calibrating.session.step(2, 0)
    calibrating.wait_for("row 5, column 4")
    assert page.rings.calibration.centre == pytest.approx((31.5, 34.0))
    # Rings are as the detector distorts them: ellipses, on which k is that of the ring.
    frame = calibrating.patterns.panes.frames()[0]
    ring = crystal_rings(open_crystal("cu"), 0.5)[0]
    line = _line(ring, page.rings.calibration, frame)
    places = [frame.to_pattern(line.at(index)) for index in range(0, line.size(), 10)]
    ks = [k_length(page.rings.calibration, place) for place in places]
    np.testing.assert_allclose(ks, ring.length, rtol=1e-4)
    radii = [math.dist(place, (31.5, 34.0)) for place in places]
    assert max(radii) / min(radii) == pytest.approx(1.2, rel=0.02)
    # What a hand has placed is where it was placed, in all patterns; the rest stays as found.
    calibrating.drag((31.5, 34.0), (33.0, 30.0))
    placed = scale_of(calibrating).calibration
    assert placed.descan is None
    assert (placed.rotation, placed.flipped, placed.ratio) == (30, True, 1.2)


def test_why_nothing_can_be_fitted_is_told(calibrating, qtbot, tmp_path, monkeypatch):
    page, session = calibrating.tools.calibrate, calibrating.session
    scan = session.subject.scan
    spots = finish(find_spots(scan, tmp_path / "a.spots", Detection(3.0), device="cpu"))

    def fail(*_, **__):
        raise ValueError("a.spots: too few spots")

    monkeypatch.setattr("napari_kikuchi.orientation.find_calibration.find_calibration", fail)
    spot_sources_of(session).set_found(scan, spots)
    page.fit_button.click()
    qtbot.waitUntil(lambda: page.notice.text() == "a.spots: too few spots")


@pytest.fixture
def turned(calibrating, tmp_path):
    """The same, with spots of the scan, of which the detector is known to be turned."""
    session = calibrating.session
    scan = session.subject.scan
    spots = finish(find_spots(scan, tmp_path / "a.spots", Detection(3.0), device="cpu"))
    spot_sources_of(session).set_found(scan, spots)
    known = SpotCalibration(CENTRE, SCALE, rotation=12.0, flipped=True, ratio=1.1)
    pattern_scales_of(session).set(scan, scale_of(calibrating).with_found(known))
    return calibrating


def test_how_the_detector_is_turned_outlasts_a_fit(turned, qtbot, monkeypatch):
    fitted = RingFit(1.01 * SCALE, 0.0001, 1.0, 0.0, 0.9, 0.01, 0.2)
    monkeypatch.setattr("napari_kikuchi.orientation.find_calibration._fit", lambda *_, **__: fitted)
    page = turned.tools.calibrate
    page.fit_button.click()
    qtbot.waitUntil(lambda: "Fitted" in page.notice.text())
    calibration = scale_of(turned).calibration
    assert calibration.scale == 1.01 * SCALE
    assert (calibration.rotation, calibration.flipped) == (12.0, True)


def test_how_the_detector_is_turned_outlasts_finding_the_beam(turned):
    page = turned.tools.calibrate
    turned.drag(CENTRE, (36.0, 40.0))
    page.find_button.click()
    calibration = scale_of(turned).calibration
    np.testing.assert_allclose(calibration.centre, CENTRE, atol=0.01)
    assert (calibration.rotation, calibration.flipped) == (12.0, True)
    # What the spots told of distortions goes with the rest.
    assert calibration.ratio == 1.0


def test_a_fit_does_not_land_on_another_scan(turned, qtbot, monkeypatch):
    page, session = turned.tools.calibrate, turned.session
    scales, first = pattern_scales_of(session), session.subject.scan
    before, begun, may_end, ended = scales.of(first), Event(), Event(), Event()
    found = SpotCalibration((29.0, 33.0), 0.02)

    def find(*_, **__):
        begun.set()
        may_end.wait(PATIENCE_MS / 1000)
        ended.set()
        rings = RingFit(0.02, 0.0001, 1.0, 0.0, 0.9, 0.01, 0.2)
        return FoundCalibration(found, None, rings)

    monkeypatch.setattr("napari_kikuchi.orientation.find_calibration.find_calibration", find)
    page.fit_button.click()
    qtbot.waitUntil(begun.is_set)
    turned.viewer.layers.clear()
    second = spot_scan()
    turned.show(second)
    qtbot.waitUntil(lambda: scales.of(second) is not None)
    guessed = scales.of(second)
    may_end.set()
    qtbot.waitUntil(ended.is_set)
    qtbot.wait(200)
    assert scales.of(second) == guessed
    assert scales.of(first) == before
    assert "Fit" not in page.notice.text()
