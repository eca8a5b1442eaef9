"""Which of the stacks behind a viewer's layers is browsed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QComboBox

from napari_kikuchi.ui.layers import stack_label
from napari_kikuchi.ui.narrow_choice import may_be_narrow
from napari_kikuchi.ui.stack_layer import StackLayer

if TYPE_CHECKING:
    import napari

    from napari_kikuchi.maps import MapStack
    from napari_kikuchi.ui.link import ScanLink


class BrowsedStack(QComboBox):
    """Offers the stacks that it is told of, and shows the maps of each.

    Parameters
    ----------
    viewer
        Where they are shown.
    """

    def __init__(self, viewer: napari.components.ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self.stacks: list[StackLayer] = []
        may_be_narrow(self)
        self.setToolTip("Maps to browse: those behind the layers of this viewer")

    @property
    def current(self) -> StackLayer | None:
        """The stack that is browsed."""
        choice = self.currentIndex()
        return self.stacks[choice] if 0 <= choice < len(self.stacks) else None

    def knows(self, stack: MapStack) -> bool:
        """Whether a stack is offered."""
        return any(known.stack is stack for known in self.stacks)

    def offer(self, stack: MapStack, source: ScanLink) -> int:
        """Offer a stack, once.

        Returns
        -------
        int
            Its place among those that are offered.
        """
        for i, known in enumerate(self.stacks):
            if known.stack is stack:
                return i
        self.stacks.append(StackLayer(self._viewer, stack, source))
        self.addItem(stack_label(stack, source))
        return len(self.stacks) - 1

    def forget(self, stack: MapStack) -> None:
        """Offer a stack no longer."""
        for i, known in enumerate(self.stacks):
            if known.stack is stack:
                # First here: the choice tells at once which one is browsed instead.
                forgotten = self.stacks.pop(i)
                self.removeItem(i)
                forgotten.close()
                return
