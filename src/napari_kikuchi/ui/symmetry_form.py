"""Symmetry of an EBSD scan: where the screen stood, and where the maps go."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from magicgui.types import FileDialogMode
from magicgui.widgets import FileEdit, LineEdit
from qtpy.QtWidgets import QCheckBox, QLabel, QPushButton, QVBoxLayout
from superqt import QCollapsible

from napari_kikuchi.geometry import Geometry
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.symmetry.classes import classes_of
from napari_kikuchi.symmetry.places import default_symmetry_path
from napari_kikuchi.symmetry.summary import adaptation_told
from napari_kikuchi.ui.child import COMMAND
from napari_kikuchi.ui.forms import Form, path_in, path_of
from napari_kikuchi.ui.geometry_options import GeometryOptions, angle_field
from napari_kikuchi.ui.job_row import JobRow
from napari_kikuchi.ui.listening import listen
from napari_kikuchi.ui.map_form import MapWords, TechniqueForm
from napari_kikuchi.ui.symmetries import symmetries_of
from napari_kikuchi.ui.symmetry_legend import SymmetryLegend
from napari_kikuchi.ui.symmetry_request import SymmetryRequest

if TYPE_CHECKING:
    from napari_kikuchi.maps import MapStack
    from napari_kikuchi.scan import Scan
    from napari_kikuchi.symmetry.find_centre import FoundCentre
    from napari_kikuchi.ui.session import Session

_START = (
    "Tell the space group of every pattern, in a process of its own;\nwhat was stopped goes on "
    "where it was"
)
_HINT = "Which cubic space group each pattern shows, before anyone has named a phase."
_UNKNOWN = (
    "The projection centre of this scan is not known: it is found from the patterns, unless you "
    "type it in."
)
_OF_MAPS = "The geometry is that of the maps of symmetry."
_FIND = "Find the projection centre from the patterns"
_FIND_TIP = (
    "Try projection centres until the bands of some patterns meet as those of a cubic crystal do"
)
_ADAPT_TIP = (
    "Before the map, let the classifier get used to some hundreds of patterns of this scan, of\n"
    "which nobody has to name the phases. Only done where they are unlike simulated ones and of\n"
    "about a dozen phases or more; a message says what was done."
)


class SymmetryForm(TechniqueForm[SymmetryRequest]):
    """Maps symmetry in a child process, shows the maps and says what their colours mean.

    Parameters
    ----------
    session
        Of the viewer that shows the maps.
    command
        Program that makes the maps, and its first arguments.
    """

    def __init__(self, session: Session, command: Sequence[str] = COMMAND) -> None:
        super().__init__(
            session,
            MapWords(
                "Map symmetry",
                "geometry, groups, classifier or adapting are others now",
                _START,
                _HINT,
            ),
            command,
        )
        self._symmetries = symmetries_of(session)
        self.legend = SymmetryLegend(session)
        self.geometry_options = GeometryOptions(unknown=_UNKNOWN)
        self.find_button = QPushButton(_FIND)
        self.find_button.setToolTip(_FIND_TIP)
        self.finding = JobRow(session, self._suit)
        self.classifier = FileEdit(
            label="classifier",
            mode=FileDialogMode.EXISTING_FILE,
            filter="*.safetensors",
            tooltip="File of a classifier; empty: the one that comes with napari-kikuchi",
        )
        self.classifier.line_edit.native.setPlaceholderText("the usual one")
        self.among = LineEdit(
            label="space groups",
            tooltip="Which may be there: common for the six most common ones, or numbers such as "
            "225, 229;\nempty: all that the classifier tells apart",
        )
        self.among.native.setPlaceholderText("all")
        self.adapt = QCheckBox("Adapt to this scan")
        self.adapt.setToolTip(_ADAPT_TIP)
        self.threshold = angle_field(
            "neighbours within",
            "Neighbours whose orientations differ by less are of one crystal and vote together",
        )
        self.threshold.min, self.threshold.value = 0.1, 3.0
        self.more = QCollapsible("More")
        self.more.addWidget(Form(self.among, self.classifier, self.threshold, self.out))
        inner = QVBoxLayout(self.options)
        inner.setContentsMargins(0, 0, 0, 0)
        for widget in (
            QLabel("<b>Where the screen stood</b>"),
            self.geometry_options,
            self.find_button,
            self.finding,
            self.adapt,
            self.more,
        ):
            inner.addWidget(widget)
        layout = QVBoxLayout(self)
        for part in (self.panel, self.notice, self.legend, self.options):
            layout.addWidget(part)
        layout.addStretch()
        self.find_button.clicked.connect(lambda: self._find())
        listen(self, [(self._symmetries.changed, self._on_symmetry)])
        self._suit()
        self.panel.offer_restart()

    def _on_scan(self, scan: Scan | None) -> None:
        self.finding.cancel()
        self.geometry_options.set_scan(scan)
        self.legend.set_scan(scan)
        self._suit()
        if scan is not None:
            self._on_symmetry(scan)
        if scan is not None and scan.path is not None:
            self.out.value = default_symmetry_path(scan.path, scan.options)

    def request(self) -> SymmetryRequest:
        """What is asked for.

        Raises
        ------
        ValueError
            If something is missing, or no space groups are named.
        """
        if self._scan is None:
            raise ValueError("Open a scan to map it.")
        among = self.among.value.strip() or None
        if among is not None:
            classes_of(among)
        return SymmetryRequest(
            self._scan,
            path_of(self.out, "where the maps go"),
            self.geometry_options.chosen(),
            find_centre=not self.geometry_options.is_known,
            classifier=path_in(self.classifier),
            among=among,
            adapt=self.adapt.isChecked(),
            grain_threshold=self.threshold.value,
            restart=self.panel.restart.isChecked(),
        )

    def _why_not(self, scan: Scan | None) -> str:
        if scan is None or scan.technique == "EBSD":
            return ""
        return (
            f"{scan.name} holds patterns of spots. Symmetry is told of Kikuchi patterns; what "
            "phases these spots come from, Orientations finds out."
        )

    def _suit(self) -> None:
        super()._suit()
        self.find_button.setEnabled(self._scan is not None and not self.finding.active)

    def _find(self) -> None:
        scan = self._scan
        if scan is None:
            return

        def take(found: FoundCentre) -> None:
            self.geometry_options.show_found(
                scan,
                found.geometry,
                "The projection centre was found from the patterns: cubic crystals explain "
                f"{found.explained:.0%} of the best of them.",
            )

        chosen = self.geometry_options.chosen()
        self.finding.start(_found(scan, path_in(self.classifier), chosen), take)
        self._suit()

    def _tell(self, stack: MapStack, request: SymmetryRequest) -> None:
        self.panel.add(adaptation_told(stack.provenance))
        super()._tell(stack, request)

    def _on_symmetry(self, scan: Scan) -> None:
        """Go on with the geometry of maps that are there, where nothing else is known."""
        known = self._symmetries.of(scan)
        if scan is not self._scan or known is None or self.geometry_options.is_known:
            return
        told = known.stack.provenance["symmetry"].get("geometry")
        # Others may have written the maps.
        with suppress(ValueError):
            geometry = Geometry.from_settings(told)
            self.geometry_options.show_found(scan, geometry, _OF_MAPS)


def _found(scan: Scan, classifier: Path | None, geometry: Geometry) -> Job[FoundCentre]:
    from napari_kikuchi.symmetry.classifier import SymmetryClassifier
    from napari_kikuchi.symmetry.find_centre import find_scan_centre

    yield Progress(0, 0, "Reading the classifier")
    return (
        yield from find_scan_centre(
            scan,
            SymmetryClassifier.chosen(classifier).modes,
            sample_tilt=geometry.sample_tilt,
            detector_tilt=geometry.detector_tilt,
        )
    )
