"""The two regions that maps are to tell apart, and the button that begins it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from napari.layers import Shapes
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QWidget

from napari_kikuchi.ui import INSPECTOR
from napari_kikuchi.ui.listening import Following
from napari_kikuchi.ui.regions import drawn
from napari_kikuchi.ui.strokes import NOWHERE

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image
    from numpy import intp
    from numpy.typing import NDArray

    from napari_kikuchi.ui.regions import Drawn

_TIP = "The two regions that are selected in a shapes layer, else the last two drawn"


class TwoRegions(QWidget):
    """Finds the two regions that the user means, and offers to compare them.

    Parameters
    ----------
    viewer
        In which they are drawn.

    Attributes
    ----------
    button
        Can be pressed while two regions are drawn.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self._following = Following(self._offer)
        self.button = QPushButton("Compare the two regions")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.button)
        self.follow()

    def follow(self) -> None:
        """Listen to what is drawn in the layers that there are now."""
        layers = self._viewer.layers
        self._following.follow([one.events.data for one in layers if isinstance(one, Shapes)])
        self._offer()

    def close_down(self) -> None:
        """Stop listening; the widget may be gone."""
        self._following.stop()

    def places(self, over: Image | None) -> tuple[NDArray[intp], NDArray[intp]]:
        """Positions (n, 2) of a map in each of the regions; empty where there are none."""
        regions = self._meant()
        if over is None or len(regions) < 2:
            return NOWHERE, NOWHERE
        one, other = (region.positions(over) for region in regions[-2:])
        return one, other

    @property
    def missing(self) -> str:
        """What is still to be done before there are two regions; empty if there are."""
        count = len(self._meant())
        if count >= 2:
            return ""
        there = f" There is {count or 'none'} so far; a line is no region." if self._shapes else ""
        return (
            f"Press Box or Lasso of the dock {INSPECTOR}, draw two regions on the map, "
            f"and compare them.{there}"
        )

    @property
    def _shapes(self) -> list[Drawn]:
        """All shapes of the layer that is meant."""
        return drawn(self._viewer, sys.maxsize)

    def _meant(self) -> list[Drawn]:
        """The regions that are selected, else all that are drawn; lines enclose nothing."""
        for shapes in (drawn(self._viewer, 2), self._shapes):
            regions = [shape for shape in shapes if shape.encloses]
            if len(regions) >= 2:
                break
        return regions

    def _offer(self, *_: Any) -> None:
        missing = self.missing
        self.button.setEnabled(not missing)
        self.button.setToolTip(missing or _TIP)
