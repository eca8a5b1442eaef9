"""The plot of how far neighbours are apart, on which a threshold is set by hand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPen

from napari_kikuchi.ui.plot import COLOURS, Plot, add_axes, entitle

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray
    from qtpy.QtGui import QMouseEvent, QPaintEvent

    from napari_kikuchi.explore.neighbour_distances import NeighbourDistances
    from napari_kikuchi.ui.plot import Sheet
    from napari_kikuchi.ui.session import Session

_HEIGHT = 124
_BOX = (0.06, 0.3, 0.9, 0.54)
_BINS = 80
# Beyond are few neighbours, for which the others would be pressed together.
_SHOWN = 99.9


@dataclass(frozen=True, eq=False)
class Counts:
    """How many neighbours are how far apart.

    Attributes
    ----------
    counts, edges
        Of each class, and where the classes begin and end.
    unit
        Of the distances.
    """

    counts: NDArray[np.integer]
    edges: NDArray[np.floating]
    unit: str

    @classmethod
    def of(cls, distances: NeighbourDistances) -> Counts:
        """Count."""
        apart = distances.every
        top = float(np.percentile(apart, _SHOWN))
        counts, edges = np.histogram(apart, _BINS, (0, top or 1))
        return cls(counts, edges, unit_of_distances(distances))


def unit_of_distances(distances: NeighbourDistances) -> str:
    """Unit of distances between latent vectors; empty for that of the features themselves."""
    return "°" if distances.metric == "angle" else ""


class DistancePlot(Plot):
    """Draws counts and the threshold, which follows the mouse that is pressed.

    Parameters
    ----------
    session
        Of the viewer whose theme is worn.
    """

    moved = Signal(float)
    """The threshold that was pointed at."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, _HEIGHT)
        self._threshold = 0.0
        self.setToolTip("Press and drag to set the threshold")

    def show_counts(self, counts: Counts, threshold: float) -> None:
        """Draw how many neighbours are how far apart."""
        self._threshold = threshold
        self.show_figure(partial(_draw_counts, counts))

    def show_threshold(self, threshold: float) -> None:
        """Draw another threshold."""
        self._threshold = threshold
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw the threshold over the counts: it is to keep up with the mouse."""
        super().paintEvent(event)
        axes = self.parts
        if axes is not None:
            painter = QPainter(self)
            painter.setPen(QPen(QColor(COLOURS[1]), 2))
            painter.drawLine(*(self.place(axes, self._threshold, y) for y in axes.get_ylim()))

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Set the threshold."""
        if event is not None:
            self._follow(event)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Set the threshold: without a button pressed, Qt tells of no moves."""
        if event is not None:
            self._follow(event)

    def _follow(self, event: QMouseEvent) -> None:
        found = self.pointed(event.position())
        if found is not None and event.buttons() & Qt.MouseButton.LeftButton:
            self.moved.emit(found[1])


def _draw_counts(counts: Counts, sheet: Sheet) -> Axes:
    axes = add_axes(sheet.figure, _BOX)
    axes.stairs(counts.counts, counts.edges, color=COLOURS[0], fill=True, alpha=0.5)
    # The few neighbours across boundaries are to be seen beside the many within domains.
    axes.set_yscale("symlog")
    axes.set_yticks([])
    axes.minorticks_off()
    axes.spines["left"].set_visible(False)
    axes.set_xlim(counts.edges[0], counts.edges[-1])
    axes.set_ylim(0)
    axes.set_xlabel(f"apart ({counts.unit})" if counts.unit else "apart", labelpad=1)
    entitle(axes, "pairs of neighbours (log), and the threshold")
    return axes
