"""The positions whose patterns are most like the one that is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.layers import Image
from qtpy.QtWidgets import QListWidget, QPushButton, QVBoxLayout, QWidget

from napari_kikuchi.explore.nearest import Nearest, nearest_positions
from napari_kikuchi.maps import contrast_limits
from napari_kikuchi.ui.forms import Notice
from napari_kikuchi.ui.job_row import JobRow
from napari_kikuchi.ui.label_layer import placed_as
from napari_kikuchi.ui.layers import grid
from napari_kikuchi.ui.link import LayerLink
from napari_kikuchi.ui.session import Point

if TYPE_CHECKING:
    from napari_kikuchi.ui.session import Session
    from napari_kikuchi.ui.stack_choice import StackChoice

_ROWS = 5
_ORIENTATION = "Orientation counts, too: patterns of another grain are hardly ever near."
_NOWHERE = "Point at a position of these maps, whose scan is open"


class NearestPatterns(QWidget):
    """Finds them, lists them, and adds a map of the distance to them all.

    Parameters
    ----------
    session
        Whose subject is the pattern; is told which of those found to show.
    stacks
        In whose latent space they are near.
    """

    def __init__(self, session: Session, stacks: StackChoice) -> None:
        super().__init__()
        self._session = session
        self._stacks = stacks
        self._found: list[tuple[int, int]] = []
        self.button = QPushButton("Nearest patterns")
        self.button.clicked.connect(self._find)
        self.list = QListWidget()
        self.list.setToolTip("A click shows the pattern")
        self.list.currentRowChanged.connect(self._hold)
        self.list.setFixedHeight(_ROWS * (self.list.fontMetrics().height() + 6))
        self.row = JobRow(session, self.enable)
        self.notice = Notice()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self.button, self.row, self.list, self.notice):
            layout.addWidget(widget)
        self.clear()

    @property
    def point(self) -> Point | None:
        """The position that is shown, if it is one of these maps."""
        subject, source = self._session.subject, self._stacks.source
        if not isinstance(subject, Point) or source is None or subject.scan is not source.scan:
            return None
        return subject

    def enable(self) -> None:
        """Offer what can be done."""
        point = self.point
        self.button.setEnabled(point is not None and not self.row.active)
        self.button.setToolTip(
            _NOWHERE
            if point is None
            else f"Positions whose latent vectors are nearest to row {point.row}, "
            f"column {point.col}"
        )

    def clear(self) -> None:
        """Forget what was found: other maps are explored."""
        self.row.cancel()
        self._list([])
        self.enable()

    def _find(self) -> None:
        stack, point = self._stacks.stack, self.point
        if stack is None or point is None:
            return

        def show(found: Nearest) -> None:
            self._add_map(found, point)
            rows, cols = found.positions.T
            self._list(
                list(zip(rows.tolist(), cols.tolist(), strict=True)),
                found.distances[rows, cols].tolist(),
            )

        self.row.start(nearest_positions(stack, (point.row, point.col)), show)
        self.enable()

    def _add_map(self, found: Nearest, point: Point) -> None:
        stack, source = self._stacks.stack, self._stacks.source
        assert stack is not None
        assert source is not None
        over = self._stacks.layer()
        _, high = contrast_limits(found.distances)
        layers = self._session.viewer.layers
        images = [i for i, layer in enumerate(layers) if isinstance(layer, Image)]
        distances = Image(
            found.distances,
            name=f"distance to row {point.row}, column {point.col}",
            colormap="gray_r",  # what is near is bright
            contrast_limits=(0, high),
            metadata=LayerLink(source).metadata(),
            **(grid(stack.step) if over is None else placed_as(over)),
        )
        # Above all maps, but below what marks positions.
        layers.insert(max(images, default=-1) + 1, distances)

    def _list(self, positions: list[tuple[int, int]], distances: list[float] | None = None) -> None:
        self.list.blockSignals(True)
        self.list.clear()
        self._found = positions
        for (row, col), distance in zip(positions, distances or [], strict=True):
            self.list.addItem(f"row {row}, column {col}:  {distance:.3g}")
        self.list.setCurrentRow(-1)
        self.list.blockSignals(False)
        self.list.setVisible(bool(positions))
        self.notice.tell(_ORIENTATION if positions else "")

    def _hold(self, index: int) -> None:
        source, layer = self._stacks.source, self._stacks.layer()
        if 0 <= index < len(self._found) and source and source.scan and layer:
            self._session.hold(Point(source.scan, *self._found[index], layer))
