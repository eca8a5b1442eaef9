"""A page of the pattern viewer's tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QWidget

if TYPE_CHECKING:
    from napari_kikuchi.scan import Scan


class ToolPage(QWidget):
    """Works on the scan whose patterns are shown."""

    def set_scan(self, scan: Scan | None) -> None:
        """Work on this scan; None where there is none of its kind."""

    def set_active(self, active: bool) -> None:
        """Come to the front, or leave it."""
