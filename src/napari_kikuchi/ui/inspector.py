"""The inspector: what is drawn on a map, measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image
from qtpy.QtWidgets import QCheckBox, QLabel, QStackedWidget, QVBoxLayout, QWidget

from napari_kikuchi.ui.docking import give_room
from napari_kikuchi.ui.drawing import DrawingTools
from napari_kikuchi.ui.figure_of import figure_of
from napari_kikuchi.ui.forms import scrolling
from napari_kikuchi.ui.inspected import Inspected, Inspection
from napari_kikuchi.ui.inspector_page import InspectorPage
from napari_kikuchi.ui.lettering import Lettering
from napari_kikuchi.ui.line_page import LinePage
from napari_kikuchi.ui.link import link_of
from napari_kikuchi.ui.listening import listen
from napari_kikuchi.ui.region_colours import RegionColours
from napari_kikuchi.ui.region_page import RegionPage
from napari_kikuchi.ui.saving import SaveButtons, Table, suggested_path
from napari_kikuchi.ui.session import session_of
from napari_kikuchi.ui.solutions import solutions_of

if TYPE_CHECKING:
    import napari
    from qtpy.QtGui import QHideEvent, QShowEvent

    from napari_kikuchi.figures.content import FigureContent
    from napari_kikuchi.ui.regions import Drawn

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
        self._colours, self._lettering = RegionColours(), Lettering(napari_viewer.camera)
        self.tools = DrawingTools(self.session)
        self.inspection = Inspection(self.session)
        self.invitation = QLabel(_INVITATION)
        self.invitation.setWordWrap(True)
        self.line, self.region = LinePage(self.session), RegionPage(self.session)
        self.pages = QStackedWidget()
        for page in (self.invitation, self.line, self.region):
            self.pages.addWidget(page)
        self.colour_bars = QCheckBox("colour bars")
        self.colour_bars.setToolTip("Show the values that the colours of the visible maps mean")
        self.colour_bars.toggled.connect(self._show_colour_bars)
        self.saving = SaveButtons(self.session, self._figure, self._table, self._suggested)
        self.setMinimumWidth(_WIDTH)
        layout = QVBoxLayout(self)
        layout.addWidget(self.tools)
        layout.addWidget(scrolling(self.pages), 1)
        layout.addWidget(self.colour_bars)
        layout.addWidget(self.saving)
        self.inspection.changed.connect(self._on_changed)
        for page in (self.line, self.region):
            page.changed.connect(self._offer)
        closing = (self.inspection.close, self.line.close_down, self.region.close_down)
        listen(self, [(napari_viewer.camera.events.zoom, self._lettering.keep_apart)], *closing)
        self._on_changed(None)
        give_room(self, self.session)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Watch what is drawn."""
        super().showEvent(event)
        self.inspection.open()
        self.tools.watch()

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Look away: napari hides and forgets a dock that is closed."""
        super().hideEvent(event)
        self.inspection.close()
        self.tools.look_away()
        self._mark([])

    @property
    def page(self) -> InspectorPage | None:
        """The page that is shown, if something is inspected."""
        inspected = self.inspection.current
        if inspected is None:
            return None
        return self.region if inspected.enclosed else self.line

    def _on_changed(self, inspected: Inspected | None) -> None:
        page = self.page
        for one in (self.line, self.region):
            one.inspect(inspected if one is page else None)
        self.pages.setCurrentWidget(page or self.invitation)
        self._mark([] if inspected is None else inspected.shapes)
        self._offer()
        self._show_colour_bars()

    def _mark(self, shapes: Sequence[Drawn]) -> None:
        """Mark on the map what is inspected."""
        self._colours.show(shapes)
        self._lettering.show(shapes)

    def _maps(self) -> list[Image]:
        """The maps that are measured, or may be: those of the scan on which something is drawn."""
        inspected = self.inspection.current
        if inspected is None:
            return self.inspection.maps()
        return [below.layer for below in inspected.maps]

    def _show_colour_bars(self, *_: object) -> None:
        """Show them for the maps that are visible, none for those that are not."""
        shown = self._maps() if self.colour_bars.isChecked() else []
        for layer, _link in self.session.links():
            if isinstance(layer, Image) and layer.colorbar.visible != (layer in shown):
                layer.colorbar.visible = layer in shown

    def _offer(self) -> None:
        """Offer to save what there is."""
        maps = self._maps()
        measured = self.page is not None and self.page.table()
        self.saving.offer(
            "" if maps else "No map is visible", "" if measured else "Nothing is measured yet"
        )

    def _figure(self) -> tuple[FigureContent, Mapping[str, Any]]:
        maps, inspected, page = self._maps(), self.inspection.current, self.page
        link = link_of(maps[0])
        stack = None if link is None else link.stack
        provenance = {} if stack is None else stack.provenance
        scan = None if link is None else link.source.scan
        solution = None if scan is None else solutions_of(self.session).of(scan)
        readings = None if solution is None else solution.readings
        if inspected is None or page is None:
            return figure_of(maps, readings=readings), provenance
        content = figure_of(maps, inspected.shapes, page.patterns(), page.profiles(), readings)
        return content, provenance

    def _table(self) -> Table:
        return {} if self.page is None else self.page.table()

    def _suggested(self) -> Path:
        """Beside the scan."""
        link = link_of(self._maps()[0])
        assert link is not None
        return suggested_path(link.source, "figure")
