"""What the pages of the microstructures have in common: settings, a job, what came of it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from napari.layers import Image, Labels
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_kikuchi.jobs import Job
from napari_kikuchi.ui.forms import Notice
from napari_kikuchi.ui.job_row import JobRow
from napari_kikuchi.ui.label_layer import placed_as
from napari_kikuchi.ui.oriented_stacks import NO_ORIENTATIONS

if TYPE_CHECKING:
    from napari_kikuchi.ui.generator_options import GeneratorOptions, GeneratorRequest
    from napari_kikuchi.ui.oriented_stacks import OrientedStacks
    from napari_kikuchi.ui.session import Session

_ANOTHER = "The same with the next seed: other grains, which suit as well"
_BUSY = "This is being done"


class GeneratorPage(QWidget):
    """Lets a generator make something, shows it as layers and tells of it.

    Parameters
    ----------
    session
        Of the viewer.
    stacks
        Whose maps are worked on.
    options
        Which generator, and how.
    parts
        The settings of this page, from top to bottom.
    title, tip
        Of the button that starts.
    explore
        By which one looks at what was made.

    Attributes
    ----------
    button, another
        Start, as it is and with the next seed.
    words
        Tells what was made.
    """

    def __init__(
        self,
        session: Session,
        stacks: OrientedStacks,
        options: GeneratorOptions,
        parts: Sequence[QWidget],
        title: str,
        tip: str,
        explore: Sequence[QWidget] = (),
    ) -> None:
        super().__init__()
        self.session = session
        self.stacks = stacks
        self._options = options
        self._tip = tip
        self.button = QPushButton(title)
        self.button.clicked.connect(lambda: self.start())
        self.another = QPushButton("Another")
        self.another.clicked.connect(lambda: self.start_another())
        self.row = JobRow(session, self.enable)
        self.words = Notice()
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.words.tell("")
        buttons = QHBoxLayout()
        buttons.addWidget(self.button, 2)
        buttons.addWidget(self.another, 1)
        layout = QVBoxLayout(self)
        for part in parts:
            layout.addWidget(part)
        layout.addLayout(buttons)
        layout.addWidget(self.row)
        layout.addWidget(self.words)
        for part in explore:
            layout.addWidget(part)
        layout.addStretch()
        self.enable()

    # ------------------------------------------------------------------ what pages differ in

    @abstractmethod
    def job(self, request: GeneratorRequest) -> Job[Any]:
        """What is to be done, by the settings as they are now."""

    @abstractmethod
    def take(self, result: Any) -> None:
        """Show what was made, and tell of it."""

    def obstacle(self) -> str:
        """Why nothing can be made now; empty where it can."""
        return NO_ORIENTATIONS if self.stacks.stack is None else ""

    def collect(self) -> None:
        """Offer what there is now: layers came, went or have another name."""

    # ------------------------------------------------------------------ what they share

    def place(self) -> dict[str, Any]:
        """Attributes that put another layer where the maps lie."""
        over = self.stacks.layer()
        return {} if over is None else placed_as(over)

    def clear_view(self) -> None:
        """Let what was made be seen alone: the colours of two maps together are those of neither.

        The eyes in napari's list of layers bring the others back.
        """
        for layer in self.session.viewer.layers:
            if isinstance(layer, Image | Labels):
                layer.visible = False

    def set_stack(self) -> None:
        """Work on another stack: layers that were made stay."""
        self.row.cancel()
        self.words.tell("")
        self.enable()

    def start(self) -> None:
        """Make it."""
        if not self.obstacle():
            self.words.tell("")
            self.row.start(self.job(self._options.request()), self.take)
            self.enable()

    def start_another(self) -> None:
        """Make another."""
        self._options.take_next_seed()
        self.start()

    def enable(self) -> None:
        """Offer what can be done now."""
        why = _BUSY if self.row.active else self.obstacle()
        for button, tip in ((self.button, self._tip), (self.another, _ANOTHER)):
            button.setEnabled(not why)
            button.setToolTip(why or tip)
