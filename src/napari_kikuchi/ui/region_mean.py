"""Averages the patterns of the region that is drawn on a map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QPushButton

from napari_kikuchi.explore.averages import AveragePattern, average_pattern
from napari_kikuchi.ui.job_bar import JobBar
from napari_kikuchi.ui.latest import Latest
from napari_kikuchi.ui.messages import tell_error
from napari_kikuchi.ui.regions import Drawn, drawn, grounds
from napari_kikuchi.ui.session import RegionMean, Session

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_kikuchi.scan import Scan

_TITLE = "region mean"


class RegionAverager:
    """Holds the mean pattern of a drawn region.

    Parameters
    ----------
    session
        Is told the mean.

    Attributes
    ----------
    button
        Begins, and cancels what it began.
    bar
        How far it is.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.button = QPushButton(_TITLE)
        self._latest = Latest(session, self.button)
        self.button.setToolTip(
            "Mean pattern of the region drawn on the map: the selected shape, else the last one"
        )
        self.button.clicked.connect(self.toggle)
        self.bar = JobBar()

    def toggle(self) -> None:
        """Average the patterns of the drawn region and hold their mean; again: cancel."""
        if self._latest.active:
            self._latest.stop()
            self._end()
            return
        shapes = drawn(self._session.viewer)
        if not shapes:
            tell_error(
                ValueError("Draw a region first: add a shapes layer and draw a shape on the map.")
            )
            return
        under = self._under(shapes[-1])
        if under is None:
            tell_error(ValueError("The region holds no position of an open scan."))
            return
        scan, positions = under

        def show(average: AveragePattern) -> None:
            self._end()
            # It may have been closed meanwhile.
            if scan in self._session.scans():
                self._session.hold(RegionMean(scan, average.count, average.mean))

        def fail(error: Exception) -> None:
            self._end()
            tell_error(error)

        self.button.setText("cancel")
        self.bar.begin()
        self._latest.start(
            average_pattern(scan, positions), show, failed=fail, progressed=self.bar.note
        )

    def _under(self, shape: Drawn) -> tuple[Scan, NDArray[np.intp]] | None:
        """The scan on which a region lies and its positions there."""
        for ground in grounds(self._session, shape):
            scan = ground.link.source.scan
            if scan is not None and ground.layer.data.shape == scan.map_shape:
                return scan, ground.positions
        return None

    def _end(self) -> None:
        self.bar.hide()
        self.button.setText(_TITLE)
