"""The controls of the pattern viewer: which views, and how they are scaled and coloured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QWidget,
)
from superqt import QLabeledDoubleSlider

from napari_kikuchi.ui.narrow_choice import may_be_narrow
from napari_kikuchi.ui.pattern_views import MODEL_VIEWS, Shift, Tone, View

if TYPE_CHECKING:
    from qtpy.QtGui import QResizeEvent

_COLORMAPS = ("gray", "gray_r", "viridis", "inferno", "magma", "turbo")
_TONES = {
    Tone.LINEAR: "Equal differences of intensity look equal",
    Tone.ROOT: "Square roots: weak spots show, and the noise of counted electrons is even",
    Tone.LOG: "Logarithms: equal ratios of intensity look equal",
}
_GAMMA = (0.2, 3.0)
# Between the edge of a button and its text, in pixels.
_BUTTON_PADDING = 6
_TOOLTIPS = {
    View.RAW: "The pattern as it was recorded",
    View.CORRECTED: "Less the static background: the mean of a sample of the scan's patterns",
    View.PREPROCESSED: "What a model reads: binned, background subtracted, rescaled in the mask",
    View.RECONSTRUCTED: "What the model makes of the pattern's latent features",
    View.DIFFERENCE: "Reconstruction less preprocessed pattern",
    View.TRAVERSAL: "What the pattern would be if one latent feature were another: move the slider",
    View.SIMULATED: "The pattern of the known phase that is most like those of this grain",
}
_NO_MODEL = "Choose a model first"
# How far a feature is moved: features of an autoencoder spread by about one.
_FARTHEST = 5.0
_MOST_FEATURES = 10_000


@dataclass(frozen=True)
class _Look:
    """What a person sees of a pattern without having chosen anything, or after that."""

    views: tuple[View, ...]
    tone: Tone
    colormap: str
    gamma: float = 1.0


Technique = Literal["EBSD", "4D-STEM"]
_LOOKS: dict[Technique, _Look] = {
    "EBSD": _Look((View.RAW, View.CORRECTED, View.SIMULATED), Tone.LINEAR, "gray"),
    # The mean of spots from many crystals is no background: spots are shown as recorded.
    "4D-STEM": _Look((View.RAW,), Tone.LOG, "inferno"),
}


class NameButton(QPushButton):
    """A button that shows as much of a name as there is room for."""

    def __init__(self) -> None:
        super().__init__()
        self._name = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def set_name(self, name: str) -> None:
        """Show this name."""
        self._name = name
        self._fit()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Fit the name into the new width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        room = self.width() - 2 * _BUTTON_PADDING
        self.setText(self.fontMetrics().elidedText(self._name, Qt.TextElideMode.ElideMiddle, room))


class Traversal(QWidget):
    """Chooses a latent feature and how far to move it."""

    changed = Signal()
    """Another feature, or another place along it."""

    def __init__(self) -> None:
        super().__init__()
        self.feature = QSpinBox()
        self.feature.setRange(1, _MOST_FEATURES)
        self.feature.setToolTip("The feature to move; that of the selected map, unless you choose")
        self.by = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
        self.by.setRange(-_FARTHEST, _FARTHEST)
        self.by.setDecimals(1)
        self.by.setToolTip("How far from its value in this pattern")
        self.feature.valueChanged.connect(self.changed)
        self.by.valueChanged.connect(self.changed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (QLabel("feature:"), self.feature, QLabel("moved by:")):
            layout.addWidget(widget)
        layout.addWidget(self.by, 1)

    @property
    def shift(self) -> Shift:
        """The step in latent space."""
        return Shift(self.feature.value() - 1, self.by.value())


class PatternControls(QWidget):
    """Checkboxes, colours and scales.

    Attributes
    ----------
    autoscale_once
        Button that scales to the pattern shown now.
    model_button
        Button that asks for a model.
    traversal
        Moves a latent feature.
    """

    changed = Signal()
    """Other patterns, or the same in another scale, are wanted."""
    rescale = Signal()
    """The limits that are kept are to be those of the pattern shown now."""
    colormap_changed = Signal(str)
    gamma_changed = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self._technique: Technique = "EBSD"
        self._looks = dict(_LOOKS)
        self._views = {view: QCheckBox(str(view)) for view in View}
        for view, box in self._views.items():
            box.setToolTip(_TOOLTIPS[view])
            box.toggled.connect(self.changed)
        self.traversal = Traversal()
        self.traversal.changed.connect(self.changed)
        self._views[View.TRAVERSAL].toggled.connect(self._show_traversal)
        self.model_button = NameButton()
        self.tones = QComboBox()
        self.tones.addItems(list(Tone))
        self.tones.setToolTip("\n".join(f"{one}: {told}" for one, told in _TONES.items()))
        self.tones.currentTextChanged.connect(self.changed)
        may_be_narrow(self.tones, 5)
        self.colormap = QComboBox()
        self.colormap.addItems(_COLORMAPS)
        self.colormap.setToolTip("Colours of all views but the difference")
        self.colormap.currentTextChanged.connect(self.colormap_changed)
        self.gamma = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
        self.gamma.setRange(*_GAMMA)
        self.gamma.setValue(1)
        self.gamma.setDecimals(2)
        self.gamma.setToolTip("Below 1 lifts the dark parts, above 1 the bright ones")
        self.gamma.valueChanged.connect(self.gamma_changed)
        self.autoscale_once = QPushButton("once")
        self.autoscale_once.setToolTip("Scale to the pattern shown now and keep these limits")
        self.autoscale_always = QPushButton("always")
        self.autoscale_always.setToolTip("Scale to every pattern anew")
        self.autoscale_always.setCheckable(True)
        self.autoscale_always.setChecked(True)
        self.autoscale_once.clicked.connect(self._on_once)
        self.autoscale_always.toggled.connect(self.changed)
        self._arrange()
        self.set_model("")
        self.offer_simulated(False)
        self._show(self._looks[self._technique])

    @property
    def tone(self) -> Tone:
        """How intensities become grey levels."""
        return Tone(self.tones.currentText())

    def suit(self, technique: Technique) -> None:
        """Show patterns of a technique as they were shown last; at first as suits them."""
        if technique == self._technique:
            return
        chosen = tuple(view for view, box in self._views.items() if box.isChecked())
        self._looks[self._technique] = _Look(
            chosen, self.tone, self.colormap.currentText(), self.gamma.value()
        )
        self._technique = technique
        self._show(self._looks[technique])

    @property
    def views(self) -> tuple[View, ...]:
        """The views that are wanted and can be made."""
        return tuple(
            view for view, box in self._views.items() if box.isChecked() and box.isEnabled()
        )

    def box(self, view: View) -> QCheckBox:
        """What ticks a view."""
        return self._views[view]

    def choose(self, *views: View) -> None:
        """Tick these views and no others."""
        for view, box in self._views.items():
            box.setChecked(view in views)

    def set_model(self, name: str, latent: int | None = None, missing: str = "") -> None:
        """Tell which model reconstructs, and its number of features if that is known.

        With none, its views cannot be ticked; ``missing`` says why there is none.
        """
        self.traversal.feature.setMaximum(latent or _MOST_FEATURES)
        for view in MODEL_VIEWS:
            self._views[view].setEnabled(bool(name))
            self._views[view].setToolTip(_TOOLTIPS[view] if name else missing or _NO_MODEL)
        self._show_traversal()
        self.model_button.set_name(name or "Model…")
        self.model_button.setToolTip(
            f"Reconstructs by {name}; click to choose another"
            if name
            else missing or "Choose the model that reconstructs patterns"
        )

    def offer_simulated(self, there: bool) -> None:
        """Let a person choose the simulated pattern, where there is one."""
        box = self._views[View.SIMULATED]
        box.setEnabled(there)
        box.setVisible(there)

    def _show(self, look: _Look) -> None:
        self.choose(*look.views)
        self.tones.setCurrentText(look.tone)
        self.colormap.setCurrentText(look.colormap)
        self.gamma.setValue(look.gamma)
        self._show_traversal()

    def _show_traversal(self) -> None:
        self.traversal.setVisible(View.TRAVERSAL in self.views)

    def _on_once(self) -> None:
        if self.autoscale_always.isChecked():
            # The pattern shown now has its limits: they stay.
            self.autoscale_always.setChecked(False)
        else:
            self.rescale.emit()

    def _arrange(self) -> None:
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(10)
        layout.setVerticalSpacing(4)
        for i, box in enumerate(self._views.values()):
            layout.addWidget(box, i // 3, i % 3)
        layout.addWidget(self.traversal, 3, 0, 1, 3)
        scale = QHBoxLayout()
        scale.setSpacing(6)
        for widget in (
            QLabel("autoscale:"),
            self.autoscale_once,
            self.autoscale_always,
            self.tones,
        ):
            scale.addWidget(widget)
        scale.addStretch()
        scale.addWidget(self.colormap)
        layout.addLayout(scale, 4, 0, 1, 3)
        gamma = QHBoxLayout()
        gamma.addWidget(QLabel("gamma:"))
        gamma.addWidget(self.gamma, 3)
        gamma.addWidget(self.model_button, 2)
        layout.addLayout(gamma, 5, 0, 1, 3)
