"""Calibrating patterns by hand: a cross on the direct beam, the rings of a crystal on its spots."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from magicgui.types import FileDialogMode
from magicgui.widgets import ComboBox, Container, FileEdit, FloatSpinBox
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout

from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.ui.forms import Form, Notice, path_of
from napari_kikuchi.ui.latest import Latest
from napari_kikuchi.ui.listening import listen
from napari_kikuchi.ui.pattern_scale import PatternScale, pattern_scales_of
from napari_kikuchi.ui.preparation import SAMPLE, Preparation
from napari_kikuchi.ui.ring_drawing import RingDrawing
from napari_kikuchi.ui.session import RegionMean
from napari_kikuchi.ui.tool_page import ToolPage

if TYPE_CHECKING:
    from napari_kikuchi.orientation.rings import Ring
    from napari_kikuchi.scan import Scan
    from napari_kikuchi.ui.pattern_frame import Place
    from napari_kikuchi.ui.pattern_overlay import PatternOverlay
    from napari_kikuchi.ui.session import Session

_CRYSTALS = [
    ("copper", "cu"),
    ("nickel", "ni"),
    ("aluminium", "al"),
    ("iron (bcc)", "fe"),
    ("titanium (hcp)", "ti"),
]
_OF_A_FILE = "file"
# Patterns of 4D-STEM reach less far, in 1/Å.
_K_MAX = 2.0
# Where nobody knows the scale, the first ring is drawn so far out, as a share of the pattern.
_FIRST_RING = 0.25
_HINT = (
    "Drag the cross onto the direct beam (arrow keys nudge it), then drag a ring onto its spots."
)
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
        # Length of the first ring, in 1/Å.
        self._first = 1.0
        self._scales = pattern_scales_of(session)
        self._latest = Latest(session)
        self.rings = RingDrawing()
        self.crystal = ComboBox(
            label="crystal",
            choices=[*_CRYSTALS, ("a CIF file", _OF_A_FILE)],
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
            "Put the cross where the mean pattern is brightest, and take the scale of the file"
        )
        self.notice = Notice()
        self.form = Form(self.crystal, self.cif, self.scale, centre)
        buttons = QHBoxLayout()
        for button in (self.mean_button, self.find_button):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.notice)
        layout.addWidget(self.form)
        layout.addLayout(buttons)
        self.crystal.changed.connect(self._on_crystal)
        self.cif.changed.connect(self._on_crystal)
        self.scale.changed.connect(self._on_typed)
        for field in self.centre:
            field.changed.connect(self._on_typed)
        self.mean_button.clicked.connect(self._hold_mean)
        self.find_button.clicked.connect(self._guess)
        self.rings.centred.connect(self._on_centred)
        self.rings.scaled.connect(self._on_scaled)
        listen(self, [(self._scales.changed, self._on_scale)], self._latest.stop)

    def set_scan(self, scan: Scan | None) -> None:
        """Calibrate the patterns of this scan."""
        self._scan = scan
        if scan is not None:
            for field, size in zip(self.centre, scan.pattern_shape, strict=True):
                field.min, field.max = -float(size), 2.0 * size
        self._on_scale(scan)

    def set_active(self, active: bool) -> None:
        """Draw the rings, or no longer."""
        self._overlay.show_drawing(self.rings, active)
        if active:
            self._on_crystal()
            self._on_scale(self._scan)
            self._overlay.take_keys()

    def _on_crystal(self) -> None:
        of_file = self.crystal.value == _OF_A_FILE
        self.form.show_row(self.cif, of_file)
        try:
            name = path_of(self.cif, "which CIF file") if of_file else self.crystal.value
        except ValueError as error:
            self._latest.stop()
            self._fail(error)
            return
        self.notice.tell(_WAIT)
        self._latest.start(_rings(name), self._show_rings, failed=self._fail)

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
        self.rings.centre = None if known is None else known.centre
        if scan is not None and known is not None:
            radius = _FIRST_RING * min(scan.pattern_shape)
            self.rings.scale = known.scale or self._first / radius
            values = zip((self.scale, *self.centre), (known.scale or 0, *known.centre), strict=True)
            for field, value in values:
                with field.changed.blocked():
                    field.value = value
        self._overlay.update()

    def _on_centred(self, place: Place) -> None:
        self._change(centre=place)

    def _on_scaled(self, scale: float) -> None:
        self._change(scale=scale)

    def _on_typed(self) -> None:
        row, col = (field.value for field in self.centre)
        self._change(centre=(row, col), scale=self.scale.value or None)

    def _change(self, **changes: Any) -> None:
        known = self._known()
        if self._scan is not None and known is not None:
            self._scales.set(self._scan, replace(known, **changes))

    def _known(self) -> PatternScale | None:
        return None if self._scan is None else self._scales.of(self._scan)

    def _guess(self) -> None:
        guessed = None if self._scan is None else self._scales.guess(self._scan)
        if self._scan is not None and guessed is not None:
            self._scales.set(self._scan, guessed)

    def _hold_mean(self) -> None:
        found = None if self._scan is None else self._session.preparation(self._scan)
        if self._scan is not None and isinstance(found, Preparation):
            count = min(SAMPLE, self._scan.count)
            self._session.hold(RegionMean(self._scan, count, found.background))


def _coordinate(axis: str) -> FloatSpinBox:
    field = FloatSpinBox(name=axis, step=0.2, tooltip=f"{axis} of the direct beam, in pixels")
    field.native.setDecimals(2)
    return field


def _rings(crystal: str | Path) -> Job[list[Ring]]:
    from napari_kikuchi.orientation.crystal import open_crystal
    from napari_kikuchi.orientation.rings import crystal_rings

    yield Progress(0, 0, "Finding the reflections")
    return crystal_rings(open_crystal(crystal), _K_MAX)
