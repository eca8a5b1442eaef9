"""Over which distances zone axes stay alike: their two-point correlation, as a curve."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.ui.forms import Notice
from napari_kikuchi.ui.latest import Latest
from napari_kikuchi.ui.listening import listen
from napari_kikuchi.ui.plot import COLOURS, Plot, Sheet

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from napari_kikuchi.explore.orientations import OrientationMap
    from napari_kikuchi.scan import Scan
    from napari_kikuchi.ui.session import Session
    from napari_kikuchi.ui.solutions import Solution

_HEIGHT = 170
# In pixels: left, bottom, right and top of the axes.
_MARGINS = (46, 34, 12, 8)
_HINT = "Two-point correlation of the zone axes: 1 for equal axes, 0 for unrelated ones."

Table = dict[str, "NDArray[np.float64]"]


class AxisCorrelationPlot(QWidget):
    """A button that works the correlation out, and its curve.

    Parameters
    ----------
    session
        Of the viewer.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._scan: Scan | None = None
        self._solution: Solution | None = None
        self._latest = Latest(session, self)
        self.button = QPushButton("correlate zone axes")
        self.button.setToolTip(
            "Of all pairs of positions of one phase, over the distance between them"
        )
        self.button.clicked.connect(self._correlate)
        self.notice = Notice()
        self.plot = Plot(session, _HEIGHT)
        self.plot.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for widget in (self.button, self.notice, self.plot):
            layout.addWidget(widget)
        self.notice.tell(_HINT)
        listen(self, [], self._latest.stop)

    def set_solution(self, scan: Scan | None, solution: Solution | None) -> None:
        """Work on these orientations of a scan."""
        self._latest.stop()
        self._scan, self._solution = scan, solution
        self.plot.clear()
        self.plot.hide()
        self.notice.tell(_HINT)

    def _correlate(self) -> None:
        if self._solution is None or self._scan is None:
            return
        self.notice.tell("Comparing all pairs of positions…")
        job = _correlation(self._solution.readings.orientations, self._scan.step)
        self._latest.start(job, self._show, failed=self._fail)

    def _fail(self, error: Exception) -> None:
        self.notice.tell(str(error))

    def _show(self, table: Table) -> None:
        from napari_kikuchi.orientation.correlation import half_distance

        half = half_distance(table)
        self.notice.tell(
            "The correlation does not fall to one half within this map."
            if math.isnan(half)
            else f"The correlation falls to one half at {half:.3g} µm."
        )
        self.plot.show()
        self.plot.show_figure(partial(_draw, table, half))


def _correlation(orientations: OrientationMap, step: tuple[float, float]) -> Job[Table]:
    from napari_kikuchi.orientation.correlation import axis_correlation

    yield Progress(0, 0, "Correlating zone axes")
    return axis_correlation(orientations).over_distance(step)


def _draw(table: Mapping[str, NDArray[np.float64]], half: float, sheet: Sheet) -> Axes:
    left, bottom, right, top = _MARGINS
    axes = sheet.axes((left, bottom, sheet.width - left - right, sheet.height - bottom - top))
    distance, correlation = table["distance (µm)"], table["correlation"]
    # Beyond, few pairs are so far apart, all of them at the edges.
    shown = distance <= distance.max() / 2
    axes.plot(distance[shown], correlation[shown], color=COLOURS[0], linewidth=1.4)
    axes.axhline(0, color=COLOURS[1], linewidth=0.6, linestyle=":")
    if not math.isnan(half):
        axes.plot([0, half, half], [0.5, 0.5, 0], color=COLOURS[1], linewidth=0.8, linestyle="--")
    axes.set_xlim(0, distance[shown].max())
    axes.set_xlabel("distance (µm)", labelpad=1)
    axes.set_ylabel("correlation", labelpad=2)
    return axes
