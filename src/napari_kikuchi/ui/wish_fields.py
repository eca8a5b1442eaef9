"""What one may wish for of a microstructure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from magicgui.widgets import FloatSpinBox
from napari.layers import Labels
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QVBoxLayout, QWidget

from napari_kikuchi.io.indexed import PHASE
from napari_kikuchi.io.phase_images import second_phase
from napari_kikuchi.ui.forms import Form
from napari_kikuchi.ui.link import link_of
from napari_kikuchi.ui.narrow_choice import may_be_narrow

if TYPE_CHECKING:
    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_kikuchi.microstructure.wishes import Wishes
    from napari_kikuchi.ui.session import Session

_ANY = "as it comes"
_NONE = -1.0
_FRACTION = (
    "Share of the points that are of the second phase. The control is led by it, not bound: what "
    "came of it is told below"
)
_PHASES = (
    "Grains are made for phases that are there: those of a phase map, or what is painted in any\n"
    "labels layer, which is then the second phase. The map is as large as the layer"
)


@dataclass(frozen=True, eq=False)
class WishesAsked:
    """What is wished for, before the generator is there.

    Attributes
    ----------
    phase, fraction
        See :class:`~napari_kikuchi.microstructure.wishes.Wishes`.
    """

    phase: NDArray[np.float32] | None
    fraction: float | None

    @property
    def any(self) -> bool:
        """Whether anything is wished for."""
        return not (self.phase is self.fraction is None)

    def wishes(self) -> Wishes:
        """As the generator wants them."""
        from napari_kikuchi.microstructure.wishes import Wishes

        return Wishes(phase=self.phase, fraction=self.fraction)


class WishFields(QWidget):
    """Lets wish for a share of the second phase, or for phases.

    Parameters
    ----------
    session
        Of the viewer, whose labels layers are offered as phases.

    Attributes
    ----------
    fraction
        In percent; its least value stands for no wish.
    phases
        Names of layers; the first is of none.
    """

    phases_chosen = Signal()
    """Other phases are wished for, or none."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._viewer = session.viewer
        self._offered: list[Layer | None] = [None]
        self.fraction = FloatSpinBox(
            label="second phase (%)", value=_NONE, min=_NONE, max=100, step=1, tooltip=_FRACTION
        )
        self.fraction.native.setSpecialValueText(_ANY)
        self.phases = QComboBox()
        self.phases.addItem(_ANY)
        self.phases.setToolTip(_PHASES)
        may_be_narrow(self.phases)
        self.phases.currentIndexChanged.connect(lambda _: self.phases_chosen.emit())
        choice = QFormLayout()
        choice.setContentsMargins(0, 0, 0, 0)
        choice.addRow("phases as in", self.phases)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(Form(self.fraction))
        layout.addLayout(choice)

    @property
    def layer(self) -> Layer | None:
        """The layer whose phases are wished for, if any."""
        return self._offered[self.phases.currentIndex()]

    def asked(self) -> WishesAsked:
        """What is wished for now.

        Raises
        ------
        ValueError
            If the map of phases has a third.
        """
        fraction = self.fraction.value
        return WishesAsked(
            None if self.layer is None else _second(self.layer),
            None if fraction < 0 else fraction / 100,
        )

    def collect(self) -> None:
        """Offer the layers that there are now."""
        meant = self.layer
        found = [one for one in reversed(self._viewer.layers) if _may_be_phases(one)]
        self._offered = [None, *found]
        self.phases.blockSignals(True)
        self.phases.clear()
        self.phases.addItems([_ANY, *(layer.name for layer in found)])
        self.phases.setCurrentIndex(self._offered.index(meant) if meant in self._offered else 0)
        self.phases.blockSignals(False)
        if self.layer is not meant:
            self.phases_chosen.emit()


def _may_be_phases(layer: Layer) -> bool:
    return _tells_phases(layer) or (isinstance(layer, Labels) and layer.data.ndim == 2)


def _tells_phases(layer: Layer) -> bool:
    link = link_of(layer)
    if link is None or link.stack is None or link.channel is None:
        return False
    return link.stack.names[link.channel] == PHASE


def _second(layer: Layer) -> NDArray[np.float32]:
    labels = np.asarray(layer.data)
    return second_phase(labels) if _tells_phases(layer) else (labels > 0).astype(np.float32)
