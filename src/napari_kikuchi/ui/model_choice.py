"""A choice of models: known ones in a list, any other by its file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from magicgui.widgets import ComboBox, Container, PushButton
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog

from napari_kikuchi.io.places import model_name
from napari_kikuchi.ui.models import recent_models, remember_model, shipped_models


class ModelChoice(Container):
    """Combo box of models and a button that looks for another.

    Parameters
    ----------
    label
        Beside it in the form.
    none
        Text of the choice of no model; None: a model must be chosen.
    tooltip
        Of the combo box.
    """

    def __init__(self, label: str, none: str | None = None, tooltip: str = "") -> None:
        self._none = none
        self.models = ComboBox(choices=self._choices, tooltip=tooltip)
        self.browse = PushButton(text="…", tooltip="Choose a model file")
        self.browse.max_width = 32
        super().__init__(
            widgets=[self.models, self.browse], layout="horizontal", labels=False, label=label
        )
        self.margins = (0, 0, 0, 0)
        self.browse.changed.connect(self._ask)

    @property
    def path(self) -> Path | None:
        """The model chosen."""
        return self.models.value

    def choose(self, path: Path) -> None:
        """Choose a model, and remember it."""
        remember_model(path)
        self.models.reset_choices()
        self.models.value = path.resolve()

    def _choices(self, _: Any = None) -> list[tuple[str, Path | None]]:
        shipped = shipped_models()
        recent = [path for path in recent_models() if path not in shipped]
        found: list[tuple[str, Path | None]] = [
            *((f"{model_name(path)} (shipped)", path) for path in shipped),
            *((f"{model_name(path)} ({path.parent})", path) for path in recent),
        ]
        if self._none is not None:
            return [(self._none, None), *found]
        return found or [("no model yet: train one, or browse", None)]

    def _ask(self) -> None:
        dialog = QFileDialog(self.native, "Choose a model", "", "Models (*.safetensors)")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda path: self.choose(Path(path)))
        dialog.open()
