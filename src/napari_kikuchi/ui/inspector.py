"""The inspector: what is drawn on a map, measured."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QLabel, QStackedWidget, QVBoxLayout, QWidget

from napari_kikuchi.ui.docking import give_room
from napari_kikuchi.ui.drawing import DrawingTools
from napari_kikuchi.ui.forms import scrolling
from napari_kikuchi.ui.inspected import Inspected, Inspection
from napari_kikuchi.ui.line_page import LinePage
from napari_kikuchi.ui.session import session_of

if TYPE_CHECKING:
    import napari
    from qtpy.QtGui import QHideEvent, QShowEvent

_WIDTH = 380
_INVITATION = (
    "Draw a line across a wall to see its profile and the patterns along it, or a region to see "
    "its mean pattern and its values. Select two regions, with Shift, to compare them. "
    "What is drawn is measured on the maps that are visible."
)


class Inspector(QWidget):
    """Dock widget that measures the line or the region that is selected, or was drawn last.

    Parameters
    ----------
    napari_viewer
        On whose maps is drawn.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self.session = session_of(napari_viewer)
        self.tools = DrawingTools(self.session)
        self.inspection = Inspection(self.session)
        self.invitation = QLabel(_INVITATION)
        self.invitation.setWordWrap(True)
        self.line = LinePage(self.session)
        self.pages = QStackedWidget()
        for page in (self.invitation, self.line):
            self.pages.addWidget(page)
        self.setMinimumWidth(_WIDTH)
        layout = QVBoxLayout(self)
        layout.addWidget(self.tools)
        layout.addWidget(scrolling(self.pages), 1)
        self.inspection.changed.connect(self._on_changed)
        # Called when the widget is gone, so it must neither need it nor keep it.
        self.destroyed.connect(partial(_let_go, self.inspection.close, self.line.close_down))
        self._show(None)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Watch what is drawn."""
        super().showEvent(event)
        give_room(self, self.session)
        self.inspection.open()
        self.tools.watch()

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Look away: napari hides and forgets a dock that is closed."""
        super().hideEvent(event)
        self.inspection.close()
        self.tools.look_away()

    def _on_changed(self, inspected: Inspected | None) -> None:
        self._show(inspected)

    def _show(self, inspected: Inspected | None) -> None:
        lines = inspected is not None and not inspected.shapes[0].encloses
        self.line.inspect(inspected if lines else None)
        self.pages.setCurrentWidget(self.line if lines else self.invitation)


def _let_go(stop_watching: Callable[[], None], stop_working: Callable[[], None]) -> None:
    stop_watching()
    stop_working()
