"""Plots in a dock, by matplotlib, in the colours of napari."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from napari.utils.theme import get_theme
from qtpy.QtCore import QSize

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from napari.components import ViewerModel

# One after another, in the order in which curves are drawn: they can be told apart in dark and
# light themes and by the colour-blind (Okabe and Ito, 2008).
COLOURS = ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#f0e442")
_POINTS = 8
_WIDTH = 340


class Plot(FigureCanvasQTAgg):
    """A canvas whose axes are dressed in the theme of a viewer.

    Parameters
    ----------
    viewer
        Whose theme is worn.
    height
        Wanted, in pixels.

    Attributes
    ----------
    figure
        To which axes are added; :meth:`dress` makes them look like napari, and :meth:`draw_idle`
        shows what has changed.
    """

    def __init__(self, viewer: ViewerModel, height: int) -> None:
        super().__init__(Figure())
        self._viewer = viewer
        self._height = height
        self.setMinimumHeight(height)
        theme = viewer.events.theme
        theme.connect(self._on_theme)
        # Called when the widget is gone, so it must neither need it nor keep it.
        changed = WeakMethod(self._on_theme)
        self.destroyed.connect(lambda: changed() and theme.disconnect(changed()))
        self.dress()

    def sizeHint(self) -> QSize:
        """As wide as a dock."""
        return QSize(_WIDTH, self._height)

    def dress(self) -> None:
        """Put all axes, and what is written on them, into the colours of the theme."""
        theme = get_theme(self._viewer.theme)
        text, back = theme.text.as_hex(), theme.background.as_hex()
        self.figure.set_facecolor(back)
        for axes in self.figure.axes:
            _dress(axes, text, back)
        self.draw_idle()

    def _on_theme(self, _: Any = None) -> None:
        self.dress()


def _dress(axes: Axes, text: str, back: str) -> None:
    axes.set_facecolor(back)
    axes.tick_params(colors=text, labelsize=_POINTS, length=3, width=0.6)
    for side, spine in axes.spines.items():
        spine.set(color=text, linewidth=0.6, visible=side in ("left", "bottom"))
    for words in (axes.title, axes.xaxis.label, axes.yaxis.label):
        words.set(color=text, fontsize=_POINTS)
    for offset in (axes.xaxis.get_offset_text(), axes.yaxis.get_offset_text()):
        offset.set(color=text, fontsize=_POINTS)
    legend = axes.get_legend()
    if legend is not None:
        legend.set(frame_on=False)
        for entry in legend.get_texts():
            entry.set(color=text, fontsize=_POINTS)
