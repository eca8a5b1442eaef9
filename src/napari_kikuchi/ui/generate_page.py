"""Maps of grains that nobody has measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from magicgui.widgets import FloatSpinBox, SpinBox
from qtpy.QtWidgets import QCheckBox, QLabel

from napari_kikuchi.jobs import Job
from napari_kikuchi.ui.forms import Form
from napari_kikuchi.ui.generator_page import GeneratorPage
from napari_kikuchi.ui.link import unmeasured
from napari_kikuchi.ui.show_maps import show_stack
from napari_kikuchi.ui.wish_fields import WishesAsked, WishFields

if TYPE_CHECKING:
    from napari_kikuchi.maps import MapStack
    from napari_kikuchi.microstructure.counting import GrainCount
    from napari_kikuchi.ui.generator_options import GeneratorOptions, GeneratorRequest
    from napari_kikuchi.ui.oriented_stacks import OrientedStacks
    from napari_kikuchi.ui.session import Session

_SIDE, _MOST = 128, 4096
_SIZE = "Of the map, in points"
_TIP = "Make a map of grains of two cubic phases, as a measured one would be"
_TILEABLE = (
    "Opposite edges go on into each other, as finite elements with periodic boundaries need it;\n"
    "rows and columns are then multiples of what the generator works on at once, such as 8"
)


class Generated(NamedTuple):
    """Maps that were generated.

    Attributes
    ----------
    stack
        The maps.
    counted
        Their grains.
    seed
        By which they were made.
    """

    stack: MapStack
    counted: GrainCount
    seed: int


class GeneratePage(GeneratorPage):
    """Makes maps of any size out of nothing.

    Parameters
    ----------
    session
        Of the viewer.
    stacks
        Not needed here.
    options
        Which generator, and how.
    """

    def __init__(self, session: Session, stacks: OrientedStacks, options: GeneratorOptions) -> None:
        self.rows, self.cols = (
            SpinBox(label=label, value=_SIDE, min=1, max=_MOST, tooltip=_SIZE)
            for label in ("rows", "columns")
        )
        self.step = FloatSpinBox(
            label="step (µm)",
            value=1.0,
            min=1e-3,
            max=1e3,
            step=0.1,
            tooltip="Distance between points. Grains are as many points wide whatever it is",
        )
        self.tileable = QCheckBox("Can be tiled")
        self.tileable.setToolTip(_TILEABLE)
        self.wishes = WishFields(session)
        self.wishes.phases_chosen.connect(self._on_phases)
        super().__init__(
            session,
            stacks,
            options,
            (
                Form(self.rows, self.cols, self.step),
                self.tileable,
                QLabel("<b>Wished for</b>"),
                self.wishes,
            ),
            "Generate",
            _TIP,
        )

    def obstacle(self) -> str:
        """Nothing stands in the way."""
        return ""

    def set_stack(self) -> None:
        """What is made of nothing goes on whatever maps are chosen."""

    def collect(self) -> None:
        """Offer the layers whose phases may be wished for."""
        self.wishes.collect()

    def job(self, request: GeneratorRequest) -> Job[Generated]:
        """Generate."""
        shape = self.rows.value, self.cols.value
        tileable, wished = self.tileable.isChecked(), self.wishes.asked()
        return _generate(shape, self.step.value, tileable, wished, request)

    def take(self, result: Generated) -> None:
        """Show the maps."""
        rows, cols = result.stack.map_shape
        self.clear_view()
        show_stack(self.session, result.stack, unmeasured(f"{rows} × {cols} points"))
        self.session.viewer.reset_view()
        grains, diameter, second = result.counted
        self.words.tell(
            f"{rows:,} × {cols:,} points, with seed {result.seed}: {grains:,} "
            f"grain{'s' * (grains != 1)} of {diameter:.3g} µm in the mean, {second:.0%} of the "
            "points in the second phase."
        )

    def _on_phases(self) -> None:
        """A map for phases that are there is as large as they are."""
        layer = self.wishes.layer
        for field, index in ((self.rows, 0), (self.cols, 1)):
            field.enabled = layer is None
            field.tooltip = _SIZE if layer is None else f"As of {layer.name}"
            # A layer may be larger than anybody would ask for.
            side = _SIDE if layer is None else layer.data.shape[index]
            field.max = max(_MOST, side)
            if layer is not None:
                field.value = side


def _generate(
    shape: tuple[int, int],
    step: float,
    tileable: bool,
    wished: WishesAsked,
    request: GeneratorRequest,
) -> Job[Generated]:
    generator = yield from request.load(controlled=wished.any)
    from napari_kikuchi.microstructure.counting import count_grains
    from napari_kikuchi.microstructure.scan_filling import generate_maps

    made = yield from generate_maps(
        generator,
        shape,
        step=step,
        tileable=tileable,
        wished=wished.wishes(),
        seed=request.seed,
        steps=request.steps,
    )
    return Generated(made, count_grains(made), request.seed)
