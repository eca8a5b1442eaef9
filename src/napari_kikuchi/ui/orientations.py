"""The way from a 4D-STEM scan to its orientations, and what they tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QTabWidget

from napari_kikuchi.scan import Scan
from napari_kikuchi.ui import ORIENTATIONS
from napari_kikuchi.ui.child import COMMAND
from napari_kikuchi.ui.forms import scrolling
from napari_kikuchi.ui.orientations_form import OrientationsForm
from napari_kikuchi.ui.orientations_page import OrientationsPage
from napari_kikuchi.ui.scan_dock import ScanDock

if TYPE_CHECKING:
    import napari

    from napari_kikuchi.ui.job_panel import JobPanel


class Orientations(ScanDock):
    """Dock widget that maps the orientations of a scan, and explores those that are mapped.

    Parameters
    ----------
    napari_viewer
        Whose scans are worked on.
    command
        Program that makes the maps, and its first arguments.
    """

    def __init__(
        self, napari_viewer: napari.viewer.Viewer, command: Sequence[str] = COMMAND
    ) -> None:
        super().__init__(napari_viewer, ORIENTATIONS)
        self.form = OrientationsForm(self.session, command)
        self.page = OrientationsPage(self.session)
        self.tabs = QTabWidget()
        self.tabs.addTab(scrolling(self.form), "Map")
        self._explored = scrolling(self.page)
        self.tabs.addTab(self._explored, "Explore")
        self.content.addWidget(self.tabs, 1)
        self.form.mapped.connect(self._explore)
        self.follow_scans()

    @property
    def panels(self) -> Sequence[JobPanel]:
        """What may be at work."""
        return (self.form.panel,)

    def _explore(self, scan: Scan) -> None:
        """Turn to what the maps of a scan tell, unless the user has turned to another scan."""
        if scan is self.scan:
            self.tabs.setCurrentWidget(self._explored)

    def set_scan(self, scan: Scan | None) -> None:
        """Work on this scan: another has been chosen, or the open scans are others."""
        self.form.set_scan(scan)
        self.page.set_scan(scan)
