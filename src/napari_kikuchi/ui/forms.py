"""Forms of magicgui's widgets, as all docks of this package look."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from magicgui.types import FileDialogMode
from magicgui.widgets import FileEdit
from magicgui.widgets.bases import ButtonWidget, Widget
from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QFormLayout,
    QFrame,
    QLabel,
    QScrollArea,
    QWidget,
)

from napari_kikuchi.scan import Scan
from napari_kikuchi.ui.narrow_choice import may_be_narrow

if TYPE_CHECKING:
    from qtpy.QtGui import QResizeEvent


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
            # napari's font is wider than the one with which Qt reckons before the form is shown.
            label.setContentsMargins(0, 0, 6, 0)
            layout.addRow(label, widget.native)
        for choice in self.findChildren(QComboBox):
            may_be_narrow(choice)
        # Whoever scrolls past a field does not mean to change it.
        for field in (*self.findChildren(QComboBox), *self.findChildren(QAbstractSpinBox)):
            field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            field.installEventFilter(self)

    def eventFilter(self, field: QObject | None, event: QEvent | None) -> bool:
        """Leave the wheel to the scroll area unless the field is being edited."""
        if (
            event is not None
            and event.type() == QEvent.Type.Wheel
            and isinstance(field, QWidget)
            and not field.hasFocus()
        ):
            event.ignore()
            return True
        return super().eventFilter(field, event)

    def show_row(self, widget: Widget, shown: bool) -> None:
        """Show or hide a widget with its label."""
        self._labels[widget].setVisible(shown)
        widget.native.setVisible(shown)


def scan_labels(scans: Sequence[Scan]) -> list[str]:
    """What to call scans in a list: by name, by folder too where names are alike."""
    names = [scan.name for scan in scans]
    labels = [
        name if names.count(name) == 1 or scan.path is None else f"{name} ({scan.path.parent})"
        for name, scan in zip(names, scans, strict=True)
    ]
    # One file opened in two ways.
    return [
        label if labels.count(label) == 1 else f"{label}, {labels[: i + 1].count(label)}"
        for i, label in enumerate(labels)
    ]


class Notice(QLabel):
    """A text of some lines that gets all the room it needs.

    A plain label with word wrap would be laid over its neighbours where a dock is too small.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setWordWrap(True)

    def tell(self, text: str) -> None:
        """Show a text; nothing is shown for an empty one."""
        self.setText(text)
        self._fit()
        self.setVisible(bool(text))

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Ask for the height that the new width demands."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        # Qt says -1 for no text.
        self.setMinimumHeight(max(0, self.heightForWidth(self.width())))


def scrolling(content: QWidget) -> QScrollArea:
    """A form that scrolls where a dock has no room for it."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(content)
    return area


def maps_field() -> FileEdit:
    """A field that says where maps go."""
    return FileEdit(
        label="maps",
        mode=FileDialogMode.OPTIONAL_FILE,
        filter="*.zarr",
        tooltip="Where the maps go: an OME-Zarr folder",
    )


def path_in(edit: FileEdit) -> Path | None:
    """The path in a field; None if it is empty."""
    # An empty field has the path ".".
    return edit.value if isinstance(edit.value, Path) and edit.value != Path() else None


def path_of(edit: FileEdit, what: str) -> Path:
    """The path in a field that must not be empty.

    Raises
    ------
    ValueError
        If the field is empty.
    """
    path = path_in(edit)
    if path is None:
        raise ValueError(f"Say {what}.")
    return path
