"""Docks find their room below the patterns, among the other docks of a real window."""

import numpy as np
import pytest
from qtpy.compat import isalive
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QApplication, QDockWidget

from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.ui import (
    FEATURE_BROWSER,
    INSPECTOR,
    LATENT_MAPS,
    LATENT_SPACE,
    MICROSTRUCTURES,
    ORIENTATIONS,
    PATTERN_VIEWER,
    PHYSICS_MAPS,
    PLUGIN,
    SEGMENT,
    SEVERAL_SCANS,
)
from napari_kikuchi.ui.link import ScanLink

DOCKS = (PATTERN_VIEWER, FEATURE_BROWSER, LATENT_MAPS, PHYSICS_MAPS, SEVERAL_SCANS)
DOCKS += (INSPECTOR, SEGMENT, LATENT_SPACE, ORIENTATIONS, MICROSTRUCTURES)


@pytest.fixture
def viewer(make_napari_viewer):
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1400, 900)
    return viewer


def opened(viewer, *names):
    """The docks of that name, opened one after the other."""
    return [viewer.window.add_plugin_dock_widget(PLUGIN, name)[0] for name in names]


def test_there_is_room_for_rows_of_pictures_below_the_patterns(viewer, qtbot):
    patterns, maps = opened(viewer, PATTERN_VIEWER, FEATURE_BROWSER)
    browser = maps.inner_widget()
    qtbot.waitUntil(lambda: maps.y() > patterns.y() and browser.list.views.height() > 200)
    # No room is left below what the browser holds.
    lowest = max(child.geometry().bottom() for child in (browser.status, browser.buttons))
    assert browser.height() - lowest < 20
    assert viewer.window._qt_window.height() == 900


def test_the_browser_is_a_tab_of_a_form_and_has_the_keys_while_it_is_on_top(viewer, qtbot):
    form, patterns, maps = opened(viewer, LATENT_MAPS, PATTERN_VIEWER, FEATURE_BROWSER)
    window = viewer.window._qt_window
    qtbot.waitUntil(lambda: window.tabifiedDockWidgets(maps) == [form])
    browser = maps.inner_widget()
    qtbot.waitUntil(lambda: not browser.visibleRegion().isEmpty())
    assert window.tabifiedDockWidgets(patterns) == []
    stack = MapStack(np.random.default_rng(0).random((3, 4, 5)), [Channel(c) for c in "abc"])
    browser.show_stack(stack, ScanLink())
    canvas = viewer.window._qt_viewer.canvas.native
    qtbot.keyClick(canvas, Qt.Key.Key_Period)
    qtbot.waitUntil(lambda: browser.list.current == 1)
    form.raise_()
    qtbot.waitUntil(lambda: browser.visibleRegion().isEmpty())
    qtbot.keyClick(canvas, Qt.Key.Key_Period)
    assert browser.list.current == 1


def test_docks_below_the_patterns_are_tabs_of_each_other(viewer, qtbot):
    patterns, maps, scans = opened(viewer, PATTERN_VIEWER, FEATURE_BROWSER, SEVERAL_SCANS)
    window = viewer.window._qt_window
    qtbot.waitUntil(lambda: window.tabifiedDockWidgets(scans) == [maps])
    qtbot.waitUntil(lambda: not scans.inner_widget().visibleRegion().isEmpty())
    assert window.tabifiedDockWidgets(patterns) == []
    assert scans.y() > patterns.y()


def test_forms_are_tabs_of_each_other_and_patterns_keep_their_height(viewer, qtbot):
    # Whatever came first: a scan that is opened brings the pattern viewer.
    form, patterns, other = opened(viewer, LATENT_MAPS, PATTERN_VIEWER, PHYSICS_MAPS)
    window = viewer.window._qt_window
    qtbot.waitUntil(lambda: window.tabifiedDockWidgets(other) == [form])
    panes = patterns.inner_widget().panes
    qtbot.waitUntil(lambda: panes.height() > 190)


def test_all_docks_fit_a_low_screen_whatever_they_tell(viewer, qtbot):
    window = viewer.window._qt_window
    viewer.window.resize(1366, 768)
    docks = opened(viewer, *DOCKS)
    qtbot.wait(300)
    assert window.minimumSizeHint().height() < 700
    browser = docks[1].inner_widget()
    browser.rank_by.choice.setCurrentIndex(1)
    browser.notice.tell("Marks last only as long as these maps are open: there is no room left")
    qtbot.wait(300)
    assert window.height() == 768


@pytest.mark.parametrize("name", [FEATURE_BROWSER, INSPECTOR])
def test_a_dock_that_is_deleted_at_once_is_forgotten(viewer, qtbot, name):
    dock, widget = viewer.window.add_plugin_dock_widget(PLUGIN, name)
    viewer.window.remove_dock_widget(dock)
    widget.deleteLater()
    QApplication.sendPostedEvents(widget, QEvent.Type.DeferredDelete)
    assert not isalive(widget)
    qtbot.wait(50)  # an error in a slot fails the test


def test_a_browser_elsewhere_leaves_the_docks_as_they_are(viewer, qtbot):
    form, maps = opened(viewer, LATENT_MAPS, FEATURE_BROWSER)
    maps.setFloating(True)
    qtbot.wait(50)
    assert viewer.window._qt_window.tabifiedDockWidgets(maps) == []
    assert isinstance(form, QDockWidget)
    assert form.isVisible()


def test_the_inspector_takes_the_place_of_the_patterns_and_leaves_the_window_as_high(viewer, qtbot):
    patterns, _ = opened(viewer, PATTERN_VIEWER, LATENT_MAPS)
    qtbot.wait(50)
    (inspector,) = opened(viewer, INSPECTOR)
    window = viewer.window._qt_window
    qtbot.waitUntil(lambda: window.tabifiedDockWidgets(inspector) == [patterns])
    qtbot.waitUntil(lambda: window.height() == 900)
    qtbot.wait(100)
    assert not inspector.inner_widget().visibleRegion().isEmpty()


def test_docks_leave_half_of_the_window_to_the_maps_and_the_patterns_in_sight(viewer, qtbot):
    viewer.window.resize(1600, 1000)
    patterns, maps, *tall = opened(viewer, PATTERN_VIEWER, FEATURE_BROWSER, LATENT_SPACE, SEGMENT)
    window = viewer.window._qt_window
    qtbot.waitUntil(lambda: set(window.tabifiedDockWidgets(maps)) == set(tall))
    qtbot.waitUntil(lambda: window.width() == 1600 and window.height() == 1000)
    qtbot.waitUntil(lambda: not tall[-1].inner_widget().visibleRegion().isEmpty())
    assert viewer.window._qt_viewer.canvas.native.width() >= 800
    assert not patterns.inner_widget().visibleRegion().isEmpty()
    assert tall[-1].y() > patterns.y()
    assert tall[-1].inner_widget().height() > 400


def test_a_wide_window_has_room_for_a_column_beside_the_patterns(viewer, qtbot):
    viewer.window.resize(2600, 900)
    patterns, *tall = opened(viewer, PATTERN_VIEWER, LATENT_SPACE, SEGMENT)
    window = viewer.window._qt_window
    qtbot.waitUntil(lambda: window.tabifiedDockWidgets(tall[0]) == tall[1:])
    qtbot.waitUntil(lambda: tall[1].x() > patterns.x() and tall[1].y() == patterns.y())
    assert viewer.window._qt_viewer.canvas.native.width() >= 1300


def test_tabs_are_called_by_what_their_docks_do(viewer, qtbot):
    docks = opened(viewer, *DOCKS)
    qtbot.waitUntil(lambda: {dock.windowTitle() for dock in docks} == set(DOCKS))
