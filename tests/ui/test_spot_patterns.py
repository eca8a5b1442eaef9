"""Spot patterns in the pattern viewer: shown as suits them, and measured by pointing at them."""

import numpy as np
import pytest
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QAbstractButton, QApplication, QDockWidget
from spot_window import AWAY, CENTRE, COUNTS, SCALE, SPOT, spot_patterns, spot_scan

from napari_kikuchi.calibration import Calibration
from napari_kikuchi.ui import FEATURE_BROWSER, PHYSICS_MAPS, PLUGIN
from napari_kikuchi.ui.pattern_scale import pattern_scales_of
from napari_kikuchi.ui.pattern_views import Tone, View, tone
from napari_kikuchi.ui.reader import navigator_layer


def dock_of(window):
    docks = window.viewer.window._qt_window.findChildren(QDockWidget)
    return next(dock for dock in docks if dock.isAncestorOf(window.patterns))


def test_spots_are_shown_as_recorded_so_that_weak_ones_are_seen(spot_window):
    controls = spot_window.patterns.controls
    assert spot_window.patterns.panes.shown == [View.RAW]
    assert controls.tone is Tone.LOG
    assert dock_of(spot_window).windowTitle() == "Pattern viewer"
    expected = tone(spot_patterns()[3, 4].astype(np.float32), (0, COUNTS), Tone.LOG, decades=3)
    np.testing.assert_allclose(spot_window.patterns.panes.image(View.RAW), expected, atol=1e-6)
    # A spot of a fifteenth of the beam has more than half of its grey level.
    assert expected[30, 34 - AWAY] > 0.5 > SPOT / COUNTS

    controls.tones.setCurrentText("root")
    expected = np.sqrt(spot_patterns()[3, 4] / COUNTS)
    spot_window.qtbot.waitUntil(
        lambda: np.allclose(spot_window.patterns.panes.image(View.RAW), expected, atol=1e-3)
    )


def test_each_technique_is_shown_as_it_was_chosen_for_it(window, qtbot):
    controls = window.patterns.controls
    assert controls.tone is Tone.LINEAR
    assert dock_of(window).windowTitle() == "Pattern viewer"
    assert window.patterns.tools.isHidden()
    controls.colormap.setCurrentText("viridis")
    data, attributes, _ = navigator_layer(spot_scan())
    spots = window.viewer.add_image(data, **attributes, translate=(0, 30))
    window.session.point_at(window.patterns._pointer.point_at((0.01, 30.01)))
    window.wait_for_views(View.RAW)
    assert (controls.tone, controls.colormap.currentText()) == (Tone.LOG, "inferno")
    assert not window.patterns.tools.isHidden()
    window.viewer.layers.remove(spots)
    window.move(3, 5)
    window.wait_for_views(View.RAW, View.CORRECTED)
    assert (controls.tone, controls.colormap.currentText()) == (Tone.LINEAR, "viridis")


def test_pointing_tells_k_and_the_spacing_of_planes(spot_window, qtbot):
    readout = spot_window.tools.readout
    assert "Point at the pattern" in readout.text()
    spot_window.point(CENTRE[0], CENTRE[1] + AWAY)
    qtbot.waitUntil(lambda: f"intensity {SPOT + 4}" in readout.text())
    frame = spot_window.patterns.panes.frames()[0]
    # The mouse stands on whole pixels of the screen.
    place = frame.to_pattern(spot_window.at(CENTRE[0], CENTRE[1] + AWAY).toPointF())
    pixels = np.hypot(place[0] - CENTRE[0], place[1] - CENTRE[1])
    told = readout.text().split("  ·  ")
    assert told[:3] == [
        f"k {pixels * SCALE:.3f} 1/Å",
        f"d {1 / (pixels * SCALE):.3f} Å",
        f"{pixels:.1f} pixels",
    ]
    # Another pattern brings another intensity under the same mouse.
    spot_window.session.step(0, 1)
    qtbot.waitUntil(lambda: f"intensity {SPOT + 5}" in readout.text())
    QApplication.sendEvent(spot_window.pattern_canvas, QEvent(QEvent.Type.Leave))
    assert "Point at the pattern" in readout.text()


def test_all_pages_fit_a_low_screen_beside_other_docks(spot_window, qtbot):
    window = spot_window.viewer.window._qt_window
    spot_window.viewer.window.resize(1366, 768)
    for name in (FEATURE_BROWSER, PHYSICS_MAPS):
        spot_window.viewer.window.add_plugin_dock_widget(PLUGIN, name)
    qtbot.wait(200)
    for page in (1, 2, 0):
        spot_window.tools.tabs.setCurrentIndex(page)
        qtbot.wait(200)
        assert window.height() == 768
    boxes = spot_window.patterns.findChildren(QAbstractButton)
    cut = [box.text() for box in boxes if box.isVisible() and box.width() < box.sizeHint().width()]
    assert cut == []
    # A window that is closed meanwhile would be kept by the thread that seeks the rings.
    notice = spot_window.tools.calibrate.notice
    qtbot.waitUntil(lambda: "Drag the cross" in notice.text(), timeout=120_000)


@pytest.mark.parametrize(
    ("calibration", "told"),
    [
        (Calibration((2.5, 2.5), "mrad"), "25.00 mrad  ·  10.0 pixels"),
        (Calibration((0.2, 0.2), "1/nm"), "k 0.200 1/Å  ·  d 5.000 Å  ·  10.0 pixels"),
        (None, "10.0 pixels"),
    ],
)
def test_what_the_file_tells_of_a_pixel_is_used(session, qtbot, calibration, told):
    scales = pattern_scales_of(session)
    scan = spot_scan(calibration)
    assert scales.of(scan) is None
    told_of = []
    scales.changed.connect(told_of.append)
    qtbot.waitUntil(lambda: told_of == [scan])
    scale = scales.of(scan)
    assert scale.centre == pytest.approx(CENTRE, abs=0.01)
    assert scale.beam == pytest.approx(3, abs=0.6)
    assert scale.told((CENTRE[0] + 6, CENTRE[1] - 8)) == told
