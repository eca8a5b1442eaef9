"""A plot of points in which a lasso selects some."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from matplotlib.widgets import LassoSelector
from qtpy.QtCore import QSize, QTimer, Signal

from napari_kikuchi.ui.listening import listen
from napari_kikuchi.ui.plot import WIDTH, add_axes, dress, theme_colours

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from numpy.typing import NDArray

    from napari_kikuchi.ui.point_cloud import Extent, View

_HEIGHT = 310
# The mark follows the cursor so often.
_FRAME_MS = 30
# A click with a trembling hand is no outline.
_FEWEST_VERTICES = 4


class ScatterPlot(FigureCanvasQTAgg):
    """Shows pictures of a cloud of points, marks one point and lets some be encircled.

    Unlike other plots it is drawn by the window: the lasso and the mark follow the mouse.

    Parameters
    ----------
    viewer
        Whose theme is worn.
    """

    encircled = Signal(object)
    """Outline (m, 2) that was drawn."""

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__(Figure())
        self._viewer = viewer
        self.setMinimumHeight(_HEIGHT)
        # Room for the names of the axes, which have no numbers.
        self.axes = add_axes(self.figure, (0.07, 0.08, 0.92, 0.91))
        self.axes.set_axis_off()
        # From the bottom: all points, then those that light up.
        self._pictures = [
            self.axes.imshow(np.zeros((1, 1, 4), np.uint8), aspect="auto", zorder=order)
            for order in range(3)
        ]
        # Drawn over what was drawn, each time the cursor moves.
        (self._mark,) = self.axes.plot(
            [], [], "o", ms=11, mfc="none", mew=2, mec="#ff3b30", animated=True, zorder=9
        )
        self._marked: tuple[float, float] | None = None
        self._behind: Any = None
        self._marking = QTimer(self)
        self._marking.setSingleShot(True)
        self._marking.setInterval(_FRAME_MS)
        self._marking.timeout.connect(self._draw_mark)
        self.mpl_connect("draw_event", self._on_draw)
        self.lasso = LassoSelector(
            self.axes, self._on_outline, props={"color": "#ff8c1a", "linewidth": 1.5}
        )
        # A line that is seen, though empty, makes the selector draw everything a second time.
        for artist in self.lasso.artists:
            artist.set_visible(False)
        self.lasso.set_active(False)
        listen(self, [(viewer.events.theme, self._dress)])
        self._dress()

    def sizeHint(self) -> QSize:
        """As wide as a dock."""
        return QSize(WIDTH, _HEIGHT)

    @property
    def marked(self) -> tuple[float, float] | None:
        """Where the mark is; None if there is none."""
        return self._marked

    def show_points(self, view: View, names: tuple[str, str], picture: NDArray[np.uint8]) -> None:
        """Show all points; none light up yet."""
        self._put(0, picture, view.extent)
        self.light_up({})
        left, right, bottom, top = view.extent
        self.axes.set(xlim=(left, right), ylim=(bottom, top), xlabel=names[0], ylabel=names[1])
        self.axes.set_xticks([])
        self.axes.set_yticks([])
        self.axes.set_axis_on()
        self.lasso.set_active(True)
        self._dress()

    def light_up(self, pictures: dict[int, NDArray[np.uint8]]) -> None:
        """Show some of the points over all; by level, of which there are two."""
        for level in (1, 2):
            self._put(level, pictures.get(level), self._pictures[0].get_extent())
        self.draw_idle()

    def clear(self) -> None:
        """Show nothing."""
        for level in range(3):
            self._put(level, None, (0, 1, 0, 1))
        self.axes.set_axis_off()
        self.lasso.set_active(False)
        self.mark(None)
        self.draw_idle()

    def mark(self, place: tuple[float, float] | None) -> None:
        """Mark a point; none for None."""
        if place == self.marked:
            return
        self._marked = place
        self._mark.set_data(*([], []) if place is None else ([place[0]], [place[1]]))
        if not self._marking.isActive():
            self._marking.start()

    def _dress(self, _: Any = None) -> None:
        dress(self.figure, *theme_colours(self._viewer))
        self.draw_idle()

    def _draw_mark(self) -> None:
        if self._behind is None:  # Nothing has been drawn: the mark will be with it.
            return
        self.restore_region(self._behind)
        self.axes.draw_artist(self._mark)
        self.blit(self.figure.bbox)

    def _put(self, level: int, picture: NDArray[np.uint8] | None, extent: Extent) -> None:
        image = self._pictures[level]
        image.set_visible(picture is not None)
        if picture is not None:
            image.set(data=picture, extent=extent)

    def _on_draw(self, _: Any) -> None:
        self._behind = self.copy_from_bbox(self.figure.bbox)
        self.axes.draw_artist(self._mark)

    def _on_outline(self, vertices: list[tuple[float, float]]) -> None:
        if len(vertices) >= _FEWEST_VERTICES:
            self.encircled.emit(np.array(vertices))
