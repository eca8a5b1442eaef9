"""Docks find their room below the patterns, among the other docks of a real window."""

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget

from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.ui import FEATURE_BROWSER, LATENT_MAPS, PATTERN_VIEWER, PLUGIN, SEVERAL_SCANS
from napari_kikuchi.ui.link import ScanLink


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


def test_a_browser_elsewhere_leaves_the_docks_as_they_are(viewer, qtbot):
    form, maps = opened(viewer, LATENT_MAPS, FEATURE_BROWSER)
    maps.setFloating(True)
    qtbot.wait(50)
    assert viewer.window._qt_window.tabifiedDockWidgets(maps) == []
    assert isinstance(form, QDockWidget)
    assert form.isVisible()
