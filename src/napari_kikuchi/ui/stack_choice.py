"""Which of the stacks of maps behind a viewer's layers is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.layers import Image
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox

from napari_kikuchi.explore.segmentation import is_segmentation
from napari_kikuchi.ui.layers import stack_label
from napari_kikuchi.ui.link import link_of, same_scan
from napari_kikuchi.ui.narrow_choice import may_be_narrow

if TYPE_CHECKING:
    from napari_kikuchi.maps import MapStack
    from napari_kikuchi.ui.link import ScanLink
    from napari_kikuchi.ui.session import Session


class StackChoice(QComboBox):
    """Offers the stacks of several maps of which a layer is left.

    Parameters
    ----------
    session
        Of the viewer.

    Attributes
    ----------
    tip, none
        Tooltips where there are stacks to choose from, and where there are none.
    """

    tip = "Maps to explore: those behind the layers"
    none = "Encode a scan, or open its maps, to explore them"

    chosen = Signal()
    """Another stack, or none, is meant from now on."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._offered: list[tuple[MapStack, ScanLink]] = []
        self._told: MapStack | None = None
        may_be_narrow(self)
        self.currentIndexChanged.connect(self._tell)
        self.collect()

    @property
    def stack(self) -> MapStack | None:
        """The stack that is meant."""
        return self._offered[self.currentIndex()][0] if self._offered else None

    @property
    def source(self) -> ScanLink | None:
        """The scan behind it."""
        return self._offered[self.currentIndex()][1] if self._offered else None

    def offers(self, stack: MapStack) -> bool:
        """Whether a stack is offered."""
        return len(stack) > 1 and not is_segmentation(stack)

    def layer(self) -> Image | None:
        """A layer that lies where the maps of the stack do."""
        return next(
            (
                layer
                for layer, link in self._session.links()
                if link.stack is self.stack and isinstance(layer, Image)
            ),
            None,
        )

    def collect(self) -> None:
        """Offer what there is now: layers came or went."""
        links = [link for layer, link in self._session.links() if isinstance(layer, Image)]
        found = {id(link.stack): (link.stack, link.source) for link in links if link.stack}
        offered = [(stack, source) for stack, source in found.values() if self.offers(stack)]
        meant = self.stack
        self.blockSignals(True)
        self.clear()
        self._offered = offered
        for stack, source in offered:
            self.addItem(stack_label(stack, source))
        known = [i for i, (stack, _) in enumerate(offered) if stack is meant]
        self.setCurrentIndex(known[0] if known else self._likeliest())
        self.blockSignals(False)
        self.setEnabled(bool(offered))
        self.setToolTip(self.tip if offered else self.none)
        self._tell()

    def choose_other_than(self, stack: MapStack | None) -> None:
        """Choose the first stack that is another, if there is one."""
        others = (i for i, (found, _) in enumerate(self._offered) if found is not stack)
        self.setCurrentIndex(next(others, self.currentIndex()))

    def _likeliest(self) -> int:
        """Which is probably meant: that of a model, and of the layer that is selected."""
        active = self._session.viewer.layers.selection.active
        link = None if active is None else link_of(active)

        def unlikely(index: int) -> tuple[bool, bool]:
            stack, source = self._offered[index]
            elsewhere = link is None or not same_scan(link.source, source)
            return "model" not in stack.provenance, elsewhere

        return min(range(len(self._offered)), key=unlikely, default=-1)

    def _tell(self) -> None:
        if self.stack is not self._told:
            self._told = self.stack
            self.chosen.emit()
