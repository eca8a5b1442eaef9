"""A figure on which places are told in mm from its left and upper edge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from napari_kikuchi.figures.text import ASCENT, MM_PER_POINT, SIZE, height_of, style, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HAIRLINE = 0.5
# Not "none", with which an SVG leaves the enlarging to programs of which some smooth.
SHARP = "nearest"
_FRAME_COLOUR = "#444444"
_MM_PER_INCH = 25.4


class Box(NamedTuple):
    """A rectangle, in mm."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Where it ends."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Where it ends."""
        return self.top + self.height

    def below(self, gap: float, height: float) -> Box:
        """A box of the same width under this one."""
        return Box(self.left, self.bottom + gap, self.width, height)


class Page:
    """A figure of a size in mm.

    Attributes
    ----------
    figure
        Of matplotlib.
    """

    def __init__(self, width: float, height: float) -> None:
        from matplotlib.figure import Figure

        self._width, self._height = width, height
        size = width / _MM_PER_INCH, height / _MM_PER_INCH
        self.figure: Figure = Figure(figsize=size, facecolor="white")

    def axes(self, box: Box, label: str) -> Axes:
        """Axes that fill a box."""
        return self.figure.add_axes(
            (
                box.left / self._width,
                1 - box.bottom / self._height,
                box.width / self._width,
                box.height / self._height,
            ),
            label=label,
        )

    def bar(self, box: Box, colour: Any, name: str) -> None:
        """A filled rectangle, named in an SVG."""
        from matplotlib.patches import Rectangle

        self.figure.add_artist(
            Rectangle(
                (box.left / self._width, 1 - box.bottom / self._height),
                box.width / self._width,
                box.height / self._height,
                transform=self.figure.transFigure,
                facecolor=colour,
                linewidth=0,
                gid=name,
            )
        )

    def text(
        self,
        left: float,
        top: float,
        text: str,
        *,
        ha: str = "left",
        size: float = SIZE,
        bold: bool = False,
        colour: str = "black",
    ) -> None:
        """Lines of text that begin at a place, end there or have their middle there."""
        for i, line in enumerate(text.split("\n")):
            # Baselines, because letters without a tail would stand lower than those with one.
            baseline = top + height_of(i, size) + ASCENT * size * MM_PER_POINT
            self.figure.text(
                left / self._width,
                1 - baseline / self._height,
                line,
                ha=ha,
                va="baseline",
                **style(size, bold=bold, colour=colour),
            )

    def title(self, box: Box, text: str, above: float, size: float = SIZE) -> None:
        """Text that ends above a box, broken where the box ends."""
        broken = wrapped(text, box.width, size)
        lines = broken.count("\n") + 1
        self.text(box.left, box.top - above - height_of(lines, size), broken, size=size)


def frame(axes: Axes, colour: str = _FRAME_COLOUR, width: float = HAIRLINE) -> None:
    """Give a picture a frame and nothing else."""
    axes.set(xticks=(), yticks=())
    for spine in axes.spines.values():
        spine.set(color=colour, linewidth=width)
