"""Orientations of a 4D-STEM scan: of which phases, on which detector, and where the maps go."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from magicgui.widgets import ComboBox, Container, FloatSpinBox
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QVBoxLayout

from napari_kikuchi.explore.orientations import GRAIN_THRESHOLD
from napari_kikuchi.io.origin import unreadable_told
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.orientation.find_spots import default_spots_path
from napari_kikuchi.orientation.places import default_orientations_path
from napari_kikuchi.ui.child import COMMAND
from napari_kikuchi.ui.detector_options import DetectorOptions
from napari_kikuchi.ui.forms import Form, path_of
from napari_kikuchi.ui.map_form import MapWords, TechniqueForm
from napari_kikuchi.ui.orientations_request import OrientationsRequest
from napari_kikuchi.ui.phase_list import PhaseList
from napari_kikuchi.ui.spot_sources import spot_sources_of
from napari_kikuchi.ui.spots_taken import SpotsTaken

if TYPE_CHECKING:
    from napari_kikuchi.maps import MapStack
    from napari_kikuchi.orientation.report import OrientationReport
    from napari_kikuchi.scan import Scan
    from napari_kikuchi.ui.session import Session

_START = (
    "Find the spots, the calibration and the orientation of every pattern, in a process of its "
    "own;\nwhat was stopped goes on where it was"
)
_UNKNOWN, _THICK, _THIN = "unknown", "thick", "thin"


class OrientationsForm(TechniqueForm[OrientationsRequest]):
    """Maps orientations in a child process and shows the maps.

    Parameters
    ----------
    session
        Of the viewer that shows the maps.
    command
        Program that makes the maps, and its first arguments.
    """

    mapped = Signal(object)
    """The scan of which maps with orientations have come."""

    def __init__(self, session: Session, command: Sequence[str] = COMMAND) -> None:
        super().__init__(
            session,
            MapWords(
                "Map orientations",
                "phases or calibration are others now",
                _START,
                "Phase, orientation and confidence of every pattern, and the grains they make.",
            ),
            command,
        )
        self.phases = PhaseList(session)
        self.spots = SpotsTaken(session)
        self.detector = DetectorOptions(session)
        self.voltage = FloatSpinBox(
            label="voltage", value=300.0, min=1.0, max=3000.0, step=20.0, tooltip="Of the beam"
        )
        self.voltage.native.setDecimals(0)
        self.voltage.native.setSuffix(" kV")
        self.foil = ComboBox(
            label="foil",
            choices=[
                ("of unknown thickness", _UNKNOWN),
                ("of thickness", _THICK),
                ("thin (kinematical)", _THIN),
            ],
            tooltip="of unknown thickness, or of one between two: Bloch waves, quick for metals,\n"
            "hours for large cells of low symmetry. thin: single scattering only, quick for all.",
        )
        self.thickness = [_thickness("from", 100.0), _thickness("to", 800.0)]
        between = Container(
            widgets=self.thickness,
            layout="horizontal",
            labels=False,
            label="thickness",
            tooltip="Of the foil, from thin to thick",
        )
        between.margins = (0, 0, 0, 0)
        self.between = between
        self.radius = FloatSpinBox(
            label="spot radius",
            value=0.0,
            min=0.0,
            max=500.0,
            step=0.5,
            tooltip="Of a spot, in pixels",
        )
        self.radius.native.setDecimals(1)
        self.radius.native.setSpecialValueText("found out")
        self.radius.native.setSuffix(" pixels")
        self.threshold = FloatSpinBox(
            label="grain angle",
            value=GRAIN_THRESHOLD,
            min=0.1,
            max=90.0,
            step=1.0,
            tooltip="Neighbours whose orientations differ by more are different grains",
        )
        self.threshold.native.setDecimals(1)
        self.threshold.native.setSuffix("°")
        self.form = Form(self.voltage, self.foil, between, self.radius, self.threshold)
        self.place = Form(self.out)
        inner = QVBoxLayout(self.options)
        inner.setContentsMargins(0, 0, 0, 0)
        for title, widget in (
            ("Phases", self.phases),
            ("Spots", self.spots),
            ("Detector", self.detector),
            ("Beam and foil", self.form),
            ("Result", self.place),
        ):
            inner.addWidget(QLabel(f"<b>{title}</b>"))
            inner.addWidget(widget)
        layout = QVBoxLayout(self)
        for part in (self.panel, self.notice, self.options):
            layout.addWidget(part)
        layout.addStretch()
        self.foil.changed.connect(self._on_foil)
        self.radius.changed.connect(lambda radius: self.spots.set_radius(radius or None))
        self._on_foil()
        self._suit()
        self.panel.offer_restart()

    def _on_scan(self, scan: Scan | None) -> None:
        self.spots.set_scan(scan)
        self.detector.set_scan(scan)
        self._suit()
        if scan is not None and scan.path is not None:
            self.out.value = default_orientations_path(scan.path, scan.options)

    def request(self) -> OrientationsRequest:
        """What is asked for.

        Raises
        ------
        ValueError
            If something is missing.
        """
        if self._scan is None:
            raise ValueError("Open a 4D-STEM scan to map it.")
        if not self.phases.phases:
            raise ValueError("Add at least one phase that may be there.")
        thin, thick = (field.value for field in self.thickness)
        if self.foil.value == _THICK and thin >= thick:
            raise ValueError("Give thicknesses from thin to thick.")
        return OrientationsRequest(
            self._scan,
            self.phases.phases,
            path_of(self.out, "where the maps go"),
            voltage=self.voltage.value,
            thickness=(thin, thick) if self.foil.value == _THICK else None,
            thin=self.foil.value == _THIN,
            radius=self.radius.value or None,
            spots=self.spots.file,
            calibration=self.detector.calibration,
            rotation=self.detector.rotation.value,
            flipped=self.detector.flipped.value,
            grain_threshold=self.threshold.value,
            restart=self.panel.restart.isChecked(),
        )

    def _prepare(self, request: OrientationsRequest) -> None:
        request.write_calibration()

    def _why_not(self, scan: Scan | None) -> str:
        if scan is None or scan.technique == "4D-STEM":
            return ""
        return (
            f"{scan.name} holds Kikuchi patterns: index these with Physics maps, “orientations, "
            "by indexing”. What their maps tell is on the page Explore."
        )

    def _on_foil(self) -> None:
        self.form.show_row(self.between, self.foil.value == _THICK)

    def _outputs(self) -> list[Path]:
        found = super()._outputs()
        found += [out.with_name(f"{out.name}.solutions") for out in found]
        if found and self._scan is not None and self._scan.path is not None:
            found.append(default_spots_path(self._scan.path, self._scan.options))
        return found

    def _tell(self, stack: MapStack, request: OrientationsRequest) -> None:
        scan = request.scan
        if scan.path is not None and request.spots is None:
            # Found by the way: not there when they were looked for before.
            spots = default_spots_path(scan.path, scan.options)
            if spots.is_file():
                spot_sources_of(self._session).open(scan, spots)

        def tell(found: tuple[OrientationReport, str]) -> None:
            report, told = found
            if self._scan is scan:
                self.panel.add(told)
            if report.indexed:
                self.mapped.emit(scan)

        self._session.start(_report(stack), done=tell)


def _report(stack: MapStack) -> Job[tuple[OrientationReport, str]]:
    from napari_kikuchi.orientation.report import calibration_in_words, report_orientations

    yield Progress(0, 0, "Reading the maps")
    report = report_orientations(stack)
    told = (report.in_words(), calibration_in_words(stack), unreadable_told(stack))
    return report, " ".join(filter(None, told))


def _thickness(name: str, value: float) -> FloatSpinBox:
    field = FloatSpinBox(
        name=name, value=value, min=1.0, max=10_000.0, step=50.0, tooltip=f"{name} so many Å"
    )
    field.native.setDecimals(0)
    field.native.setSuffix(" Å")
    # Two in a row have no room for arrows; the keys still step.
    field.native.setButtonSymbols(field.native.ButtonSymbols.NoButtons)
    field.native.setStyleSheet("min-width: 60px")
    return field
