"""Where docks that need height go: below the pattern viewer, or beside it as tabs."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

if TYPE_CHECKING:
    from qtpy.QtCore import QSize

    from napari_kikuchi.ui.session import Session

# Below that width of the window a second column would leave too little for the maps.
_WIDE = 1500
_COLUMN = 395
# Shares of the height: two patterns side by side with what is told of them, and rows of pictures.
_PATTERNS, _MAPS = 46, 54

# Property of a dock that tells where it was put.
_PLACE = "napari_kikuchi_place"
_LOW, _TALL = "low", "tall"


def give_room(widget: QWidget, session: Session) -> None:
    """Move the dock of a widget, once, to where it has height.

    napari stacks docks on its right side, where the pattern viewer needs most of the height. Docks
    that are as tall share a column beside it as tabs; in a narrow window they are tabs of the
    pattern viewer's own place.

    Parameters
    ----------
    widget
        About to be put into a dock.
    session
        Of the viewer.
    """
    window = session.window
    size = None if window is None else window.size()
    # napari places the dock after it is made.
    QTimer.singleShot(0, lambda: _move(weakref.ref(widget), session, size))


def share_height(widget: QWidget) -> None:
    """Give a dock that stands below the pattern viewer the larger part of their height.

    napari would push it down to what it needs at least. Where a form or another such dock stands
    in the same column, the dock becomes a tab of it: three below each other are too many for a
    screen.

    Parameters
    ----------
    widget
        About to be put into a dock.
    """
    reference = weakref.ref(widget)
    QTimer.singleShot(0, lambda: _share(reference))


def _share(reference: weakref.ref[QWidget]) -> None:
    widget = reference()
    dock = None if widget is None else _dock_of(widget)
    window = None if dock is None else dock.parent()
    if dock is None or dock.isFloating() or not isinstance(window, QMainWindow):
        return
    area = window.dockWidgetArea(dock)
    below = _dock_below(window, area, dock)
    dock.setProperty(_PLACE, _LOW)
    if below is not None:
        window.tabifyDockWidget(below, dock)
        dock.show()
        dock.raise_()
    patterns = _pattern_dock(window)
    if patterns is not None and window.dockWidgetArea(patterns) == area:
        window.resizeDocks([patterns, dock], [_PATTERNS, _MAPS], Qt.Orientation.Vertical)


def _move(reference: weakref.ref[QWidget], session: Session, size: QSize | None) -> None:
    widget, window = reference(), session.window
    dock = None if widget is None else _dock_of(widget)
    if dock is None or not isinstance(window, QMainWindow):
        return
    if dock.property(_PLACE) == _TALL:
        return
    beside = next((one for one in _put(window, _TALL) if not one.isFloating()), None)
    patterns = _pattern_dock(window)
    dock.setProperty(_PLACE, _TALL)
    if beside is not None:
        window.tabifyDockWidget(beside, dock)
    elif patterns is not None and window.width() >= _WIDE:
        window.splitDockWidget(patterns, dock, Qt.Orientation.Horizontal)
        # The rest is the maps'.
        window.resizeDocks([patterns, dock], [_COLUMN, _COLUMN], Qt.Orientation.Horizontal)
        QTimer.singleShot(0, session.viewer.reset_view)
    elif patterns is not None:
        window.tabifyDockWidget(patterns, dock)
    if size is not None:
        # Three docks below each other have made the window higher, perhaps than the screen.
        window.resize(size)
    dock.show()
    dock.raise_()


def _dock_of(widget: QWidget) -> QDockWidget | None:
    parent = widget.parent()
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parent()
    return parent


def _dock_below(
    window: QMainWindow, area: Qt.DockWidgetArea, but: QDockWidget
) -> QDockWidget | None:
    """A dock that stands in an area below the pattern viewer."""
    from napari_kikuchi.ui.scan_dock import ScanDock

    low = [one for one in _put(window, _LOW) if one is not but]
    for dock in (_dock_with(window, ScanDock), *low):
        if dock is not None and not dock.isFloating() and window.dockWidgetArea(dock) == area:
            return dock
    return None


def _put(window: QMainWindow, place: str) -> list[QDockWidget]:
    """The docks that were put into a place, as far as they are seen."""
    docks = window.findChildren(QDockWidget)
    return [dock for dock in docks if dock.property(_PLACE) == place and dock.isVisible()]


def _pattern_dock(window: QMainWindow) -> QDockWidget | None:
    from napari_kikuchi.ui.pattern_viewer import PatternViewer

    return _dock_with(window, PatternViewer)


def _dock_with(window: QMainWindow, kind: type[QWidget]) -> QDockWidget | None:
    docks = (dock for dock in window.findChildren(QDockWidget) if dock.isVisible())
    return next((dock for dock in docks if dock.findChild(kind) is not None), None)
