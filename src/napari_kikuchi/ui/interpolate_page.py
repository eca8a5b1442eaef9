"""Pictures on the way from one map of orientations to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from magicgui.widgets import FloatSlider, SpinBox
from napari.layers import Image
from qtpy.QtWidgets import QFormLayout, QWidget

from napari_kikuchi.jobs import Job
from napari_kikuchi.ui.forms import Form
from napari_kikuchi.ui.generator_page import GeneratorPage
from napari_kikuchi.ui.listening import listen
from napari_kikuchi.ui.oriented_stacks import OrientedStacks
from napari_kikuchi.ui.picture_layers import colour_layer, in_a_row, phase_layer

if TYPE_CHECKING:
    from napari_kikuchi.maps import MapStack
    from napari_kikuchi.microstructure.scan_pictures import Interpolation
    from napari_kikuchi.ui.generator_options import GeneratorOptions, GeneratorRequest
    from napari_kikuchi.ui.session import Session

_COUNT, _MOST = 5, 50
_TIP = "Make a row of pictures from the maps chosen above to those chosen here"
_NOISE = (
    "How much of the maps is lost before grains are made anew:\n0 lays one over the other, 1 "
    "leaves nothing of either"
)
_WEIGHT = "Which picture is seen: 0 the first maps, 1 the second. It is a slider of napari, too"
_NO_ROW = "Interpolate first"


class Row(NamedTuple):
    """Pictures in a row.

    Attributes
    ----------
    found
        The pictures.
    seed
        By which they were made.
    """

    found: Interpolation
    seed: int


_ALIKE = "Choose two different maps: generate one, for instance"


class InterpolatePage(GeneratorPage):
    """Mixes two maps and lets the generator make grains of the mixtures.

    Parameters
    ----------
    session
        Of the viewer.
    stacks
        The first maps.
    options
        Which generator, and how.

    Attributes
    ----------
    others
        The second maps.
    weight
        Moves napari's slider over the row that was made last.
    """

    def __init__(self, session: Session, stacks: OrientedStacks, options: GeneratorOptions) -> None:
        self._shown: Image | None = None
        self._by_hand = False
        self.others = OrientedStacks(session)
        self.others.activated.connect(self._on_hand)
        self.others.chosen.connect(lambda: self.enable())
        self.noise = FloatSlider(label="noise", value=0.5, min=0, max=1, step=0.01, tooltip=_NOISE)
        self.count = SpinBox(
            label="pictures",
            value=_COUNT,
            min=2,
            max=_MOST,
            tooltip="In the row, the first and the last included",
        )
        self.weight = FloatSlider(label="weight", value=0, min=0, max=1, step=0.01)
        choice = QWidget()
        rows = QFormLayout(choice)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addRow("to maps", self.others)
        super().__init__(
            session,
            stacks,
            options,
            (choice, Form(self.noise, self.count)),
            "Interpolate",
            _TIP,
            (Form(self.weight),),
        )
        self.weight.changed.connect(self._on_weight)
        listen(self, [(session.viewer.dims.events.current_step, self._on_slider)])

    def obstacle(self) -> str:
        """Why there is nothing to go from or to; empty where there is."""
        alike = self.others.stack is self.stacks.stack
        return super().obstacle() or (_ALIKE if alike else "")

    def collect(self) -> None:
        """Offer the stacks that there are now, another than the first if nobody chose one."""
        self.others.collect()
        if not self._by_hand and self.others.stack is self.stacks.stack:
            self.others.choose_other_than(self.stacks.stack)

    def enable(self) -> None:
        """Offer what can be done now."""
        super().enable()
        there = self._shown in self.session.viewer.layers
        self.weight.enabled = there
        self.weight.tooltip = _WEIGHT if there else _NO_ROW

    def set_stack(self) -> None:
        """Begin with another stack."""
        super().set_stack()
        self.collect()

    def job(self, request: GeneratorRequest) -> Job[Row]:
        """Interpolate."""
        one, other = self.stacks.stack, self.others.stack
        assert one is not None
        assert other is not None
        weights = np.linspace(0, 1, self.count.value).tolist()
        return _interpolate(one, other, weights, self.noise.value, request)

    def take(self, result: Row) -> None:
        """Show the row; its first axis is the weight."""
        pictures = result.found.pictures
        over, viewer = self.stacks.layer(), self.session.viewer
        if over is None:
            return
        place = in_a_row(over, len(pictures))
        self.clear_view()
        name = f"interpolated, seed {result.seed}"
        data, attributes, _ = phase_layer(pictures, f"phase ({name})", place)
        viewer.add_image(data, **attributes, visible=False)
        data, attributes, _ = colour_layer(pictures, f"orientations ({name})", place)
        self._shown = viewer.add_image(data, **attributes)
        self.enable()
        self._on_weight(self.weight.value)
        self.words.tell(_told(result))

    def _on_hand(self, _: int) -> None:
        self._by_hand = True

    def _on_weight(self, weight: float) -> None:
        dims = self.session.viewer.dims
        if self._shown in self.session.viewer.layers:
            # Layers share their last axes.
            dims.set_point(dims.ndim - 3, weight)

    def _on_slider(self, _: Any) -> None:
        dims = self.session.viewer.dims
        if self._shown in self.session.viewer.layers:
            with self.weight.changed.blocked():
                self.weight.value = float(np.clip(dims.point[dims.ndim - 3], 0, 1))


def _interpolate(
    one: MapStack, other: MapStack, weights: list[float], time: float, request: GeneratorRequest
) -> Job[Row]:
    generator = yield from request.load()
    from napari_kikuchi.microstructure.scan_pictures import interpolate_maps

    found = yield from interpolate_maps(
        generator, one, other, weights, time=time, seed=request.seed, steps=request.steps
    )
    return Row(found, request.seed)


def _told(row: Row) -> str:
    made = (
        f"{len(row.found.pictures)} pictures, with seed {row.seed}: move the weight to go from one "
        "to the other."
    )
    return " ".join([made, *row.found.remarks()])
