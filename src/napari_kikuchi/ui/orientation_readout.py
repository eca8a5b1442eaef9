"""How the crystal lies at the position whose pattern is shown, in words below the pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QSizePolicy
from superqt import QElidingLabel

from napari_kikuchi.orientation.rings import written
from napari_kikuchi.ui.listening import listen
from napari_kikuchi.ui.session import Point
from napari_kikuchi.ui.solutions import solutions_of

if TYPE_CHECKING:
    from napari_kikuchi.explore.orientation_readings import OrientationReading
    from napari_kikuchi.scan import Scan
    from napari_kikuchi.ui.session import Session

_TIP = (
    "Phase; direction of the crystal along the beam (of Kikuchi patterns: along the normal of the\n"
    "surface), the nearest one of low indices and how far it is; confidence; Bunge's angles"
)


class OrientationReadout(QElidingLabel):
    """Seen while the maps of the scan tell orientations.

    Parameters
    ----------
    session
        Of the viewer, whose subject is told of.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._solutions = solutions_of(session)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        listen(self, [(session.subject_changed, self._tell)])
        listen(self, [(self._solutions.changed, self._on_solution)])
        self._tell()

    def _on_solution(self, scan: Scan) -> None:
        subject = self._session.subject
        if subject is not None and subject.scan is scan:
            self._tell()

    def _tell(self, *_: object) -> None:
        subject = self._session.subject
        solution = None if subject is None else self._solutions.of(subject.scan)
        text = ""
        if solution is not None and isinstance(subject, Point):
            reading = solution.readings.at(subject.row, subject.col)
            along = "normal" if subject.scan.technique == "EBSD" else "beam"
            text = "not indexed" if reading is None else _words(reading, along)
        self.setText(text)
        # The dock may be too narrow for all of it.
        self.setToolTip(f"{text}\n{_TIP}")
        self.setVisible(bool(text))


def _words(reading: OrientationReading, along: str) -> str:
    first, second, third = reading.euler
    parts = [
        reading.phase,
        f"{along} {reading.away:.1f}° from [{written(reading.zone_axis)}]",
        "" if reading.confidence is None else f"confidence {reading.confidence:.2f}",
        f"φ₁ {first:.1f}°  Φ {second:.1f}°  φ₂ {third:.1f}°",
    ]
    return "  ·  ".join(filter(None, parts))
