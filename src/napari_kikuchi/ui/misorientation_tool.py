"""Misorientation of every position to one that is pointed at, as a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Image
from qtpy.QtWidgets import QCheckBox, QPushButton, QVBoxLayout, QWidget

from napari_kikuchi.explore.orientations import misorientation_to
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.ui.forms import Notice
from napari_kikuchi.ui.latest import Latest
from napari_kikuchi.ui.layers import map_layer
from napari_kikuchi.ui.link import LayerLink, link_of
from napari_kikuchi.ui.listening import listen
from napari_kikuchi.ui.session import Point

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.explore.orientations import OrientationMap
    from napari_kikuchi.scan import Scan
    from napari_kikuchi.ui.session import Session
    from napari_kikuchi.ui.solutions import Solution

# Of the stack to which the layer belongs.
_METHOD = "misorientation"
_TIP = "A layer with the misorientation of every position to this one, in degrees"


class MisorientationTool(QWidget):
    """A button that makes the layer, and a box that lets it follow the cursor.

    Parameters
    ----------
    session
        Of the viewer, whose subject is the position.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._scan: Scan | None = None
        self._solution: Solution | None = None
        self._latest = Latest(session, self)
        self._waiting = False
        self.button = QPushButton("misorientation to the position shown")
        self.button.clicked.connect(self._map)
        self.follow = QCheckBox("follow the cursor")
        self.follow.setToolTip("Make the layer anew wherever the cursor goes")
        self.follow.toggled.connect(self._on_subject)
        self.notice = Notice()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for widget in (self.button, self.follow, self.notice):
            layout.addWidget(widget)
        self.notice.tell("")
        listen(self, [(session.subject_changed, self._on_subject)], self._latest.stop)
        self._offer()

    def set_solution(self, scan: Scan | None, solution: Solution | None) -> None:
        """Work on these orientations of a scan."""
        self._latest.stop()
        self._waiting = False
        self._scan, self._solution = scan, solution
        self.notice.tell("")
        self._offer()

    def _point(self) -> Point | None:
        subject = self._session.subject
        if self._solution is None or not isinstance(subject, Point):
            return None
        return subject if subject.scan is self._scan else None

    def _offer(self) -> None:
        point = self._point()
        self.button.setEnabled(point is not None)
        self.button.setToolTip(_TIP if point is not None else "Point at a position of this scan")

    def _on_subject(self, *_: object) -> None:
        self._offer()
        if self.follow.isChecked():
            self._map()

    def _map(self) -> None:
        point = self._point()
        # One after another: of a cursor that moves on, only where it stops is wanted.
        self._waiting = point is not None and self._latest.active
        if point is None or self._solution is None or self._waiting:
            return
        orientations, solution = self._solution.readings.orientations, self._solution

        def show(values: NDArray[np.float64]) -> None:
            self._show(solution, point, values)
            if self._waiting:
                self._map()

        self._latest.start(_misorientation(orientations, point.row, point.col), show)

    def _show(self, solution: Solution, point: Point, values: NDArray[np.float64]) -> None:
        if np.isnan(values).all():
            self.notice.tell("This position is not indexed: point at another one.")
            return
        self.notice.tell("")
        name = f"misorientation to row {point.row}, column {point.col}"
        stack = MapStack(
            values[None].astype(np.float32),
            [Channel(name, "°", "viridis")],
            point.scan.step,
            {"method": _METHOD, "scan": self._record(point.scan)},
        )
        layer = self._layer(point.scan)
        data, attributes, _ = map_layer(stack, 0, solution.source)
        if layer is None:
            # Where there is another phase, other maps would shine through.
            self._hide_maps(point.scan)
            self._session.viewer.add_image(data, **attributes)
            return
        layer.metadata.update(LayerLink(solution.source, stack, 0).metadata())
        layer.data, layer.name = data, name
        layer.contrast_limits_range = layer.contrast_limits = attributes["contrast_limits"]

    def _hide_maps(self, scan: Scan) -> None:
        for layer, link in self._session.links():
            if link.stack is not None and link.source.scan is scan and isinstance(layer, Image):
                layer.visible = False

    def _layer(self, scan: Scan) -> Image | None:
        """The layer that was made before."""
        for layer in self._session.viewer.layers:
            link = link_of(layer)
            if link is None or link.stack is None or link.source.scan is not scan:
                continue
            if link.stack.provenance.get("method") == _METHOD and isinstance(layer, Image):
                return layer
        return None

    def _record(self, scan: Scan) -> dict[str, object]:
        """What tells others the scan."""
        layers = (link.stack for _, link in self._session.links() if link.source.scan is scan)
        known = (stack.provenance.get("scan") for stack in layers if stack is not None)
        return dict(next((record for record in known if record), {"name": scan.name}))


def _misorientation(orientations: OrientationMap, row: int, col: int) -> Job[NDArray[np.float64]]:
    yield Progress(0, 0, "Comparing orientations")
    return misorientation_to(orientations, row, col)
