"""Forms of magicgui's widgets, as all docks of this package look."""

from __future__ import annotations

from pathlib import Path

from magicgui.widgets import FileEdit
from magicgui.widgets.bases import ButtonWidget, Widget
from qtpy.QtWidgets import QFormLayout, QLabel, QWidget


class Form(QWidget):
    """Widgets below each other, their labels beside them in one column.

    magicgui's own container measures labels in another font than napari's, so its columns do not
    line up.

    Parameters
    ----------
    *widgets
        From top to bottom.
    """

    def __init__(self, *widgets: Widget) -> None:
        super().__init__()
        # Their Qt halves live as long as they do.
        self._labels: dict[Widget, QLabel] = {}
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for widget in widgets:
            self._labels[widget] = label = QLabel(
                "" if isinstance(widget, ButtonWidget) else widget.label
            )
            label.setToolTip(widget.tooltip or "")
            layout.addRow(label, widget.native)

    def show_row(self, widget: Widget, shown: bool) -> None:
        """Show or hide a widget with its label."""
        self._labels[widget].setVisible(shown)
        widget.native.setVisible(shown)


def path_of(edit: FileEdit, what: str) -> Path:
    """The path in a field.

    Raises
    ------
    ValueError
        If the field is empty.
    """
    # An empty field has the path ".".
    if not isinstance(edit.value, Path) or edit.value == Path():
        raise ValueError(f"Say {what}.")
    return edit.value
