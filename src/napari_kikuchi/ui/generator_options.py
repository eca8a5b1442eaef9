"""Which generator makes microstructures, and how."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from magicgui.types import FileDialogMode
from magicgui.widgets import FileEdit, SpinBox
from superqt import QCollapsible

from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.ui.forms import Form, path_in

if TYPE_CHECKING:
    from napari_kikuchi.microstructure.generator import MicrostructureGenerator

_STEPS, _MOST_STEPS, _MOST_CANDIDATES = 20, 1000, 64
_LAST_SEED = 2**31 - 1


@dataclass(frozen=True)
class GeneratorRequest:
    """What is asked of a generator.

    Attributes
    ----------
    path
        Its file; None: the one that comes with the package.
    seed, steps
        See :meth:`~napari_kikuchi.microstructure.generator.MicrostructureGenerator.filled`.
    candidates
        See :func:`~napari_kikuchi.microstructure.filling.fill`.
    control
        The file of its control; None: that of the generator that comes with the package.
    """

    path: Path | None
    seed: int
    steps: int
    candidates: int = 1
    control: Path | None = None

    def load(self, *, controlled: bool = False) -> Job[MicrostructureGenerator]:
        """Read the generator, which takes seconds the first time.

        Parameters
        ----------
        controlled
            Whether something is wished for: with its control.
        """
        yield Progress(0, 0, "Loading the generator")
        from napari_kikuchi.microstructure.generator import MicrostructureGenerator

        generator = MicrostructureGenerator.chosen(self.path)
        return generator.controlled(self.control) if controlled else generator


class GeneratorOptions(QCollapsible):
    """What few need to change, out of the way until it is asked for."""

    def __init__(self) -> None:
        super().__init__("More")
        self.generator = FileEdit(
            label="generator",
            mode=FileDialogMode.OPTIONAL_FILE,
            filter="*.safetensors",
            tooltip="A generator that you have trained yourself\n"
            "(napari-kikuchi microstructure train); empty: the one that comes along",
        )
        self.generator.line_edit.native.setPlaceholderText("the one that comes along")
        self.control = FileEdit(
            label="control",
            mode=FileDialogMode.OPTIONAL_FILE,
            filter="*.safetensors",
            tooltip="Leads the generator to what is wished for; for a generator of your own, one\n"
            "that you have trained for it (napari-kikuchi microstructure train-control)",
        )
        self.control.line_edit.native.setPlaceholderText("the one that comes along")
        self.steps = SpinBox(
            label="steps",
            value=_STEPS,
            min=1,
            max=_MOST_STEPS,
            tooltip="From noise to grains. More take longer; beyond some twenty little changes",
        )
        self.seed = SpinBox(
            label="seed",
            min=0,
            max=_LAST_SEED,
            tooltip="The same seed gives the same grains; Another takes the next one",
        )
        self.candidates = SpinBox(
            label="candidates",
            value=1,
            min=1,
            max=_MOST_CANDIDATES,
            tooltip="Fill in makes so many and takes the most typical one: phases, or\n"
            "the grains of a map of one phase, are then as the map lets expect, not as chance\n"
            "would have them. Each takes as long as one",
        )
        self.addWidget(Form(self.generator, self.control, self.steps, self.candidates, self.seed))

    def request(self) -> GeneratorRequest:
        """What is asked for."""
        return GeneratorRequest(
            path_in(self.generator),
            self.seed.value,
            self.steps.value,
            self.candidates.value,
            path_in(self.control),
        )

    def take_next_seed(self) -> None:
        """Ask for other grains."""
        self.seed.value = 0 if self.seed.value == _LAST_SEED else self.seed.value + 1
