"""Finding the spots of a scan in the window: a preview, the command, and who takes them."""

import numpy as np
import pytest
from spot_window import AWAY, BEAM, CENTRE, SpotWindow, spot_scan

from napari_kikuchi.io import open_scan
from napari_kikuchi.jobs import finish
from napari_kikuchi.orientation.detection_settings import Detection
from napari_kikuchi.orientation.find_spots import find_spots
from napari_kikuchi.orientation.scan_spots import ScanSpots
from napari_kikuchi.ui.child import JobState
from napari_kikuchi.ui.spot_sources import spot_sources_of
from napari_kikuchi.ui.spots_taken import SpotsTaken
from spot_file import write_spot_file

PATIENCE_MS = 120_000
PAGE = 3
SPOTS = np.add(CENTRE, [(0, 0), (0, AWAY), (0, -AWAY)])


@pytest.fixture
def file_window(make_napari_viewer, qtbot, tmp_path):
    """A window over a scan that another process can open."""
    path = write_spot_file(tmp_path / "a.hspy", spot_scan())
    window = SpotWindow(make_napari_viewer(show=True), qtbot)
    window.show(open_scan(path))
    return window


def turn_to_page(window, qtbot):
    """Turn to the page, and wait until the radius has been measured."""
    window.tools.tabs.setCurrentIndex(PAGE)
    page = window.tools.find_spots
    qtbot.waitUntil(lambda: page.radius.value > 0)
    return page


def circles(window):
    return window.tools.spots.drawings[window.tools.spots.found]


def wait_for_circles(window, qtbot, count):
    qtbot.waitUntil(lambda: circles(window).count == count)


def test_the_spots_of_the_pattern_shown_are_tried_while_the_page_is_seen(spot_window, qtbot):
    page, sources = turn_to_page(spot_window, qtbot), spot_sources_of(spot_window.session)
    scan = spot_window.session.subject.scan
    assert page.radius.value == pytest.approx(BEAM, abs=0.5)
    wait_for_circles(spot_window, qtbot, 3)
    np.testing.assert_allclose(circles(spot_window)._places, SPOTS, atol=0.3)
    assert page.notice.text() == "3 spots in the pattern shown."
    assert spot_window.tools.overlay.is_shown(circles(spot_window))
    # Though none are there of the scan, and these are nobody else's.
    assert sources.found(scan) is None
    # The two beside the beam have some 7 % of its counts.
    page.least.value = 20
    wait_for_circles(spot_window, qtbot, 1)
    assert page.notice.text() == "1 spot in the pattern shown."
    page.least.value = 1
    wait_for_circles(spot_window, qtbot, 3)
    page.most.value = 2
    wait_for_circles(spot_window, qtbot, 2)
    page.most.value = 64
    page.spacing.value = AWAY + 3
    wait_for_circles(spot_window, qtbot, 1)
    page.spacing.value = 0
    spot_window.session.step(1, 1)
    wait_for_circles(spot_window, qtbot, 3)
    spot_window.tools.tabs.setCurrentIndex(0)
    wait_for_circles(spot_window, qtbot, 0)
    assert not spot_window.tools.overlay.is_shown(circles(spot_window))


def test_the_scan_is_searched_and_its_spots_are_taken(file_window, qtbot, tmp_path):
    page, scan = turn_to_page(file_window, qtbot), file_window.session.subject.scan
    taken = SpotsTaken(file_window.session)
    qtbot.addWidget(taken)
    taken.set_scan(scan)
    assert taken.text().startswith("Are found first.")
    page.radius.value, page.most.value = 3.2, 9
    page.panel.button.click()
    assert page.panel.button.text() == "Cancel"
    qtbot.waitUntil(lambda: not page.panel.job.active, timeout=PATIENCE_MS)
    assert page.panel.job.state == JobState.DONE, page.panel.job.message
    sources = spot_sources_of(file_window.session)
    qtbot.waitUntil(lambda: sources.found(scan) is not None)
    spots = ScanSpots.open(tmp_path / "a.spots")
    assert spots.detection == Detection(3.2, most=9)
    assert (spots.counts == 3).all()
    told = "a.spots: 3 spots in the median of 48 patterns, of 3.2 pixels radius"
    assert told in page.panel.message.text()
    # The dock of orientations takes them, unless others are asked for.
    assert taken.text() == f"Those of {told}."
    assert taken.file == tmp_path / "a.spots"
    taken.set_radius(5.0)
    assert taken.file is None
    assert taken.text() == ("Are found anew, of 5 pixels radius: those of a.spots have 3.2.")
    taken.set_radius(3.2)
    assert taken.file == tmp_path / "a.spots"


def test_settings_begin_with_those_of_the_spots_that_are_there(file_window, qtbot, tmp_path):
    scan, page = file_window.session.subject.scan, file_window.tools.find_spots
    how = Detection(2.5, 0.02, 6.0, 4.0, 12)
    finish(find_spots(scan, tmp_path / "a.spots", how, device="cpu"))
    spot_sources_of(file_window.session).open(scan, tmp_path / "a.spots")
    qtbot.waitUntil(lambda: page.radius.value > 0)
    file_window.tools.tabs.setCurrentIndex(PAGE)
    assert page.request().detection == how
    # What is typed stays, and each scan has its own.
    page.least_noise.value = 3
    assert page.request().detection.least_noise == 3
    file_window.viewer.layers.clear()
    file_window.show(spot_scan())
    file_window.tools.tabs.setCurrentIndex(PAGE)
    qtbot.waitUntil(lambda: page.radius.value not in (0, 2.5))
    assert page.least_noise.value == 4


def test_what_is_asked_for_reaches_the_command(file_window, qtbot, tmp_path):
    page = turn_to_page(file_window, qtbot)
    page.radius.value, page.least.value, page.spacing.value = 3.0, 1.5, 7
    arguments = page.request().arguments()
    assert arguments[:2] == ["spots", str(tmp_path / "a.hspy")]
    assert " ".join(arguments[2:]) == (
        f"--radius 3.0 --least 0.015 --least-noise 4.0 --spacing 7.0 --most 64 "
        f"--out {tmp_path / 'a.spots'}"
    )


def test_what_was_stopped_goes_on_or_begins_anew(file_window, qtbot, tmp_path):
    page = turn_to_page(file_window, qtbot)
    assert not page.panel.restart.isVisible()
    (tmp_path / "a.spots.partial").mkdir()
    page.panel.ended.emit()
    assert page.panel.button.text() == "Resume"
    assert not page.request().restart
    page.panel.restart.click()
    assert page.panel.button.text() == "Find spots"
    assert page.request().restart


def test_what_is_missing_is_told(spot_window, qtbot):
    page = turn_to_page(spot_window, qtbot)
    page.panel.button.click()
    assert "lives in memory" in page.panel.message.text()
    page.radius.value = 0
    page.panel.button.click()
    assert page.panel.message.text() == "Give the radius of a spot, or measure it."
    page.measure_button.click()
    qtbot.waitUntil(lambda: page.radius.value == pytest.approx(BEAM, abs=0.5))
