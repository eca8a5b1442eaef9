"""Plots in a dock, by matplotlib, in the colours of napari."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib import rc_context
from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from napari.utils.theme import get_theme
from qtpy.QtCore import QSize

from napari_kikuchi.ui.listening import listen

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from napari.components import ViewerModel

# One after another, in the order in which curves are drawn: they can be told apart in dark and
# light themes and by the colour-blind (Okabe and Ito, 2008).
COLOURS = ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#f0e442")
_POINTS = 8
_STYLE: Any = {
    **dict.fromkeys(("font.size", "axes.labelsize", "xtick.labelsize", "ytick.labelsize"), _POINTS),
    **dict.fromkeys(("axes.linewidth", "xtick.major.width", "ytick.major.width"), 0.6),
    **dict.fromkeys(("xtick.major.size", "ytick.major.size"), 3),
    **dict.fromkeys(("axes.spines.top", "axes.spines.right"), False),
}
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
        Cleared, and filled with :meth:`add_axes`; :meth:`dress` shows what has changed.
    """

    def __init__(self, viewer: ViewerModel, height: int) -> None:
        super().__init__(Figure())
        self._viewer = viewer
        self._height = height
        self.setMinimumHeight(height)
        listen(self, [(viewer.events.theme, self._on_theme)])
        self.dress()

    def sizeHint(self) -> QSize:
        """As wide as a dock."""
        return QSize(_WIDTH, self._height)

    def clear(self) -> None:
        """Draw nothing."""
        self.figure.clear()
        self.dress()

    def add_axes(self, box: tuple[float, float, float, float], **options: Any) -> Axes:
        """Axes in a part of the figure: left, bottom, width and height, in shares of it."""
        with rc_context(_STYLE):
            return self.figure.add_axes(box, **options)

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


def entitle(axes: Axes, title: str) -> None:
    """Write above axes what they show."""
    axes.set_title(title, loc="left", fontsize=_POINTS, pad=3)


def _dress(axes: Axes, text: str, back: str) -> None:
    axes.set_facecolor(back)
    axes.tick_params(colors=text)
    for spine in axes.spines.values():
        spine.set_color(text)
    for words in axes.findobj(Text):
        words.set(color=text)
