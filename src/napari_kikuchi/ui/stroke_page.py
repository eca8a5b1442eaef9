"""The strokes by which maps are to tell two places apart, and the buttons that paint them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QWidget

from napari_kikuchi.ui.strokes import COLOURS, Stroke, Strokes
from napari_kikuchi.ui.swatch import swatch

if TYPE_CHECKING:
    from napari.components import ViewerModel

_KINDS = (
    (Stroke.THIS, "This", "Paint on what you look for, such as a wall"),
    (Stroke.OTHER, "Not this", "Paint on what it is to be told from, such as the interior"),
)


class StrokePage(QWidget):
    """Offers to paint what is looked for, and what it is to be told from.

    Parameters
    ----------
    viewer
        In which is painted.

    Attributes
    ----------
    strokes
        What is painted.
    buttons
        Of each kind of stroke.
    clear_button
        Can be pressed while something is painted.
    """

    asked = Signal(object)
    """A :class:`~napari_kikuchi.ui.strokes.Stroke` is to be painted."""

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self.strokes = Strokes(viewer)
        self.buttons: dict[Stroke, QPushButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for stroke, text, tip in _KINDS:
            button = QPushButton(swatch(COLOURS[stroke]), text)
            button.setToolTip(tip)
            button.clicked.connect(partial(self.asked.emit, stroke))
            row.addWidget(button)
            self.buttons[stroke] = button
        self.clear_button = QPushButton("Clear")
        self.clear_button.clicked.connect(self.strokes.clear)
        row.addWidget(self.clear_button)
        self.offer()

    @property
    def missing(self) -> str:
        """What is still to be painted; empty if nothing is."""
        this, other = self.strokes.places()
        if not len(this):
            return "Press This and paint on what you see, twenty positions or more."
        if not len(other):
            return "Press Not this and paint beside it, on what it is to be told from."
        return ""

    def offer(self) -> None:
        """Offer what can be done."""
        painted = any(map(len, self.strokes.places()))
        self.clear_button.setEnabled(painted)
        self.clear_button.setToolTip("Take all strokes away" if painted else "Nothing is painted")
