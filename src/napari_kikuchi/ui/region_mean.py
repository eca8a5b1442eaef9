"""Averages the patterns of the region that is drawn on a map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QProgressBar, QPushButton

from napari_kikuchi.explore.averages import mean_pattern
from napari_kikuchi.jobs import Progress
from napari_kikuchi.ui.messages import tell_error
from napari_kikuchi.ui.regions import drawn_region, positions_inside
from napari_kikuchi.ui.session import Point, RegionMean, Session

if TYPE_CHECKING:
    import numpy as np
    from napari.layers import Shapes
    from numpy.typing import NDArray

    from napari_kikuchi.scan import Scan
    from napari_kikuchi.ui.work import Work

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
        self._work: Work | None = None
        self.button = QPushButton(_TITLE)
        self.button.setToolTip(
            "Mean pattern of the region drawn on the map: the selected shape, else the last one"
        )
        self.button.clicked.connect(self.toggle)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setMaximumHeight(4)
        self.bar.hide()

    def toggle(self) -> None:
        """Average the patterns of the drawn region and hold their mean; again: cancel."""
        if self._work is not None and self._work.active:
            self._work.cancel()
            self._end()
            return
        region = drawn_region(self._session.viewer)
        if region is None:
            tell_error(
                ValueError("Draw a region first: add a shapes layer and draw a shape on the map.")
            )
            return
        under = self._under(*region)
        if under is None:
            tell_error(ValueError("The region holds no position of an open scan."))
            return
        scan, positions = under

        def show(mean: Any) -> None:
            self._end()
            # It may have been closed meanwhile.
            if scan in self._session.scans():
                self._session.hold(RegionMean(scan, len(positions), mean))

        def fail(error: Exception) -> None:
            self._end()
            tell_error(error)

        self.button.setText("cancel")
        self.bar.show()
        self._work = self._session.start(
            mean_pattern(scan, positions), done=show, failed=fail, progressed=self._on_progress
        )

    def _under(self, shapes: Shapes, index: int) -> tuple[Scan, NDArray[np.intp]] | None:
        """The scan on which a region lies and its positions there.

        Where maps of several scans lie on each other, the one whose pattern is shown is meant.
        """
        subject = self._session.subject
        pointed = subject.layer if isinstance(subject, Point) else None
        links = sorted(
            self._session.links(),
            key=lambda found: (
                found[0] is not pointed,
                subject is None or found[1].source.scan is not subject.scan,
            ),
        )
        tried = set()
        for layer, link in links:
            scan = link.source.scan
            if scan is None or scan in tried or layer.data.shape[-2:] != scan.map_shape:
                continue
            tried.add(scan)
            positions = positions_inside(shapes, index, layer)
            if len(positions):
                return scan, positions
        return None

    def _on_progress(self, update: Progress) -> None:
        self.bar.setRange(0, update.total)
        self.bar.setValue(update.done)

    def _end(self) -> None:
        self._work = None
        self.bar.hide()
        self.button.setText(_TITLE)
