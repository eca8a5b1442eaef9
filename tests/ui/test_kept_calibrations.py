"""What a hand has set on the page Calibrate is there the next time."""

import math

import pytest
from spot_window import CENTRE, SCALE, SpotWindow, spot_scan

from napari_kikuchi.io import places
from napari_kikuchi.orientation.kept_calibration import read_calibration
from napari_kikuchi.ui.pattern_scale import pattern_scales_of

FIRST = math.sqrt(3) / 3.615
PATIENCE_MS = 120_000


@pytest.fixture
def calibrate(make_napari_viewer, qtbot, tmp_path, monkeypatch):
    """Open a window over a scan in a file, and turn to the page."""
    monkeypatch.setattr(places, "user_folder", lambda: tmp_path / "user")
    (tmp_path / "archive").mkdir()

    def open_it():
        window = SpotWindow(make_napari_viewer(show=True), qtbot)
        window.viewer.window.resize(1400, 900)
        window.show(spot_scan(path=tmp_path / "archive" / "weld.hspy"))
        notice = window.tools.calibrate.notice
        window.tools.tabs.setCurrentIndex(1)
        qtbot.waitUntil(lambda: "Drag the cross" in notice.text(), timeout=PATIENCE_MS)
        return window

    return open_it


def scale_of(window):
    return pattern_scales_of(window.session).of(window.session.subject.scan)


def test_rings_and_cross_that_were_dragged_are_there_the_next_time(calibrate, qtbot, tmp_path):
    file, window = tmp_path / "archive" / "weld.calibration.json", calibrate()
    page = window.tools.calibrate
    assert not page.kept.isVisible()
    window.drag((CENTRE[0] + FIRST / SCALE, CENTRE[1]), (CENTRE[0] + 25.0, CENTRE[1]))
    window.drag(CENTRE, (32.0, 37.0))
    set_by_hand = scale_of(window).calibration
    assert set_by_hand.scale == pytest.approx(FIRST / 25, rel=0.05)
    qtbot.waitUntil(lambda: file.is_file() and read_calibration(file) == set_by_hand)
    qtbot.waitUntil(page.kept.isVisible)
    assert page.kept.toolTip().startswith(str(file))

    window.viewer.layers.clear()
    another = calibrate()
    assert scale_of(another).calibration == set_by_hand
    assert another.tools.calibrate.scale.value == pytest.approx(set_by_hand.scale, abs=1e-5)
    assert another.tools.calibrate.rings.calibration == set_by_hand
    assert another.tools.calibrate.kept.isVisible()
    # Back to what the file and the patterns tell: nothing is kept of that.
    another.tools.calibrate.find_button.click()
    assert scale_of(another).centre == pytest.approx(CENTRE, abs=0.01)
    assert scale_of(another).scale == SCALE
    qtbot.waitUntil(lambda: not file.exists())
    qtbot.waitUntil(lambda: not another.tools.calibrate.kept.isVisible())


def test_beside_a_closed_folder_the_user_has_it_and_is_told_where(
    calibrate, qtbot, tmp_path, monkeypatch
):
    archive = tmp_path / "archive"
    monkeypatch.setattr(places, "_is_open", lambda folder: folder != archive)
    window = calibrate()
    window.tools.calibrate.scale.value = 0.03
    kept = window.tools.calibrate.kept
    qtbot.waitUntil(kept.isVisible)
    (file,) = (tmp_path / "user").rglob("weld.calibration.json")
    assert kept.toolTip().startswith(str(file))
    assert read_calibration(file).scale == 0.03
    assert list(archive.iterdir()) == []
