"""Where docks go: below the pattern viewer or beside it as tabs, so that the maps keep room."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from qtpy.compat import isalive
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

from napari_kikuchi.ui import PLUGIN

if TYPE_CHECKING:
    from qtpy.QtCore import QSize

    from napari_kikuchi.ui.session import Session

# Of a column of docks, and of the window's width the part that is the maps' beside two of them.
_COLUMN = 395
_MAPS_SHARE = 0.5
# Below the pattern viewer, for docks that need height.
_BELOW = 460
# Of the pattern viewer above other docks: two patterns side by side, what is told of them and all
# that can be chosen; in a high window they grow with it.
_PATTERNS = 456
_PATTERNS_SHARE = 0.46

# Property of a dock that tells where it was put.
_PLACE = "napari_kikuchi_place"
_LOW, _TALL = "low", "tall"


def give_room(widget: QWidget, session: Session) -> None:
    """Move the dock of a widget, once, to where it has height.

    napari stacks docks on its right side, where the pattern viewer needs most of the height. Docks
    that are as tall share a column beside it as tabs, if that leaves half of the window to the
    maps. Else they stand below the pattern viewer, as tabs of what stands there already; in a low
    window they are tabs of the pattern viewer's own place.

    Parameters
    ----------
    widget
        About to be put into a dock.
    session
        Of the viewer.
    """
    window = session.window
    size = None if window is None else window.size()
    reference = weakref.ref(widget)
    # napari places the dock after it is made.
    QTimer.singleShot(0, lambda: _move(reference, session, size))


def share_height(widget: QWidget) -> None:
    """Share the height between the pattern viewer and the docks that stand below it.

    napari would push one of them down to what it needs at least. Where such a dock stands there
    already, the next becomes a tab of it: three below each other are too many for a screen.

    Parameters
    ----------
    widget
        About to be put into a dock; the pattern viewer itself, or one that stands below it.
    """
    reference = weakref.ref(widget)
    QTimer.singleShot(0, lambda: _share(reference))


def _share(reference: weakref.ref[QWidget]) -> None:
    dock = _dock_of(reference())
    window = None if dock is None else dock.parent()
    if dock is None or dock.isFloating() or not isinstance(window, QMainWindow):
        return
    _shorten_title(dock)
    if _holds_patterns(dock):
        _divide(window, dock, _dock_below(window, dock))
        return
    _put_below(window, dock)
    dock.raise_()
    _divide(window, _pattern_dock(window), dock)


def _put_below(window: QMainWindow, dock: QDockWidget) -> None:
    """Let a dock stand below the pattern viewer, where napari has put it, with those there."""
    dock.setProperty(_PLACE, _LOW)
    below = _dock_below(window, dock)
    if below is not None:
        window.tabifyDockWidget(below, dock)
        dock.show()


def _divide(window: QMainWindow, patterns: QDockWidget | None, below: QDockWidget | None) -> None:
    """Give the pattern viewer its part of the height above another dock, if both are there."""
    if patterns is None or below is None:
        return
    if window.dockWidgetArea(patterns) == window.dockWidgetArea(below):
        # Docks that have just come have not got their heights yet.
        room = window.centralWidget().height()
        above = _height_of_patterns(room)
        window.resizeDocks([patterns, below], [above, room - above], Qt.Orientation.Vertical)


def _move(reference: weakref.ref[QWidget], session: Session, size: QSize | None) -> None:
    dock = _dock_of(reference())
    window = None if dock is None else session.window
    if dock is None or not isinstance(window, QMainWindow) or dock.property(_PLACE) is not None:
        return
    _shorten_title(dock)
    beside = next((one for one in _put(window, _TALL) if not one.isFloating()), None)
    patterns = _pattern_dock(window)
    dock.setProperty(_PLACE, _TALL)
    if beside is not None:
        window.tabifyDockWidget(beside, dock)
    elif patterns is not None and _has_room_beside(window):
        window.splitDockWidget(patterns, dock, Qt.Orientation.Horizontal)
        # The rest is the maps'.
        window.resizeDocks([patterns, dock], [_COLUMN, _COLUMN], Qt.Orientation.Horizontal)
        QTimer.singleShot(0, session.viewer.reset_view)
    elif patterns is not None and _has_room_below(window):
        _put_below(window, dock)
    elif patterns is not None:
        window.tabifyDockWidget(patterns, dock)
    stands_below = dock.property(_PLACE) == _LOW
    _divide(window, patterns, dock if stands_below else _dock_below(window, dock))
    if size is not None:
        # Three docks below each other have made the window higher, perhaps than the screen.
        window.resize(size)
    dock.show()
    dock.raise_()


def _has_room_beside(window: QMainWindow) -> bool:
    """Whether a second column of docks leaves the maps their part of the width."""
    return window.centralWidget().width() - _COLUMN >= _MAPS_SHARE * window.width()


def _has_room_below(window: QMainWindow) -> bool:
    room = window.centralWidget().height()
    return room - _height_of_patterns(room) >= _BELOW


def _height_of_patterns(room: int) -> int:
    """What the pattern viewer gets of the height above other docks."""
    return max(_PATTERNS, round(_PATTERNS_SHARE * room))


def _shorten_title(dock: QDockWidget) -> None:
    """Leave the plugin's name out of what tabs show, where all are of this plugin."""
    dock.setWindowTitle(dock.windowTitle().removesuffix(f" ({PLUGIN})"))


def _dock_of(widget: QWidget | None) -> QDockWidget | None:
    """The dock of a widget; None if it is gone, or in none."""
    if widget is None or not isalive(widget):
        return None
    parent = widget.parent()
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parent()
    return parent


def _dock_below(window: QMainWindow, dock: QDockWidget) -> QDockWidget | None:
    """Another dock that stands below the pattern viewer, in the same area as this one."""
    area = window.dockWidgetArea(dock)
    docks = (one for one in _put(window, _LOW) if one is not dock and not one.isFloating())
    return next((one for one in docks if window.dockWidgetArea(one) == area), None)


def _put(window: QMainWindow, place: str) -> list[QDockWidget]:
    """The docks that were put into a place, as far as they are seen."""
    docks = window.findChildren(QDockWidget)
    return [dock for dock in docks if dock.property(_PLACE) == place and dock.isVisible()]


def _pattern_dock(window: QMainWindow) -> QDockWidget | None:
    docks = (dock for dock in window.findChildren(QDockWidget) if dock.isVisible())
    return next((dock for dock in docks if _holds_patterns(dock)), None)


def _holds_patterns(dock: QDockWidget) -> bool:
    from napari_kikuchi.ui.pattern_viewer import PatternViewer

    return dock.findChild(PatternViewer) is not None
