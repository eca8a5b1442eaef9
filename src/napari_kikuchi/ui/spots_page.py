"""Which spots are drawn over the patterns of a scan, beside the controls of the pattern viewer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QFileDialog, QHBoxLayout, QPushButton

from napari_kikuchi.orientation.scan_spots import SUFFIX
from napari_kikuchi.ui.listening import listen
from napari_kikuchi.ui.pattern_scale import pattern_scales_of
from napari_kikuchi.ui.session import Point
from napari_kikuchi.ui.spot_drawing import SpotDrawing, marker_icon
from napari_kikuchi.ui.spot_sources import FoundSpots, Simulation, spot_sources_of
from napari_kikuchi.ui.tool_page import ToolPage

if TYPE_CHECKING:
    from napari_kikuchi.scan import Scan
    from napari_kikuchi.ui.pattern_feed import PatternSpots, Shown
    from napari_kikuchi.ui.pattern_overlay import PatternOverlay
    from napari_kikuchi.ui.session import Session

_FOUND = "Circles around the spots that were found in this pattern; larger ones are stronger"
_NONE_FOUND = "Find the spots of this scan, or open a file of them"
_SIMULATED = "Crosses where the crystal that was found here has spots; point at one for its hkl"
_NONE_SIMULATED = "Map the orientations of this scan first"


class SpotsPage(ToolPage):
    """Check boxes, and a button that opens spots.

    Parameters
    ----------
    session
        Of the viewer.
    overlay
        On which the spots are drawn.

    Attributes
    ----------
    found, simulated
        Tick which spots are drawn.
    drawings
        Of both kinds.
    """

    wanted = Signal()
    """Spots of the pattern shown now are to be read."""

    def __init__(self, session: Session, overlay: PatternOverlay) -> None:
        super().__init__()
        self._overlay = overlay
        self._scan: Scan | None = None
        self._shown: Shown | None = None
        self._scales = pattern_scales_of(session)
        self._sources = spot_sources_of(session)
        self.found = QCheckBox("spots found")
        self.simulated = QCheckBox("spots simulated")
        self.drawings = {self.found: SpotDrawing(True), self.simulated: SpotDrawing(False)}
        for box in self.drawings:
            box.setIcon(marker_icon(box is self.found))
            box.setChecked(True)
            box.toggled.connect(self._on_toggled)
        self.open_button = QPushButton("open…")
        self.open_button.setToolTip("Open a file of spots that were found in this scan")
        self.open_button.clicked.connect(self._ask_for_spots)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self.found, self.simulated):
            layout.addWidget(widget)
        layout.addStretch()
        layout.addWidget(self.open_button)
        handlers = [(self._sources.changed, self._on_source), (self._scales.changed, self._place)]
        listen(self, handlers)

    @property
    def sources(self) -> tuple[FoundSpots | None, Simulation | None]:
        """Whence the spots that are ticked are to be read."""
        if self._scan is None:
            return None, None
        found, simulated = self._sources.found(self._scan), self._sources.simulated(self._scan)
        preview = self._sources.preview(self._scan)
        return (
            preview or (found if self.found.isChecked() else None),
            simulated if self.simulated.isChecked() else None,
        )

    def set_scan(self, scan: Scan | None) -> None:
        """Draw spots of this scan."""
        self._scan = scan
        self._shown = None
        self._on_source(scan)

    def set_shown(self, shown: Shown) -> None:
        """Draw the spots that came with a pattern."""
        self._shown = shown
        self._place(self._scan)

    def _on_source(self, scan: Scan | None) -> None:
        if scan is not self._scan:
            return
        found = None if scan is None else self._sources.found(scan)
        simulated = None if scan is None else self._sources.simulated(scan)
        for box, source, told, missing in (
            (self.found, found, _FOUND, _NONE_FOUND),
            (self.simulated, simulated, _SIMULATED, _NONE_SIMULATED),
        ):
            box.setEnabled(source is not None)
            box.setToolTip(told if source is not None else missing)
        self._place(scan)
        if scan is not None:
            self.wanted.emit()

    def _on_toggled(self) -> None:
        self._place(self._scan)
        self.wanted.emit()

    def _place(self, scan: Scan | None) -> None:
        """Put the spots where they belong on the detector, by the calibration of now."""
        if scan is not self._scan:
            return
        spots = None if self._shown is None else self._shown.spots
        found, simulated = self.drawings.values()
        if spots is None or spots.found is None:
            found.set_spots(np.empty((0, 3)))
        else:
            found.set_spots(spots.found)
        simulated.set_spots(*self._simulated_spots(spots))
        tried = scan is not None and self._sources.preview(scan) is not None
        for box, drawing in self.drawings.items():
            wanted = box.isChecked() or (tried and drawing is found)
            self._overlay.show_drawing(drawing, wanted and drawing.count > 0)

    def _simulated_spots(self, spots: PatternSpots | None) -> tuple[np.ndarray, np.ndarray | None]:
        """Column, row and intensity, and hkl."""
        scale = None if self._scan is None else self._scales.of(self._scan)
        calibration = None if scale is None else scale.calibration
        if self._shown is None or spots is None or spots.simulated is None or calibration is None:
            return np.empty((0, 3)), None
        subject = self._shown.request.subject
        position = [(subject.row, subject.col)] if isinstance(subject, Point) else None
        kx, ky, intensity = spots.simulated.values.T
        col, row = calibration.to_pixels(kx[None], ky[None], position)
        return np.stack([col[0], row[0], intensity], axis=1), spots.simulated.hkl

    def _ask_for_spots(self) -> None:
        scan = self._scan
        if scan is None:
            return
        folder = "" if scan.path is None else str(scan.path.parent)
        dialog = QFileDialog(self, f"Spots of {scan.name}", folder, f"Spots (*{SUFFIX})")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self._sources.open(scan, Path(path)))
        dialog.open()
