"""Plots in a dock, in the colours of napari, drawn by a thread.

Matplotlib takes a tenth of a second for a few axes: longer than a window may stand still. So a
thread draws a figure of its own, by Agg, and the window shows the picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from napari.utils.theme import get_theme
from qtpy.QtCore import QPointF, QSize
from qtpy.QtGui import QImage, QPainter
from qtpy.QtWidgets import QWidget

from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.ui.latest import Latest
from napari_kikuchi.ui.listening import listen

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from napari.components import ViewerModel
    from qtpy.QtGui import QPaintEvent, QResizeEvent

    from napari_kikuchi.ui.session import Session

# One after another, in the order in which curves are drawn: they can be told apart in dark and
# light themes and by the colour-blind (Okabe and Ito, 2008).
COLOURS = ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#f0e442")
_POINTS, _LINE, _TICK = 8, 0.6, 3
WIDTH = 340
# Pixels of the screen per inch, by which matplotlib measures letters.
_DPI = 100

# Left, bottom, width and height.
Box = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Sheet:
    """What is drawn on.

    Attributes
    ----------
    figure
        Empty at first.
    width, height
        In pixels, of which a screen of high resolution has several for one.
    """

    figure: Figure
    width: int
    height: int

    def axes(self, box: Box, **options: Any) -> Axes:
        """Axes in a box of pixels."""
        left, bottom, width, height = box
        across, up = self.width, self.height
        shares = (left / across, bottom / up, width / across, height / up)
        return add_axes(self.figure, shares, **options)


@dataclass(frozen=True, eq=False)
class _Drawn:
    """A figure that is finished, and what was drawn of it."""

    figure: Figure
    picture: QImage
    parts: Any


class Plot(QWidget):
    """Shows what was drawn last, until the next is ready.

    Parameters
    ----------
    session
        Of the viewer whose theme is worn.
    height
        Wanted, in pixels.
    """

    def __init__(self, session: Session, height: int) -> None:
        super().__init__()
        self._session = session
        self.set_height(height)
        self._draw: Callable[[Sheet], Any] | None = None
        self._drawn: _Drawn | None = None
        self._latest = Latest(session, self)
        self._stale = False
        listen(self, [(session.viewer.events.theme, self._on_theme)], self._latest.stop)

    @property
    def figure(self) -> Figure | None:
        """The figure that is shown; None if there is none yet."""
        return None if self._drawn is None else self._drawn.figure

    @property
    def parts(self) -> Any:
        """What the drawing function of the figure that is shown has returned."""
        return None if self._drawn is None else self._drawn.parts

    @property
    def current(self) -> bool:
        """Whether what is shown is what was asked for last."""
        return not self._latest.active

    def sizeHint(self) -> QSize:
        """As wide as a dock."""
        return QSize(WIDTH, self._height)

    def set_height(self, height: int) -> None:
        """Take so many pixels: what is drawn has more parts, or fewer."""
        self._height = height
        self.setMinimumHeight(height)
        self.updateGeometry()

    def show_figure(self, draw: Callable[[Sheet], Any]) -> None:
        """Show what a function draws; a thread calls it, and again for another size or theme."""
        self._draw = draw
        self._redraw()

    def clear(self) -> None:
        """Show nothing."""
        self._latest.stop()
        self._draw = self._drawn = None
        self.update()

    def pointed(self, place: QPointF) -> tuple[Axes, float, float] | None:
        """The axes at a place of the widget, and the place in their coordinates."""
        if self.figure is None:
            return None
        x, y = place.x() * self._ratio, self.figure.bbox.height - place.y() * self._ratio
        for axes in self.figure.axes:
            if axes.bbox.contains(x, y):
                across, up = axes.transData.inverted().transform((x, y)).tolist()
                return axes, across, up
        return None

    def place(self, axes: Axes, x: float, y: float) -> QPointF:
        """Where on the widget a point of some axes is."""
        assert self.figure is not None
        across, up = axes.transData.transform((x, y)).tolist()
        return QPointF(across, self.figure.bbox.height - up) / self._ratio

    def paintEvent(self, _: QPaintEvent | None) -> None:
        """Show the picture, from the top: a widget that has grown is filled when it is ready."""
        if self._drawn is not None:
            QPainter(self).drawImage(0, 0, self._drawn.picture)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Draw for another size."""
        super().resizeEvent(event)
        self._redraw()

    @property
    def _ratio(self) -> float:
        """Pixels of the picture for one of the widget."""
        return self._drawn.picture.devicePixelRatio() if self._drawn is not None else 1

    def _on_theme(self, _: Any = None) -> None:
        self._redraw()

    def _redraw(self) -> None:
        # One after another: of a window that is dragged larger only the outcome is wanted.
        self._stale = self._latest.active
        if self._draw is not None and not self._stale:
            size, ratio = self.size(), self.devicePixelRatioF()
            colours = theme_colours(self._session.viewer)
            job = _drawing(self._draw, size, ratio, colours)
            self._latest.start(job, self._show)

    def _show(self, drawn: _Drawn) -> None:
        self._drawn = drawn
        self.update()
        if self._stale:
            self._redraw()


def _drawing(
    draw: Callable[[Sheet], Any], size: QSize, ratio: float, colours: tuple[str, str]
) -> Job[_Drawn]:
    yield Progress(0, 0, "Drawing")
    figure = Figure((size.width() / _DPI, size.height() / _DPI), _DPI * ratio)
    canvas = FigureCanvasAgg(figure)
    parts = draw(Sheet(figure, size.width(), size.height()))
    dress(figure, *colours)
    canvas.draw()
    width, height = canvas.get_width_height()
    pixels = bytes(canvas.buffer_rgba())
    picture = QImage(pixels, width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()
    picture.setDevicePixelRatio(ratio)
    return _Drawn(figure, picture, parts)


def add_axes(figure: Figure, box: Box, **options: Any) -> Axes:
    """Axes in a part of a figure, in shares of it, with the letters and lines of a dock."""
    axes = figure.add_axes(box, **options)
    axes.tick_params(labelsize=_POINTS, width=_LINE, length=_TICK)
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set_fontsize(_POINTS)
    for spine in axes.spines.values():
        spine.set_linewidth(_LINE)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def entitle(axes: Axes, title: str) -> None:
    """Write above axes what they show."""
    axes.set_title(title, loc="left", fontsize=_POINTS, pad=3)


def shortened(name: str, letters: int) -> str:
    """A name of so many letters at most."""
    return name if len(name) <= letters else f"{name[: max(letters - 1, 0)].rstrip()}…"


def theme_colours(viewer: ViewerModel) -> tuple[str, str]:
    """Colours of the text and of the background in a viewer."""
    theme = get_theme(viewer.theme)
    return theme.text.as_hex(), theme.background.as_hex()


def dress(figure: Figure, text: str, back: str) -> None:
    """Put all axes of a figure, and what is written on them, into two colours."""
    figure.set_facecolor(back)
    for axes in figure.axes:
        axes.set_facecolor(back)
        axes.tick_params(colors=text)
        for spine in axes.spines.values():
            spine.set_color(text)
        for words in axes.findobj(Text):
            # What stands on a ground of its own has its own colour.
            if words.get_bbox_patch() is None:
                words.set(color=text)
