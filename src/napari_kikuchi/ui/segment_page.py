"""What the pages of the segmentation have in common: settings, a job, what it found, a table."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_kikuchi.jobs import Job
from napari_kikuchi.ui.column_table import ColumnTable
from napari_kikuchi.ui.forms import Form, Notice
from napari_kikuchi.ui.job_row import JobRow
from napari_kikuchi.ui.label_layer import compile_colours
from napari_kikuchi.ui.link import step_of
from napari_kikuchi.ui.saving import CSV, ask_where, save_table, suggested_path
from napari_kikuchi.ui.segment_layers import SegmentLayers

if TYPE_CHECKING:
    from pathlib import Path

    from napari.layers import Image

    from napari_kikuchi.maps import MapStack
    from napari_kikuchi.ui.link import ScanLink
    from napari_kikuchi.ui.plot import Plot
    from napari_kikuchi.ui.saving import Table
    from napari_kikuchi.ui.session import Session
    from napari_kikuchi.ui.stack_choice import StackChoice

_NO_MAPS = "Encode a scan, or open its maps, first"
# Columns that say where on the map something is.
_PLACE = ("down (µm)", "right (µm)")


class SegmentPage(QWidget):
    """Finds something in the maps of the chosen stack, shows it as layers and tells of it.

    Parameters
    ----------
    session
        Of the viewer.
    stacks
        Whose maps are worked on.
    form
        The settings.
    title, tip
        Of the button that starts.
    saved
        Titles of the tables that can be saved.
    plot
        Shows what was found; None: nothing.
    looks
        Attributes of labels layers, by the name of the map.

    Attributes
    ----------
    words
        Tells what was found.
    layers
        Show it.
    """

    # Name of the map whose numbers are the first column of the table.
    numbers = ""

    def __init__(
        self,
        session: Session,
        stacks: StackChoice,
        form: Form,
        title: str,
        tip: str,
        saved: Sequence[str],
        plot: Plot | None = None,
        looks: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        super().__init__()
        self.session = session
        self.stacks = stacks
        self._tip = tip
        self.layers = SegmentLayers(session, looks)
        self._shown: Table = {}
        self._tables: dict[str, Table] = {}
        self.button = QPushButton(title)
        self.button.clicked.connect(lambda: self.start())
        self.row = JobRow(session, self.enable)
        self.words = Notice()
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.plot = plot
        self.table = ColumnTable()
        self.table.chosen.connect(self._go_to)
        self.save_buttons = {name: QPushButton(f"Save {name}…") for name in saved}
        for name, button in self.save_buttons.items():
            button.clicked.connect(lambda _=None, name=name: self._ask(name))
        saving = QHBoxLayout()
        for button in self.save_buttons.values():
            saving.addWidget(button)
        layout = QVBoxLayout(self)
        for widget in (form, self.button, self.row, self.words, plot):
            if widget is not None:
                layout.addWidget(widget)
        layout.addWidget(self.table, 1)
        layout.addLayout(saving)
        layout.addStretch()
        self.clear()

    # ------------------------------------------------------------------ what pages differ in

    @abstractmethod
    def job(self, stack: MapStack) -> Job[Any]:
        """What is to be done, by the settings as they are now."""

    @abstractmethod
    def take(self, result: Any) -> None:
        """Show what the job found."""

    def note(self, update: Any) -> None:
        """Show what is known before the job ends."""

    def obstacle(self) -> str:
        """Why nothing can be found now; empty where it can."""
        return "" if self.over is not None else _NO_MAPS

    # ------------------------------------------------------------------ what they share

    @property
    def over(self) -> Image | None:
        """A layer that lies where the maps do."""
        return self.stacks.layer()

    @property
    def source(self) -> ScanLink:
        """The scan behind the maps."""
        source = self.stacks.source
        assert source is not None
        return source

    def set_stack(self) -> None:
        """Work on another stack: what was found stays, and what comes next is new."""
        self.row.cancel()
        self.clear()

    def clear(self) -> None:
        """Show nothing."""
        self.layers.forget()
        self.tell("", {}, {})
        if self.plot is not None:
            self.plot.clear()
            self.plot.hide()
        self.enable()

    def start(self) -> None:
        """Find it."""
        stack = self.stacks.stack
        if stack is not None and not self.obstacle():
            self.row.start(_with_colours(self.job(stack)), self.take, self.note)
            self.enable()

    def enable(self) -> None:
        """Offer what can be done now."""
        why = "This is being done" if self.row.active else self.obstacle()
        self.button.setEnabled(not why)
        self.button.setToolTip(why or self._tip)
        for name, button in self.save_buttons.items():
            there = name in self._tables
            button.setEnabled(there)
            button.setToolTip("As CSV" if there else "Nothing has been found yet")

    def tell(self, words: str, shown: Table, tables: Mapping[str, Table]) -> None:
        """Tell what was found.

        Parameters
        ----------
        words
            In short; may be rich text.
        shown
            The table that is shown.
        tables
            Those that can be saved, by title.
        """
        self.words.tell(words)
        self._shown = shown
        self.table.show_table(shown, self._colour)
        self._tables = dict(tables)
        self.enable()

    def save(self, name: str, path: Path) -> None:
        """Save a table as CSV."""
        save_table(self.session, self._tables[name], path)

    def _ask(self, name: str) -> None:
        suggested = suggested_path(self.source, name)
        title = self.save_buttons[name].text()
        ask_where(self, title, suggested, *CSV, lambda path: self.save(name, path))

    def _colour(self, number: int) -> Any:
        layer = self.layers.layer(self.numbers)
        return layer.get_color(number) if isinstance(layer, Labels) else (0, 0, 0, 0)

    def _go_to(self, row: int) -> None:
        """Select what a row of the table is about, and bring it into view if it is not there."""
        layer = self.layers.layer(self.numbers)
        if not isinstance(layer, Labels):
            return
        number, *_ = self._shown.values()
        layer.selected_label = int(number[row])
        if _PLACE[0] in self._shown:
            place = [self._shown[name][row] for name in _PLACE]
            position = np.divide(place, step_of(layer))
            low, high = layer.corner_pixels[:, -2:]
            if ((low <= position) & (position <= high)).all():
                return
            world = layer.data_to_world(position)
            camera = self.session.viewer.scene.camera
            camera.center = (*camera.center[:-2], *world[-2:])


def _with_colours(job: Job[Any]) -> Job[Any]:
    """A job whose result can be shown as labels without delay."""
    yield from compile_colours()
    return (yield from job)
