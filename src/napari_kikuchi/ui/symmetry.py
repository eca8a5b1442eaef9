"""The way from an EBSD scan to the symmetry of its crystals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from napari_kikuchi.scan import Scan
from napari_kikuchi.ui import SYMMETRY
from napari_kikuchi.ui.child import COMMAND
from napari_kikuchi.ui.forms import scrolling
from napari_kikuchi.ui.scan_dock import ScanDock
from napari_kikuchi.ui.symmetry_form import SymmetryForm

if TYPE_CHECKING:
    import napari

    from napari_kikuchi.ui.job_panel import JobPanel


class Symmetry(ScanDock):
    """Dock widget that maps the symmetry of a scan, and explains the map.

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
        super().__init__(napari_viewer, SYMMETRY)
        self.form = SymmetryForm(self.session, command)
        self.content.addWidget(scrolling(self.form), 1)
        self.follow_scans()

    @property
    def panels(self) -> Sequence[JobPanel]:
        """What may be at work."""
        return (self.form.panel,)

    def set_scan(self, scan: Scan | None) -> None:
        """Work on this scan: another has been chosen, or the open scans are others."""
        self.form.set_scan(scan)
