"""Spots over the patterns: found ones and simulated ones follow the pointer and the calibration."""

from dataclasses import replace

import numpy as np
import pytest
from spot_window import AWAY, CENTRE, SCALE, SpotWindow, spot_scan

from napari_kikuchi.jobs import finish
from napari_kikuchi.orientation.detection_settings import Detection
from napari_kikuchi.orientation.find_spots import default_spots_path, find_spots
from napari_kikuchi.orientation.solution_spots import SimulatedSpots
from napari_kikuchi.ui.pattern_scale import pattern_scales_of
from napari_kikuchi.ui.session import RegionMean
from napari_kikuchi.ui.spot_drawing import FOUND
from napari_kikuchi.ui.spot_sources import spot_sources_of


class Found:
    """As many spots as the number of the column, each three columns further to the right."""

    def at(self, row, col):
        n = np.arange(col)
        return np.stack([5.0 + 3 * n, np.full(col, row), 10.0 ** (2 - n)], axis=1)


class Simulated:
    """Down of the beam one of 111, and to its right one of 2 0 -10; nothing in the first row."""

    def at(self, row, col):
        if row == 0:
            return None
        values = np.array([[0.5, 0, 1], [0, 0.25, 0.1]])
        return SimulatedSpots(values, np.array([[1, 1, 1], [2, 0, -10]]))


class Broken:
    def at(self, row, col):
        raise OSError("weld.spots: out of reach")


def drawn(window, box):
    return window.tools.spots.drawings[box]


def places(window, box):
    return np.array(drawn(window, box)._places)


def test_found_spots_follow_the_pointer_and_are_toggled(spot_window, qtbot):
    marks = spot_window.tools.spots
    assert not marks.found.isEnabled()
    assert "Find the spots" in marks.found.toolTip()
    spot_sources_of(spot_window.session).set_found(spot_window.session.subject.scan, Found())
    assert marks.found.isEnabled()
    qtbot.waitUntil(lambda: drawn(spot_window, marks.found).count == 4)
    np.testing.assert_allclose(places(spot_window, marks.found), [(3, 5), (3, 8), (3, 11), (3, 14)])
    spot_window.session.step(2, 1)
    qtbot.waitUntil(lambda: drawn(spot_window, marks.found).count == 5)
    np.testing.assert_allclose(places(spot_window, marks.found)[:, 0], 5)

    # The strongest is drawn larger, as a circle of its colour; the pattern within is seen.
    picture = spot_window.tools.overlay.grab().toImage()
    at = spot_window.at(5, 5)
    ratio = picture.devicePixelRatio()

    def is_green(right):
        colour = picture.pixelColor(round((at.x() + right) * ratio), round(at.y() * ratio))
        return colour.green() > 0.8 * FOUND.green() > colour.blue() + 40

    assert any(is_green(right) for right in (-14, -13, -12))
    assert not is_green(0)

    overlay, drawing = spot_window.tools.overlay, drawn(spot_window, marks.found)
    assert overlay.is_shown(drawing)
    marks.found.click()
    assert not overlay.is_shown(drawing)
    marks.found.click()
    qtbot.waitUntil(lambda: overlay.is_shown(drawing))
    # A mean of patterns has no spots of its own.
    spot_window.session.hold(RegionMean(spot_window.session.subject.scan, 2, np.ones((64, 72))))
    qtbot.waitUntil(lambda: not overlay.is_shown(drawing))


def test_simulated_spots_lie_where_the_calibration_puts_them(spot_window, qtbot):
    marks, session = spot_window.tools.spots, spot_window.session
    scan, scales = session.subject.scan, pattern_scales_of(session)
    spot_sources_of(session).set_simulated(scan, Simulated())
    qtbot.waitUntil(lambda: drawn(spot_window, marks.simulated).count == 2)
    expected = np.add(CENTRE, [[0.5 / SCALE, 0], [0, 0.25 / SCALE]])
    np.testing.assert_allclose(places(spot_window, marks.simulated), expected, atol=0.02)
    frame = spot_window.patterns.panes.frames()[0]
    words = drawn(spot_window, marks.simulated).words_at(frame.to_screen(expected[1]), frame)
    assert words == "2 0 1̅0̅  ·  intensity 0.1"
    assert drawn(spot_window, marks.simulated).words_at(frame.to_screen((5, 5)), frame) == ""

    # They move with the calibration, at once.
    scales.set(scan, replace(scales.of(scan), scale=2 * SCALE, centre=(20.0, 21.0)))
    expected = np.array([(20 + 0.25 / SCALE, 21), (20, 21 + 0.125 / SCALE)])
    np.testing.assert_allclose(places(spot_window, marks.simulated), expected, atol=0.02)
    scales.set(scan, replace(scales.of(scan), scale=None))
    assert not spot_window.tools.overlay.is_shown(drawn(spot_window, marks.simulated))
    scales.set(scan, replace(scales.of(scan), scale=SCALE))
    session.step(-3, 0)
    qtbot.waitUntil(lambda: drawn(spot_window, marks.simulated).count == 0)


def test_spots_that_cannot_be_read_leave_the_pattern_to_be_seen(spot_window, qtbot):
    sources, scan = spot_sources_of(spot_window.session), spot_window.session.subject.scan
    notice = spot_window.patterns.notice
    sources.set_found(scan, Broken())
    qtbot.waitUntil(lambda: "weld.spots: out of reach" in notice.text())
    spot_window.session.step(0, 1)
    spot_window.wait_for("row 3, column 5")
    sources.set_found(scan, Found())
    qtbot.waitUntil(lambda: notice.text() == "")


def test_spots_in_a_file_are_opened(spot_window, qtbot, tmp_path, monkeypatch):
    session, scan = spot_window.session, spot_window.session.subject.scan
    finish(find_spots(scan, tmp_path / "mine.spots", Detection(3.0), device="cpu"))
    marks = spot_window.tools.spots
    spot_sources_of(session).open(scan, tmp_path / "mine.spots")
    qtbot.waitUntil(lambda: drawn(spot_window, marks.found).count == 3)
    expected = np.add(CENTRE, [(0, 0), (0, AWAY), (0, -AWAY)])
    np.testing.assert_allclose(places(spot_window, marks.found), expected, atol=0.3)
    # Those of another scan are not taken for them.
    told = []
    monkeypatch.setattr("napari_kikuchi.ui.messages.tell_error", told.append)
    other = spot_scan(present=np.eye(6, 8, dtype=bool))
    finish(find_spots(other, tmp_path / "other.spots", Detection(3.0), device="cpu"))
    monkeypatch.setattr(type(other), "fingerprint", lambda self: {"other": self is other})
    spot_sources_of(session).open(scan, tmp_path / "other.spots")
    qtbot.waitUntil(lambda: told != [])
    assert "expected the spots of spots, found those of another scan" in str(told[0])


def test_spots_beside_a_scan_are_drawn_without_being_asked_for(make_napari_viewer, qtbot, tmp_path):
    scan = spot_scan(path=tmp_path / "weld.hspy")
    path = default_spots_path(scan.path, scan.options)
    assert path == tmp_path / "weld.spots"
    finish(find_spots(scan, path, Detection(3.0), device="cpu"))
    viewer = make_napari_viewer(show=True)
    window = SpotWindow(viewer, qtbot)
    window.show(scan)
    qtbot.waitUntil(lambda: drawn(window, window.tools.spots.found).count == 3)


@pytest.mark.parametrize("size", [1, 64])
def test_sizes_tell_intensities(size):
    from napari_kikuchi.ui.spot_drawing import SpotDrawing

    drawing = SpotDrawing(True)
    drawing.set_spots(np.stack([np.zeros(size), np.zeros(size), np.arange(size) + 1.0], axis=1))
    assert drawing._sizes[-1] == max(drawing._sizes)
    assert (np.diff(drawing._sizes) > 0).all()
