"""The plot of how far neighbours are apart, on which a threshold is set by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Signal

from napari_kikuchi.ui.plot import COLOURS, Plot, entitle

if TYPE_CHECKING:
    from matplotlib.lines import Line2D
    from napari.components import ViewerModel
    from numpy.typing import NDArray

    from napari_kikuchi.explore.neighbour_distances import NeighbourDistances

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
        apart = np.concatenate([distances.down.ravel(), distances.right.ravel()])
        apart = apart[np.isfinite(apart)]
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
    viewer
        Whose theme is worn.
    """

    moved = Signal(float)
    """The threshold that was pointed at."""

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__(viewer, _HEIGHT)
        self._line: Line2D | None = None
        self.setToolTip("Press and drag to set the threshold")
        for event in ("button_press_event", "motion_notify_event"):
            self.mpl_connect(event, self._on_mouse)

    def show_counts(self, counts: Counts, threshold: float) -> None:
        """Draw how many neighbours are how far apart."""
        self.figure.clear()
        axes = self.add_axes(_BOX)
        axes.stairs(counts.counts, counts.edges, color=COLOURS[0], fill=True, alpha=0.5)
        self._line = axes.axvline(threshold, color=COLOURS[1], linewidth=1.6)
        # The few neighbours across boundaries are to be seen beside the many within domains.
        axes.set_yscale("symlog")
        axes.set_yticks([])
        axes.minorticks_off()
        axes.spines["left"].set_visible(False)
        axes.set_xlim(counts.edges[0], counts.edges[-1])
        axes.set_ylim(0)
        axes.set_xlabel(f"apart ({counts.unit})" if counts.unit else "apart", labelpad=1)
        entitle(axes, "pairs of neighbours (log), and the threshold")
        self.dress()

    def show_threshold(self, threshold: float) -> None:
        """Draw another threshold."""
        if self._line is not None:
            self._line.set_xdata([threshold, threshold])
            self.draw_idle()

    def clear(self) -> None:
        """Draw nothing."""
        self._line = None
        super().clear()

    def _on_mouse(self, event: Any) -> None:
        pressed = event.button == 1 or 1 in (getattr(event, "buttons", None) or ())
        if self._line is not None and pressed and event.inaxes is self._line.axes:
            self.moved.emit(float(event.xdata))
