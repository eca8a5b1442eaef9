"""How far maps go on past their edges."""

from __future__ import annotations

from magicgui.widgets import SpinBox
from qtpy.QtWidgets import QHBoxLayout, QWidget

from napari_kikuchi.ui.forms import Form

_SIDES = ("above", "below", "left", "right")
_MOST = 4096


class Margins(QWidget):
    """Points to go on on each side.

    Attributes
    ----------
    fields
        By side.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fields = {
            side: SpinBox(
                label=side,
                max=_MOST,
                tooltip=f"Points to go on {side} of the map with grains that nobody has measured",
            )
            for side in _SIDES
        }
        above, below, left, right = self.fields.values()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(Form(above, below))
        layout.addWidget(Form(left, right))

    @property
    def chosen(self) -> tuple[int, int, int, int]:
        """Above, below, left and right."""
        above, below, left, right = (field.value for field in self.fields.values())
        return above, below, left, right
