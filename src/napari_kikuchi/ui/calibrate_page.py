"""Calibrating patterns by hand: a cross on the direct beam, the rings of a crystal on its spots."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from magicgui.types import FileDialogMode
from magicgui.widgets import ComboBox, Container, FileEdit, FloatSpinBox
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout
from superqt import QElidingLabel

from napari_kikuchi.calibration import Calibration
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.orientation.scan_spots import ScanSpots
from napari_kikuchi.orientation.spot_calibration import SpotCalibration
from napari_kikuchi.ui.crystals import CRYSTALS
from napari_kikuchi.ui.forms import Form, Notice, path_of
from napari_kikuchi.ui.latest import Latest
from napari_kikuchi.ui.listening import listen
from napari_kikuchi.ui.pattern_scale import PatternScale, pattern_scales_of
from napari_kikuchi.ui.preparation import SAMPLE, Preparation
from napari_kikuchi.ui.ring_drawing import RingDrawing
from napari_kikuchi.ui.session import RegionMean
from napari_kikuchi.ui.spot_sources import spot_sources_of
from napari_kikuchi.ui.tool_page import ToolPage

if TYPE_CHECKING:
    from napari_kikuchi.orientation.find_calibration import FoundCalibration
    from napari_kikuchi.orientation.rings import Ring
    from napari_kikuchi.scan import Scan
    from napari_kikuchi.ui.pattern_frame import Place
    from napari_kikuchi.ui.pattern_overlay import PatternOverlay
    from napari_kikuchi.ui.session import Session

_OF_A_FILE = "file"
# Patterns of 4D-STEM reach less far, in 1/Å.
_K_MAX = 2.0
# Where nobody knows the scale, the first ring is drawn so far out, as a share of the pattern.
_FIRST_RING = 0.25
_HINT = (
    "Drag the cross onto the direct beam (arrow keys nudge it), then drag a ring onto its spots."
)
_FIT = (
    "Find direct beam, scale and distortion at which the spots of the scan lie on the rings,\n"
    "beginning with the scale of now if that is known"
)
_NO_FIT = "Find the spots of this scan first, or open them on the page View"
# Compiling takes half a minute where it has not been done before.
_WAIT = "Finding the reflections…"


class CalibratePage(ToolPage):
    """Chooses the crystal, and shows centre and scale as numbers that can be typed, too.

    Parameters
    ----------
    session
        Of the viewer.
    overlay
        Of the pattern viewer, on which the rings are drawn while the page is seen.

    Attributes
    ----------
    rings
        What is drawn.
    """

    def __init__(self, session: Session, overlay: PatternOverlay) -> None:
        super().__init__()
        self._session = session
        self._overlay = overlay
        self._scan: Scan | None = None
        self._position: tuple[int, int] | None = None
        # Length of the first ring, in 1/Å.
        self._first = 1.0
        self._scales = pattern_scales_of(session)
        self._sources = spot_sources_of(session)
        self._latest = Latest(session, self)
        self._fits = Latest(session, self)
        self.rings = RingDrawing()
        self.crystal = ComboBox(
            label="crystal",
            choices=[*CRYSTALS, ("a CIF file", _OF_A_FILE)],
            tooltip="Known crystal whose rings are drawn",
        )
        self.cif = FileEdit(
            label="CIF file",
            mode=FileDialogMode.EXISTING_FILE,
            filter="*.cif",
            tooltip="Describes the crystal structure",
        )
        self.scale = FloatSpinBox(
            label="1/Å per pixel", min=0.0, max=1.0, step=0.0001, tooltip="Size of a pixel"
        )
        self.scale.native.setDecimals(5)
        self.scale.native.setSpecialValueText("unknown")
        self.centre = [_coordinate(axis) for axis in ("row", "column")]
        centre = Container(
            widgets=self.centre,
            layout="horizontal",
            labels=False,
            label="direct beam",
            tooltip="Row and column of the direct beam, in pixels",
        )
        centre.margins = (0, 0, 0, 0)
        self.mean_button = QPushButton("show the mean")
        self.mean_button.setToolTip(
            "Hold the mean pattern of the scan: spots of all its crystals together make rings"
        )
        self.find_button = QPushButton("find the beam")
        self.find_button.setToolTip(
            "Put the cross where the mean pattern is brightest, take the scale of the file, and\n"
            "forget what was set by hand"
        )
        self.fit_button = QPushButton("fit to spots")
        self.fit_button.clicked.connect(self._fit)
        self.notice = Notice()
        self.kept = QElidingLabel()
        self.kept.setElideMode(Qt.TextElideMode.ElideMiddle)
        self.form = Form(self.crystal, self.cif, self.scale, centre)
        buttons = QHBoxLayout()
        for button in (self.mean_button, self.find_button, self.fit_button):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.notice)
        layout.addWidget(self.form)
        layout.addLayout(buttons)
        layout.addWidget(self.kept)
        self.crystal.changed.connect(self._on_crystal)
        self.cif.changed.connect(self._on_crystal)
        self.scale.changed.connect(self._on_typed_scale)
        for field in self.centre:
            field.changed.connect(self._on_typed_centre)
        self.mean_button.clicked.connect(self._hold_mean)
        self.find_button.clicked.connect(self._guess)
        self.rings.centred.connect(self._on_centred)
        self.rings.scaled.connect(self._on_scaled)
        handlers = [
            (self._scales.changed, self._on_scale),
            (self._sources.changed, self._on_source),
        ]
        listen(self, handlers, self._latest.stop, self._fits.stop)

    def set_scan(self, scan: Scan | None) -> None:
        """Calibrate the patterns of this scan."""
        if scan is not self._scan and self._fits.active:
            # What comes of it would be taken for that of this scan.
            self._fits.stop()
            self.notice.tell(_HINT)
        self._scan = scan
        if scan is not None:
            for field, size in zip(self.centre, scan.pattern_shape, strict=True):
                # What the last scan had may lie outside: that is not typed for this one.
                with field.changed.blocked():
                    field.min, field.max = -float(size), 2.0 * size
        self._on_scale(scan)
        self._on_source(scan)

    def set_position(self, position: tuple[int, int] | None) -> None:
        """Draw the rings of the pattern at a position; None: of a mean pattern."""
        self._position = position
        if self._overlay.is_shown(self.rings):
            self._on_scale(self._scan)

    def set_active(self, active: bool) -> None:
        """Draw the rings, or no longer."""
        self._overlay.show_drawing(self.rings, active)
        if active:
            self._on_crystal()
            self._on_scale(self._scan)
            self._overlay.take_keys()

    def _on_crystal(self) -> None:
        self._fits.stop()
        self.form.show_row(self.cif, self.crystal.value == _OF_A_FILE)
        try:
            name = self._chosen()
        except ValueError as error:
            self._latest.stop()
            self._fail(error)
            return
        self.notice.tell(_WAIT)
        self._latest.start(_rings(name), self._show_rings, failed=self._fail)

    def _chosen(self) -> str | Path:
        """The crystal, by name or CIF file."""
        if self.crystal.value == _OF_A_FILE:
            return path_of(self.cif, "which CIF file describes the crystal")
        return str(self.crystal.value)

    def _fail(self, error: Exception) -> None:
        self._show_rings([])
        self.notice.tell(str(error))

    def _show_rings(self, rings: list[Ring]) -> None:
        self.notice.tell(_HINT)
        self.rings.set_rings(rings)
        self._first = min((ring.length for ring in rings), default=1.0)
        self._on_scale(self._scan)

    def _on_scale(self, scan: Scan | None) -> None:
        """Show what is known of the scan, without taking it for typed."""
        if scan is not self._scan:
            return
        known = None if scan is None else self._scales.of(scan)
        self.form.setEnabled(known is not None)
        self._tell_kept(None if scan is None else self._scales.kept_in(scan))
        self.rings.calibration = None
        if scan is not None and known is not None:
            here = known.at(self._position)
            trial = self._first / (_FIRST_RING * min(scan.pattern_shape))
            self.rings.calibration = here.calibration or SpotCalibration(here.centre, trial)
            values = zip((self.scale, *self.centre), (known.scale or 0, *known.centre), strict=True)
            for field, value in values:
                with field.changed.blocked():
                    field.value = value
        self._overlay.update()

    def _tell_kept(self, path: Path | None) -> None:
        self.kept.setVisible(path is not None)
        self.kept.setText("" if path is None else f"kept in {path}")
        self.kept.setToolTip(
            f"{path}\nIs taken the next time, and by napari-kikuchi orient; find the beam "
            "forgets it."
        )

    def _on_centred(self, place: Place) -> None:
        known = self._known()
        if known is not None:
            self._set(known.placed(place))

    def _on_scaled(self, scale: float) -> None:
        known = self._known()
        if known is not None:
            self._set(replace(known, scale=scale))

    def _on_typed_scale(self, scale: float) -> None:
        known = self._known()
        if known is not None:
            self._set(replace(known, scale=scale or None))

    def _on_typed_centre(self) -> None:
        row, col = (field.value for field in self.centre)
        self._on_centred((row, col))

    def _set(self, scale: PatternScale) -> None:
        if self._scan is not None:
            self._scales.set_by_hand(self._scan, scale)

    def _known(self) -> PatternScale | None:
        return None if self._scan is None else self._scales.of(self._scan)

    def _guess(self) -> None:
        if self._scan is not None:
            self._scales.reset(self._scan)

    def _on_source(self, scan: Scan | None) -> None:
        if scan is self._scan:
            ready = self._spots() is not None
            self.fit_button.setEnabled(ready)
            self.fit_button.setToolTip(_FIT if ready else _NO_FIT)

    def _spots(self) -> ScanSpots | None:
        found = None if self._scan is None else self._sources.found(self._scan)
        return found if isinstance(found, ScanSpots) else None

    def _fit(self) -> None:
        spots, known = self._spots(), self._known()
        try:
            name = self._chosen()
        except ValueError as error:
            self._fail(error)
            return
        if spots is not None and known is not None:
            self.notice.tell("Fitting the rings to the spots of the scan…")
            self._latest.stop()
            self._fits.start(_fitting(spots, name, known), self._show_fit, failed=self._not_fitted)

    def _show_fit(self, found: FoundCalibration) -> None:
        known = self._known()
        if known is not None and found.rings is not None:
            self._set(known.with_found(found.calibration))
            self.notice.tell(
                found.doubt
                or f"Fitted: {found.rings.scale:.5f} ± {found.rings.error:.5f} 1/Å per pixel. "
                "See whether the rings go through spots."
            )

    def _not_fitted(self, error: Exception) -> None:
        self.notice.tell(str(error))

    def _hold_mean(self) -> None:
        found = None if self._scan is None else self._session.preparation(self._scan)
        if self._scan is not None and isinstance(found, Preparation):
            count = min(SAMPLE, self._scan.count)
            self._session.hold(RegionMean(self._scan, count, found.background))


def _coordinate(axis: str) -> FloatSpinBox:
    field = FloatSpinBox(name=axis, step=0.2, tooltip=f"{axis} of the direct beam, in pixels")
    field.native.setDecimals(2)
    return field


def _fitting(spots: ScanSpots, crystal: str | Path, known: PatternScale) -> Job[FoundCalibration]:
    from napari_kikuchi.crystals.crystal import open_crystal
    from napari_kikuchi.orientation.find_calibration import find_calibration

    yield Progress(0, 0, "Fitting the calibration")
    # What the rings show already is a beginning.
    scale = known.scale
    told = None if scale is None else Calibration((10 * scale, 10 * scale), "1/nm")
    # Spots do not tell how the detector is turned: that stays as it is.
    found = known.found
    rotation, flipped = (0.0, False) if found is None else (found.rotation, found.flipped)
    return find_calibration(
        spots, [open_crystal(crystal)], told=told, rotation=rotation, flipped=flipped
    )


def _rings(crystal: str | Path) -> Job[list[Ring]]:
    from napari_kikuchi.crystals.crystal import open_crystal
    from napari_kikuchi.orientation.rings import crystal_rings

    yield Progress(0, 0, "Finding the reflections")
    return crystal_rings(open_crystal(crystal), _K_MAX)
