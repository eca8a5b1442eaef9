"""What the pattern viewer has for spot patterns: a readout, and pages beside its own controls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QSizePolicy, QTabBar, QVBoxLayout, QWidget
from superqt import QElidingLabel

from napari_kikuchi.ui.calibrate_page import CalibratePage
from napari_kikuchi.ui.detectors_page import DetectorsPage
from napari_kikuchi.ui.find_spots_page import FindSpotsPage
from napari_kikuchi.ui.listening import listen
from napari_kikuchi.ui.pattern_overlay import PatternOverlay
from napari_kikuchi.ui.pattern_scale import pattern_scales_of
from napari_kikuchi.ui.scale_bar_drawing import ScaleBar
from napari_kikuchi.ui.session import Point
from napari_kikuchi.ui.spots_page import SpotsPage
from napari_kikuchi.ui.tool_page import ToolPage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.scan import Scan
    from napari_kikuchi.ui.pattern_feed import Shown
    from napari_kikuchi.ui.pattern_frame import Place
    from napari_kikuchi.ui.pattern_panes import PatternPanes
    from napari_kikuchi.ui.session import Session

_INVITATION = "Point at the pattern: how far from the direct beam"


class SpotTools(QWidget):
    """Seen while patterns of a 4D-STEM scan are shown.

    Parameters
    ----------
    session
        Of the viewer.
    panes
        Where the patterns are.
    controls
        Of all patterns: the first page, that of no others.

    Attributes
    ----------
    readout
        Where the mouse is in the pattern.
    tabs
        Choose the page.
    spots
        Which spots are drawn.
    calibrate
        The page on which patterns are calibrated by hand.
    detectors
        The page of virtual detectors.
    find_spots
        The page that finds the spots of the scan.
    """

    def __init__(self, session: Session, panes: PatternPanes, controls: QWidget) -> None:
        super().__init__()
        self._scan: Scan | None = None
        self._pattern: NDArray | None = None
        self._position: tuple[int, int] | None = None
        self._place: Place | None = None
        self._scales = pattern_scales_of(session)
        self.overlay = PatternOverlay(panes)
        self._bar = ScaleBar()
        self.readout = QElidingLabel(_INVITATION)
        self.readout.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.readout.setToolTip(
            "Of the place under the mouse: distance from the direct beam as length of the\n"
            "scattering vector k, spacing d = 1/k of the planes that scatter there, and intensity"
        )
        self.tabs = QTabBar()
        self.tabs.setExpanding(True)
        self.tabs.setDrawBase(False)
        self._controls = controls
        self.spots = SpotsPage(session, self.overlay)
        self.calibrate = CalibratePage(session, self.overlay)
        self.detectors = DetectorsPage(session, self.overlay)
        self.find_spots = FindSpotsPage(session)
        self._pages: dict[str, ToolPage] = {
            "View": self.spots,
            "Calibrate": self.calibrate,
            "Detectors": self.detectors,
            "Find spots": self.find_spots,
        }
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.tabs)
        for name, page in self._pages.items():
            self.tabs.addTab(name)
            layout.addWidget(page)
        self.tabs.currentChanged.connect(self._on_page)
        self.overlay.pointed.connect(self._on_pointed)
        listen(self, [(self._scales.changed, self._on_scale)])
        self.set_scan(None)

    def set_scan(self, scan: Scan | None) -> None:
        """Serve patterns of this scan."""
        self._scan = scan if scan is not None and scan.technique == "4D-STEM" else None
        for widget in (self, self.readout, self.overlay):
            widget.setVisible(self._scan is not None)
        for page in self._pages.values():
            page.set_scan(self._scan)
        if self._scan is None:
            self.tabs.setCurrentIndex(0)
        self._on_page()
        self._on_scale(self._scan)

    def set_shown(self, shown: Shown) -> None:
        """Tell the intensities of this pattern, as it was recorded, and draw its spots."""
        if self._scan is not None:
            subject = shown.request.subject
            self._pattern = shown.pattern
            self._position = (subject.row, subject.col) if isinstance(subject, Point) else None
            self.spots.set_shown(shown)
            self.find_spots.set_shown(shown)
            self.calibrate.set_position(self._position)
            self._tell()

    def _on_page(self, *_: object) -> None:
        chosen = list(self._pages.values())[self.tabs.currentIndex()]
        # What leaves goes first: for both at once the window would have to grow.
        for page in self._pages.values():
            if page is not chosen:
                page.hide()
                page.set_active(False)
        self._controls.setVisible(chosen is self.spots)
        chosen.show()
        chosen.set_active(self._scan is not None)

    def _on_scale(self, scan: Scan | None) -> None:
        if scan is not self._scan:
            return
        self._bar.scale = None if scan is None else self._scales.of(scan)
        self.overlay.show_drawing(self._bar, self._bar.scale is not None)
        self._tell()

    def _on_pointed(self, place: Place | None) -> None:
        self._place = place
        self._tell()

    def _tell(self) -> None:
        scale = self._bar.scale
        if scale is None or self._place is None:
            text = _INVITATION
        else:
            told = scale.at(self._position).told(self._place)
            text = "  ·  ".join(filter(None, (told, self._counts())))
        if text != self.readout.text():
            self.readout.setText(text)

    def _counts(self) -> str:
        if self._pattern is None or self._place is None:
            return ""
        row, col = (round(part) for part in self._place)
        height, width = self._pattern.shape
        inside = 0 <= row < height and 0 <= col < width
        return f"intensity {self._pattern[row, col]:.4g}" if inside else ""
