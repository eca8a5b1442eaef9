"""Maps of orientations turned into what a generator works on, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from magicgui.widgets import FloatSlider

from napari_kikuchi.jobs import Job
from napari_kikuchi.ui.forms import Form
from napari_kikuchi.ui.generator_page import GeneratorPage
from napari_kikuchi.ui.picture_layers import colour_layer
from napari_kikuchi.ui.show_maps import show_stack

if TYPE_CHECKING:
    from napari_kikuchi.maps import MapStack
    from napari_kikuchi.microstructure.scan_pictures import Reconstruction
    from napari_kikuchi.ui.generator_options import GeneratorOptions, GeneratorRequest
    from napari_kikuchi.ui.oriented_stacks import OrientedStacks
    from napari_kikuchi.ui.session import Session

_TIP = "Make the colours of the maps anew, and map where they differ from what was measured"
_NOISE = (
    "How much of the maps is lost before they are made anew:\n0 only turns them into the numbers "
    "that the generator works on and back;\nabove, see from where on the generator makes other "
    "grains"
)


class Anew(NamedTuple):
    """What was made anew.

    Attributes
    ----------
    found
        The picture, and how far off it is.
    time
        How much was lost before, 0 to 1.
    seed
        By which it was made.
    """

    found: Reconstruction
    time: float
    seed: int


class ReconstructPage(GeneratorPage):
    """Shows what a generator makes of maps, and how far that is off.

    Parameters
    ----------
    session
        Of the viewer.
    stacks
        Whose maps are made anew.
    options
        Which generator, and how.
    """

    def __init__(self, session: Session, stacks: OrientedStacks, options: GeneratorOptions) -> None:
        self.noise = FloatSlider(label="noise", value=0, min=0, max=1, step=0.01, tooltip=_NOISE)
        super().__init__(session, stacks, options, (Form(self.noise),), "Reconstruct", _TIP)

    def job(self, request: GeneratorRequest) -> Job[Anew]:
        """Make the colours anew."""
        assert self.stacks.stack is not None
        return _reconstruct(self.stacks.stack, self.noise.value, request)

    def take(self, result: Anew) -> None:
        """Show the colours on top of the error."""
        source, place = self.stacks.source, self.place()
        assert source is not None
        self.clear_view()
        show_stack(self.session, result.found.error, source, place)
        name = f"reconstructed (noise {result.time:.2f}, seed {result.seed})"
        data, attributes, _ = colour_layer(result.found.picture, name, place)
        self.session.viewer.add_image(data, **attributes)
        self.words.tell(_told(result))


def _reconstruct(stack: MapStack, time: float, request: GeneratorRequest) -> Job[Anew]:
    generator = yield from request.load()
    from napari_kikuchi.microstructure.scan_pictures import reconstruct_maps

    found = yield from reconstruct_maps(
        generator, stack, time=time, seed=request.seed, steps=request.steps
    )
    return Anew(found, time, request.seed)


def _told(anew: Anew) -> str:
    return f"With noise {anew.time:.2f}. {anew.found.in_words()}"
