"""What mapping orientations has to know of the detector: its calibration, and how it is turned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magicgui.widgets import CheckBox, ComboBox, FloatSpinBox
from qtpy.QtCore import Qt
from qtpy.QtGui import QStandardItemModel
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_kikuchi.ui.forms import Form, Notice
from napari_kikuchi.ui.listening import listen
from napari_kikuchi.ui.pattern_scale import pattern_scales_of

if TYPE_CHECKING:
    from napari_kikuchi.orientation.spot_calibration import SpotCalibration
    from napari_kikuchi.scan import Scan
    from napari_kikuchi.ui.session import Session

_FOUND, _VIEWER = "found", "viewer"
_TIP = (
    "found out: of the spots and the phases.\n"
    "as on the page Calibrate: what the pattern viewer shows for this scan now."
)
_UNKNOWN = "The scale is not known yet: drag the rings on the page Calibrate of the pattern viewer"


class DetectorOptions(QWidget):
    """Calibration, rotation and mirror.

    Parameters
    ----------
    session
        Of the viewer, which knows the calibration that the pattern viewer has of each scan.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._scan: Scan | None = None
        # As a calibration has told last.
        self._turned = (0.0, False)
        self._scales = pattern_scales_of(session)
        self.source = ComboBox(
            label="calibration",
            choices=[("found out", _FOUND), ("as on the page Calibrate", _VIEWER)],
            tooltip=_TIP,
        )
        self.rotation = FloatSpinBox(
            label="turned by",
            min=-360.0,
            max=360.0,
            step=1.0,
            tooltip="The detector against the scan, from down towards right: spots do not tell.\n"
            "Orientations relative to each other do not need it.",
        )
        self.rotation.native.setDecimals(1)
        self.rotation.native.setSuffix("°")
        self.flipped = CheckBox(text="mirrored", tooltip="The detector shows patterns mirrored")
        self.notice = Notice()
        self.form = Form(self.source, self.rotation, self.flipped)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.form)
        layout.addWidget(self.notice)
        self.source.changed.connect(self._tell)
        listen(self, [(self._scales.changed, self._on_scale)])
        self._on_scale(None)

    @property
    def calibration(self) -> SpotCalibration | None:
        """That of the pattern viewer, if it was chosen; None: to be found out."""
        return self._known() if self.source.value == _VIEWER else None

    def set_scan(self, scan: Scan | None) -> None:
        """Offer the calibration of this scan."""
        self._scan = scan
        self._on_scale(scan)

    def _known(self) -> SpotCalibration | None:
        scale = None if self._scan is None else self._scales.of(self._scan)
        return None if scale is None else scale.calibration

    def _on_scale(self, scan: Scan | None) -> None:
        if scan is not self._scan:
            return
        calibration = self._known()
        known = calibration is not None
        if calibration is not None:
            self._turn(calibration)
        model = self.source.native.model()
        assert isinstance(model, QStandardItemModel)
        item = model.item(1)
        assert item is not None
        item.setEnabled(known)
        item.setData("" if known else _UNKNOWN, Qt.ItemDataRole.ToolTipRole)
        if not known:
            self.source.value = _FOUND
        self._tell()

    def _turn(self, calibration: SpotCalibration) -> None:
        """Show how the detector is turned, if that is another way than was told before.

        Maps that are opened tell it; rings that are dragged do not, and what was typed stays.
        """
        turned = calibration.rotation, calibration.flipped
        if turned != self._turned:
            self._turned = turned
            self.rotation.value, self.flipped.value = turned

    def _tell(self) -> None:
        calibration = self.calibration
        self.notice.tell("" if calibration is None else _told(calibration))


def _told(calibration: SpotCalibration) -> str:
    row, col = calibration.centre
    parts = [
        f"{calibration.scale:.5f} 1/Å per pixel",
        f"direct beam at row {row:.1f}, column {col:.1f}",
    ]
    if calibration.descan is not None:
        parts.append("wandering over the scan")
    if calibration.ratio > 1:
        parts.append(f"rings longer than wide by {calibration.ratio - 1:.1%}")
    return "  ·  ".join(parts)
