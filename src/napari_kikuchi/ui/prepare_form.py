"""How patterns are prepared: size, background, scale and signal mask, with the effect in view."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from magicgui.widgets import ComboBox
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_kikuchi.images import bin_to, resized_mask
from napari_kikuchi.recipe import Recipe
from napari_kikuchi.scan import Scan
from napari_kikuchi.ui.forms import Form
from napari_kikuchi.ui.listening import listen
from napari_kikuchi.ui.mask_editor import MaskEditor, Tool
from napari_kikuchi.ui.preparation import Preparation, default_recipe
from napari_kikuchi.ui.session import Session

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Longer sides that are offered; 60 and 120 are what the networks read.
_SIDES = (30, 40, 60, 80, 120, 160, 240)
_BACKGROUNDS = [
    ("mean of a sample", "sample"),
    ("mean of every pattern", "exact"),
    ("none", "none"),
]
_SCALES = [
    ("one for all patterns", "common"),
    ("of each, by its range", "range"),
    ("of each, by its deviation", "deviation"),
]


class MaskChoice(StrEnum):
    """Where the signal mask comes from."""

    FOUND = "found from the data"
    FRAME = "whole frame"
    CIRCLE = "circle"
    PAINTED = "painted"
    MODEL = "of the model"


_TOOLS = {MaskChoice.CIRCLE: Tool.CIRCLE, MaskChoice.PAINTED: Tool.BRUSH}
_HINTS = {
    MaskChoice.FOUND: "Tinted: dark surround of the screen, left out.",
    MaskChoice.FRAME: "Every pixel counts.",
    MaskChoice.CIRCLE: "Drag the middle to move the circle, its rim to size it.",
    MaskChoice.PAINTED: "Left button: signal. Right button: left out.",
    MaskChoice.MODEL: "What the model was trained on.",
}


class PrepareForm(QWidget):
    """Edits the recipe of a scan; the pattern viewer shows what becomes of the pattern.

    Parameters
    ----------
    session
        Holds the recipe.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._scan: Scan | None = None
        self._filling = False
        # How the mask of a scan came about: a mask does not tell whether it was painted.
        self._chosen: WeakKeyDictionary[Scan, MaskChoice] = WeakKeyDictionary()
        self.size = ComboBox(
            label="size",
            choices=[("", None)],
            tooltip="Height and width after binning, for principal components and the views.\n"
            "A network reads the size it was made for, 60 or 120 pixels, whatever is chosen here.",
        )
        self.background = ComboBox(
            label="background",
            choices=_BACKGROUNDS,
            tooltip="Static background to subtract.\nA sample is as good as all for most maps.",
        )
        self.rescale = ComboBox(
            label="scale",
            choices=_SCALES,
            tooltip="One for all: each pattern keeps its contrast, which dislocations weaken.\n"
            "By its range: from the darkest to the brightest pixel of each, as published.\n"
            "By its deviation: four standard deviations of each.",
        )
        self.mask = ComboBox(
            label="signal mask",
            choices=self._mask_choices,
            tooltip="Where the screen gives a signal; what lies outside is never learnt.",
        )
        self.form = Form(self.size, self.background, self.rescale, self.mask)
        self.editor = MaskEditor()
        self.hint = QLabel()
        self.hint.setWordWrap(True)
        self.reset = QPushButton("Defaults")
        self.reset.setToolTip("Take back all changes to the recipe of this scan")
        layout = QVBoxLayout(self)
        layout.addWidget(self.form)
        layout.addWidget(self.editor)
        layout.addWidget(self.hint)
        row = QHBoxLayout()
        row.addWidget(self.reset)
        row.addStretch()
        layout.addLayout(row)
        layout.addStretch()
        for widget in (self.size, self.background, self.rescale):
            widget.changed.connect(self._on_settings)
        self.mask.changed.connect(self._on_mask_choice)
        self.editor.edited.connect(self._apply)
        self.reset.clicked.connect(self._on_reset)
        handlers = [
            (session.prepared, self._show_preparation),
            (session.recipe_changed, self._on_recipe),
            (session.encoder_changed, self._on_encoder),
        ]
        listen(self, handlers)
        self.set_scan(None)

    def set_scan(self, scan: Scan | None) -> None:
        """Edit the recipe of this scan."""
        if scan is not self._scan:
            # What is shown of the former scan is not to be edited as if it were of this one.
            self.editor.clear((1, 1) if scan is None else self._session.recipe(scan).size)
            self.editor.setEnabled(False)
        self._scan = scan
        self.setEnabled(scan is not None)
        if scan is None:
            self.hint.setText("Open a scan to prepare its patterns.")
            return
        self._fill(scan, self._session.recipe(scan))
        self._show_preparation(scan)

    def _fill(self, scan: Scan, recipe: Recipe) -> None:
        self._filling = True
        sizes = {*binned_sizes(scan.pattern_shape), recipe.size}
        self.size.choices = [(size_text(size, scan), size) for size in sorted(sizes)]
        self.size.value = recipe.size
        self.background.value = recipe.background
        self.rescale.value = recipe.rescale
        self.mask.reset_choices()
        self.mask.value = self._choice(scan, recipe.mask)
        self.editor.tool = _TOOLS.get(self.mask.value, Tool.NONE)
        self._filling = False

    def _choice(self, scan: Scan, mask: NDArray[np.bool_] | None) -> MaskChoice:
        chosen = self._chosen.get(scan, MaskChoice.FOUND)
        if mask is None:  # nothing was painted yet, or nothing was chosen
            return MaskChoice.PAINTED if chosen is MaskChoice.PAINTED else MaskChoice.FOUND
        if chosen in _TOOLS:
            return chosen
        model = self._model_mask()
        if chosen is not MaskChoice.FRAME and model is not None and np.array_equal(mask, model):
            return MaskChoice.MODEL
        return MaskChoice.FRAME if mask.all() else MaskChoice.PAINTED

    def _model_mask(self) -> NDArray[np.bool_] | None:
        encoder = self._session.encoder
        mask = None if encoder is None else encoder.recipe.mask
        return None if mask is None else resized_mask(mask, self.size.value)

    def _on_recipe(self, scan: Scan) -> None:
        if scan is self._scan:
            self._fill(scan, self._session.recipe(scan))
            self._show_preparation(scan)

    def _on_encoder(self, _: Any) -> None:
        self.set_scan(self._scan)

    def _show_preparation(self, scan: Scan) -> None:
        if scan is not self._scan:
            return
        found = self._session.preparation(scan)
        if isinstance(found, Preparation):
            recipe = found.preprocessor.recipe
            mean = bin_to(found.background[None], recipe.size)[0]
            self.editor.show_pattern(mean, found.preprocessor.mask)
            self.editor.setEnabled(True)
            share = f"{found.preprocessor.mask.mean():.0%} of the frame."
            self.hint.setText(f"{_HINTS[self.mask.value]} {share}")
        elif found is None:
            self.hint.setText("Reading a sample of the patterns…")
        else:
            self.hint.setText(str(found))

    def _on_settings(self) -> None:
        if self._scan is None or self._filling:
            return
        mask = self._session.recipe(self._scan).mask
        if mask is not None and mask.shape != self.size.value:
            mask = resized_mask(mask, self.size.value)
        self._set(mask)

    def _on_mask_choice(self, choice: MaskChoice) -> None:
        if self._filling or self._scan is None:
            return
        self._chosen[self._scan] = choice
        self.editor.tool = _TOOLS.get(choice, Tool.NONE)
        if choice is MaskChoice.FOUND:
            self._set(None)
        elif choice is MaskChoice.MODEL:
            self._set(self._model_mask())
        elif choice is MaskChoice.FRAME:
            self._set(np.ones(self.size.value, bool))
        elif choice is MaskChoice.CIRCLE:
            # Another size may have been chosen while no pattern was there yet.
            self.editor.set_mask(resized_mask(self.editor.mask, self.size.value))
            self.editor.set_circle()
            self._apply()
        else:
            self._show_preparation(self._scan)

    def _mask_choices(self, _: Any = None) -> list[tuple[str, MaskChoice]]:
        without_model = self._session.encoder is None
        return [
            (str(choice), choice)
            for choice in MaskChoice
            if not (without_model and choice is MaskChoice.MODEL)
        ]

    def _apply(self) -> None:
        self._set(resized_mask(self.editor.mask, self.size.value))

    def _set(self, mask: Any) -> None:
        if self._scan is None or self._filling:
            return
        recipe = replace(
            self._session.recipe(self._scan),
            size=self.size.value,
            background=self.background.value,
            rescale=self.rescale.value,
            mask=mask,
        )
        self._session.set_recipe(self._scan, recipe)

    def _on_reset(self) -> None:
        if self._scan is not None:
            self._chosen.pop(self._scan, None)
            self._session.set_recipe(self._scan, default_recipe(self._scan))


def binned_sizes(pattern_shape: tuple[int, int]) -> list[tuple[int, int]]:
    """Sizes after binning that are offered for patterns of a shape, all of its aspect ratio."""
    longest = max(pattern_shape)
    sides = [side for side in _SIDES if side < longest] + ([longest] if longest <= 480 else [])
    scaled = ((round(edge * side / longest) for edge in pattern_shape) for side in sides)
    return [(height, width) for height, width in scaled]


def size_text(size: tuple[int, int], scan: Scan) -> str:
    """What to call a size after binning in a list."""
    factor = scan.pattern_shape[0] / size[0]
    return f"{size[0]} × {size[1]}" + (f"  (binned by {factor:.3g})" if factor != 1 else "")
