"""What orientation maps tell beyond what is in them: misorientations, correlation, colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_kikuchi.ui.axis_correlation_plot import AxisCorrelationPlot
from napari_kikuchi.ui.forms import Notice
from napari_kikuchi.ui.ipf_key import IpfKey
from napari_kikuchi.ui.listening import listen
from napari_kikuchi.ui.misorientation_tool import MisorientationTool
from napari_kikuchi.ui.solutions import solutions_of

if TYPE_CHECKING:
    from napari_kikuchi.scan import Scan
    from napari_kikuchi.ui.session import Session

_NONE = (
    "There are no orientations of this scan yet: map them, or open their maps. Those of Kikuchi "
    "patterns come from Physics maps."
)
# Compiling takes half a minute where it has not been done before.
_WAIT = "Reading the orientations…"


class OrientationsPage(QWidget):
    """Explores the orientations of a scan, whoever found them.

    Parameters
    ----------
    session
        Of the viewer.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._scan: Scan | None = None
        self._solutions = solutions_of(session)
        self.notice = Notice()
        self.misorientation = MisorientationTool(session)
        self.key = IpfKey(session)
        self.correlation = AxisCorrelationPlot(session)
        self.content = QWidget()
        inner = QVBoxLayout(self.content)
        inner.setContentsMargins(0, 0, 0, 0)
        for title, widget in (
            ("Misorientation", self.misorientation),
            ("Colours of the crystal directions", self.key),
            ("How far zone axes stay alike", self.correlation),
        ):
            inner.addWidget(QLabel(f"<b>{title}</b>"))
            inner.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.addWidget(self.notice)
        layout.addWidget(self.content)
        layout.addStretch()
        listen(self, [(self._solutions.changed, self._on_solution)])
        self.set_scan(None)

    def set_scan(self, scan: Scan | None) -> None:
        """Explore the orientations of this scan."""
        self._scan = scan
        self._on_solution(scan)

    def _on_solution(self, scan: Scan | None) -> None:
        if scan is not self._scan:
            return
        solution = None if scan is None else self._solutions.of(scan)
        awaited = scan is not None and self._solutions.is_awaited(scan)
        missing = _WAIT if awaited else _NONE
        self.notice.tell(missing if solution is None else solution.report)
        self.content.setVisible(solution is not None)
        self.misorientation.set_solution(scan, solution)
        self.key.set_solution(solution)
        self.correlation.set_solution(scan, solution)
