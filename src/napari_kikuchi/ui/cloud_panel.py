"""The points of a latent space and the positions of the map, each lighting up in the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from napari.utils.theme import get_theme
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_kikuchi.jobs import Job
from napari_kikuchi.ui.label_layer import compile_colours
from napari_kikuchi.ui.latest import Latest
from napari_kikuchi.ui.point_cloud import (
    Cloud,
    Tones,
    View,
    density_picture,
    lit_picture,
    positions_within,
    toned_picture,
)
from napari_kikuchi.ui.scatter import ScatterPlot
from napari_kikuchi.ui.selection import DRAWN, SELECTED, Selection
from napari_kikuchi.ui.session import Point

if TYPE_CHECKING:
    import numpy as np
    from napari.layers import Image
    from numpy.typing import NDArray

    from napari_kikuchi.ui.session import Session
    from napari_kikuchi.ui.stack_choice import StackChoice

_PAINT = "Paint positions on the map: their points light up"
_HINT = "Encircle points to select them on the map."


class CloudPanel(QWidget):
    """Shows a cloud of points; selects, and shows what is selected.

    Parameters
    ----------
    session
        Whose subject is marked among the points.
    stacks
        Whose vectors the points are.
    """

    def __init__(self, session: Session, stacks: StackChoice) -> None:
        super().__init__()
        self._session = session
        self._stacks = stacks
        self._view: View | None = None
        self._why_empty = ""
        self._drawing, self._lighting, self._looking = (Latest(session, self) for _ in range(3))
        self.selection = Selection(session)
        self.selection.changed.connect(self.light_up)
        self.plot = ScatterPlot(session.viewer)
        self.plot.encircled.connect(self._on_outline)
        self.paint_button = QPushButton("Paint on map")
        self.paint_button.clicked.connect(lambda: self._over(self.selection.paint))
        self.clear_button = QPushButton("Clear")
        self.clear_button.clicked.connect(self.selection.labels.clear)
        self.status = QLabel()
        self.status.setWordWrap(True)
        buttons = QHBoxLayout()
        buttons.addWidget(self.status, 1)
        buttons.addWidget(self.paint_button)
        buttons.addWidget(self.clear_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.plot, 1)
        layout.addLayout(buttons)
        self.clear()
        session.start(compile_colours())

    def clear(self) -> None:
        """Show no points."""
        for job in (self._drawing, self._lighting, self._looking):
            job.stop()
        self._view = None
        self.plot.clear()
        self._tell(0, 0)

    def tell_why_empty(self, why: str) -> None:
        """Say why there are no points; empty where there are, or will be in a moment."""
        self._why_empty = why
        self._offer_paint()

    def show_cloud(self, cloud: Cloud, axes: tuple[int, int], tones: Tones | None) -> None:
        """Show a cloud along two of its dimensions, coloured by a map or else by density."""
        text = get_theme(self._session.viewer.theme).text
        colour = tuple(part / 255 for part in text.as_rgb_tuple()[:3])
        names = cloud.names[axes[0]], cloud.names[axes[1]]

        def show(drawn: tuple[View, NDArray[np.uint8]]) -> None:
            self._view, picture = drawn
            self.plot.show_points(self._view, names, picture)
            self.light_up()
            self.mark()

        self._drawing.start(_draw(cloud, axes, tones, colour), show)

    def mark(self, *_: object) -> None:
        """Mark the point of the position that is shown."""
        subject, source = self._session.subject, self._stacks.source
        place = None
        if (
            self._view is not None
            and source is not None
            and isinstance(subject, Point)
            and subject.scan is source.scan
        ):
            place = self._view.at(subject.row, subject.col)
        self.plot.mark(place)

    def light_up(self) -> None:
        """Light up the points of what is selected and of what is drawn."""
        over = self._stacks.layer()
        if self._view is None or over is None:
            return

        def show(lit: tuple[list[int], dict[int, NDArray[np.uint8]]]) -> None:
            counts, pictures = lit
            self._tell(*counts)
            self.plot.light_up(pictures)

        # Threads must not touch layers.
        places = self.selection.selected(over), self.selection.inside_drawn(over)
        self._lighting.start(_light(self._view, *places), show)

    def close_down(self) -> None:
        """Stop working and listening; the widget may be gone."""
        self.selection.close()
        # What still comes finds no points to light up.
        self._view = None
        for job in (self._drawing, self._lighting, self._looking):
            job.stop()

    def _on_outline(self, outline: NDArray[np.floating]) -> None:
        if self._view is None:
            return

        def select(positions: NDArray[np.intp]) -> None:
            self._over(lambda over: self.selection.select(positions, over))

        self._looking.start(positions_within(self._view, outline), select)

    def _over(self, act: Callable[[Image], None]) -> None:
        over = self._stacks.layer()
        if over is not None:
            act(over)

    def _offer_paint(self) -> None:
        there = self._view is not None
        none = self._why_empty or "There are no points yet"
        self.paint_button.setEnabled(there)
        self.paint_button.setToolTip(_PAINT if there else none)

    def _tell(self, selected: int, drawn: int) -> None:
        parts = []
        if selected:
            parts.append(f'<span style="color:{SELECTED}">●</span> {selected:,} selected')
        if drawn:
            parts.append(f'<span style="color:{DRAWN}">●</span> {drawn:,} in the region drawn')
        there = self._view is not None
        self.status.setText("<br>".join(parts) or (_HINT if there else ""))
        self._offer_paint()
        self.clear_button.setEnabled(bool(selected))
        self.clear_button.setToolTip("Select nothing" if selected else "Nothing is selected")


def _draw(
    cloud: Cloud, axes: tuple[int, int], tones: Tones | None, colour: tuple[float, ...]
) -> Job[tuple[View, NDArray[np.uint8]]]:
    view = cloud.view(*axes)
    if tones is None:
        return view, (yield from density_picture(view, colour))
    return view, (yield from toned_picture(view, tones))


def _light(
    view: View, selected: NDArray[np.intp], drawn: NDArray[np.intp]
) -> Job[tuple[list[int], dict[int, NDArray[np.uint8]]]]:
    """How many positions light up in each colour, and pictures of their points by level."""
    from matplotlib.colors import to_rgb

    counts, pictures = [], {}
    for level, positions, colour in ((2, selected, SELECTED), (1, drawn, DRAWN)):
        counts.append(len(positions))
        if len(positions):
            pictures[level] = yield from lit_picture(view, positions, to_rgb(colour))
    return counts, pictures
