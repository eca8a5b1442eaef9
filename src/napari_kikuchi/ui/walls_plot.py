"""The plot of walls and cells: the mean profile across walls, and how large cells are."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.ui.plot import COLOURS, Plot, add_axes, entitle

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from napari_kikuchi.explore.wall_profile import WallProfile
    from napari_kikuchi.explore.wall_report import WallReport
    from napari_kikuchi.ui.plot import Sheet
    from napari_kikuchi.ui.session import Session

_HEIGHT = 136
# Left, bottom, width and height, in shares of the plot.
_PROFILE, _CELLS = (0.09, 0.28, 0.4, 0.56), (0.57, 0.28, 0.4, 0.56)
_BINS = 24


class WallsPlot(Plot):
    """Draws a report of walls and cells.

    Parameters
    ----------
    session
        Of the viewer whose theme is worn.
    """

    def __init__(self, session: Session) -> None:
        super().__init__(session, _HEIGHT)

    def show_report(self, report: WallReport) -> None:
        """Draw the profile across walls, and the diameters of the cells that are not cut."""
        self.show_figure(partial(_draw_report, report))


def _draw_report(report: WallReport, sheet: Sheet) -> None:
    profile, cells = (add_axes(sheet.figure, box) for box in (_PROFILE, _CELLS))
    _draw_profile(profile, report.walls.profile, report.walls.thickness)
    _draw_diameters(cells, report.cells["diameter (µm)"][~report.cells["cut"]])


def _draw_profile(axes: Axes, profile: WallProfile, thickness: float) -> None:
    """Draw both sides of a wall, which are alike: distances have no sign."""
    known = profile.counts > 0
    distance, mean = profile.distance[known], profile.mean[known]
    points, line = COLOURS[:2]
    axes.axvspan(-thickness / 2, thickness / 2, color=line, alpha=0.25, linewidth=0)
    axes.plot(np.r_[-distance, distance], np.r_[mean, mean], ".", color=points, markersize=3)
    fitted = profile.fit()
    across = np.linspace(-profile.reach, profile.reach, 201)
    curve = fitted.base + fitted.height * 0.5 ** ((2 * across / fitted.width) ** 2)
    axes.plot(across, curve, color=line, linewidth=1.2)
    axes.set_xlim(-profile.reach, profile.reach)
    axes.set_yticks([0, 1])
    axes.set_xlabel("from the middle of a wall (µm)", labelpad=1)
    entitle(axes, "wall strength")


def _draw_diameters(axes: Axes, diameters: NDArray[np.floating]) -> None:
    counts, edges = np.histogram(diameters, _BINS)
    axes.stairs(counts, edges, color=COLOURS[0], fill=True, alpha=0.5)
    if len(diameters):
        axes.axvline(diameters.mean(), color=COLOURS[1], linewidth=1.2)
    axes.set_xlim(edges[0], edges[-1])
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("diameter (µm)", labelpad=1)
    entitle(axes, f"{len(diameters):,} whole cell{'s' * (len(diameters) != 1)}")
