"""Where docks stand beside each other."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

# Two patterns side by side with what is said of them, and three rows of the gallery.
_PATTERNS, _MAPS = 46, 54


def find_room(widget: QWidget) -> None:
    """Give the dock of a widget room below the patterns, which napari would push it aside for.

    It becomes a tab of a form that stands in the same column: three below each other are too many
    for a screen.

    Parameters
    ----------
    widget
        In a dock that has been opened; nothing is done for one that floats or is gone.
    """
    from napari_kikuchi.ui.pattern_viewer import PatternViewer
    from napari_kikuchi.ui.scan_dock import ScanDock

    dock = widget.parentWidget()
    window = dock.parentWidget() if isinstance(dock, QDockWidget) else None
    if not isinstance(dock, QDockWidget) or not isinstance(window, QMainWindow):
        return
    area = window.dockWidgetArea(dock)
    column = [
        other
        for other in window.findChildren(QDockWidget)
        if other.isVisible() and not other.isFloating() and window.dockWidgetArea(other) == area
    ]
    for other in column:
        if isinstance(other.widget(), ScanDock):
            window.tabifyDockWidget(other, dock)
            dock.show()
            dock.raise_()
            break
    for other in column:
        if isinstance(other.widget(), PatternViewer):
            window.resizeDocks([other, dock], [_PATTERNS, _MAPS], Qt.Orientation.Vertical)
