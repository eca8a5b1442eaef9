"""Maps of orientations filled in, and gone on with past their edges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from qtpy.QtWidgets import QLabel

from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.ui.forms import Notice
from napari_kikuchi.ui.generator_page import GeneratorPage
from napari_kikuchi.ui.latest import Latest
from napari_kikuchi.ui.link import unmeasured
from napari_kikuchi.ui.margins import Margins
from napari_kikuchi.ui.region_choice import RegionChoice
from napari_kikuchi.ui.show_maps import show_stack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.maps import MapStack
    from napari_kikuchi.microstructure.counting import FilledIn
    from napari_kikuchi.ui.generator_options import GeneratorOptions, GeneratorRequest
    from napari_kikuchi.ui.oriented_stacks import OrientedStacks
    from napari_kikuchi.ui.session import Session

_TIP = (
    "Make grains where nothing was indexed, in the region, and past the edges.\nWhat was measured "
    "elsewhere stays as it is; a map tells what was filled in"
)


class Filled(NamedTuple):
    """Maps that were filled in.

    Attributes
    ----------
    stack
        The new maps.
    counted
        What was filled in.
    margins
        Points by which they go on above, below, left and right.
    seed
        By which they were made.
    """

    stack: MapStack
    counted: FilledIn
    margins: tuple[int, int, int, int]
    seed: int


class FillInPage(GeneratorPage):
    """Fills in what was not indexed, what is drawn, and what lies past the edges.

    Parameters
    ----------
    session
        Of the viewer.
    stacks
        Whose maps are filled in.
    options
        Which generator, and how.

    Attributes
    ----------
    missing
        Tells how much was not indexed, or why the maps cannot be filled in.
    """

    def __init__(self, session: Session, stacks: OrientedStacks, options: GeneratorOptions) -> None:
        self._problem = ""
        self._reading = Latest(session, self)
        self.missing = Notice()
        self.region = RegionChoice(session)
        self.margins = Margins()
        super().__init__(
            session,
            stacks,
            options,
            (
                self.missing,
                QLabel("<b>Made anew</b>"),
                self.region,
                QLabel("<b>Points to go on past the edges</b>"),
                self.margins,
            ),
            "Fill in",
            _TIP,
        )
        self.destroyed.connect(self._reading.stop)

    def obstacle(self) -> str:
        """Why nothing can be filled in; empty where it can."""
        return super().obstacle() or self._problem

    def set_stack(self) -> None:
        """Fill in another stack: say what is missing in it."""
        self._problem = ""
        self._reading.stop()
        self.missing.tell("")
        stack = self.stacks.stack
        if stack is not None:
            self._reading.start(_count_missing(stack), self._tell_missing, failed=self._tell_why)
        super().set_stack()
        self.collect()

    def collect(self) -> None:
        """Offer the labels that there are now."""
        self.region.collect(self.stacks.layer())

    def job(self, request: GeneratorRequest) -> Job[Filled]:
        """Fill in."""
        assert self.stacks.stack is not None
        return _fill(self.stacks.stack, self.region.marked(), self.margins.chosen, request)

    def take(self, result: Filled) -> None:
        """Show the new maps over the old ones."""
        if not result.counted.points:
            self.words.tell("There is nothing to fill in: all was indexed, and no region is drawn.")
            return
        source = self.stacks.source
        assert source is not None
        if any(result.margins):
            source = unmeasured(f"{source.name}, extended")
        self.clear_view()
        show_stack(self.session, result.stack, source, self._place_beyond(result.margins))
        if any(result.margins):
            # What is new would lie outside the view.
            self.session.viewer.reset_view()
        self.words.tell(_told(result))

    def _place_beyond(self, margins: tuple[int, int, int, int]) -> dict[str, Any]:
        """Attributes that put what was measured over the old maps."""
        over = self.stacks.layer()
        if over is None:
            return {}
        corner = over.data_to_world((-margins[0], -margins[2]))
        # What napari calls the affine transform comes after the translation.
        return {**self.place(), "translate": over.affine.inverse(np.asarray(corner))}

    def _tell_missing(self, count: tuple[int, int]) -> None:
        missing, points = count
        told = f"{missing:,} of {points:,} points ({missing / points:.1%}) were not indexed."
        self.missing.tell(told if missing else f"All {points:,} points were indexed.")

    def _tell_why(self, error: Exception) -> None:
        self._problem = str(error)
        self.missing.tell(self._problem)
        self.enable()


def _count_missing(stack: MapStack) -> Job[tuple[int, int]]:
    yield Progress(0, 0, "Reading the orientations")
    from napari_kikuchi.microstructure.measured import read_measured

    measured = read_measured(stack)
    return measured.missing, measured.orientations.numbers.size


def _fill(
    stack: MapStack,
    region: NDArray[np.bool_] | None,
    margins: tuple[int, int, int, int],
    request: GeneratorRequest,
) -> Job[Filled]:
    generator = yield from request.load()
    from napari_kikuchi.microstructure.counting import count_filled
    from napari_kikuchi.microstructure.scan_filling import fill_maps

    filled = yield from fill_maps(
        generator,
        stack,
        holes=region,
        margins=margins,
        candidates=request.candidates,
        seed=request.seed,
        steps=request.steps,
    )
    return Filled(filled, count_filled(filled), margins, request.seed)


def _told(filled: Filled) -> str:
    points, of, grains, new = filled.counted
    return (
        f"{points:,} of {of:,} points ({points / of:.1%}) filled in, with seed {filled.seed}: they "
        f"belong to {grains:,} grain{'s' * (grains != 1)}, {new:,} of which nobody has measured."
    )
