"""Which of the stacks of maps with orientations is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_kikuchi.ui.solutions import holds_orientations
from napari_kikuchi.ui.stack_choice import StackChoice

if TYPE_CHECKING:
    from napari_kikuchi.maps import MapStack

NO_ORIENTATIONS = "Index a scan, or open its maps of orientations, first"


class OrientedStacks(StackChoice):
    """Offers the stacks that hold orientations, whoever found or made them."""

    tip = "Maps with orientations: those behind the layers"
    none = NO_ORIENTATIONS

    def offers(self, stack: MapStack) -> bool:
        """Whether there are orientations."""
        return holds_orientations(stack)
