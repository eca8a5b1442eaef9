"""Telling the user what went wrong, and what can be done."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from napari.utils.notifications import show_error
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QInputDialog, QMessageBox, QWidget


def tell_error(error: Exception) -> None:
    """Show an error's message as a napari notification."""
    show_error(str(error) or type(error).__name__)


def explain(parent: QWidget | None, title: str, error: Exception) -> None:
    """Tell at length why something that the user asked for cannot be done; returns at once.

    A notification would be gone after seconds and show one line; this stays until it is read.

    Parameters
    ----------
    parent
        The window it belongs to; where there is none, a notification has to do.
    title
        What cannot be done.
    error
        Its message says why.
    """
    if parent is None:
        tell_error(error)
    else:
        _box(parent, title, str(error)).open()


def offer(
    parent: QWidget | None, title: str, message: str, action: str, accept: Callable[[], None]
) -> QMessageBox:
    """Tell of a problem that one action can mend; returns at once.

    Parameters
    ----------
    parent
        The window it belongs to.
    title, message
        What happened.
    action
        Text of the button that mends it.
    accept
        Called when that button is pressed.
    """
    box = _box(parent, title, message)
    button = box.addButton(action, QMessageBox.ButtonRole.AcceptRole)
    box.addButton(QMessageBox.StandardButton.Cancel)
    button.clicked.connect(lambda: accept())
    box.open()
    return box


def _box(parent: QWidget | None, title: str, message: str) -> QMessageBox:
    box = QMessageBox(QMessageBox.Icon.Warning, title, message, parent=parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return box


def choose(
    parent: QWidget | None,
    title: str,
    message: str,
    choices: Sequence[str],
    accept: Callable[[str], None],
) -> QInputDialog:
    """Ask for one of several things; returns at once.

    Parameters
    ----------
    parent
        The window it belongs to.
    title, message
        What is asked.
    choices
        The first is offered as the default.
    accept
        Called with the choice.
    """
    dialog = QInputDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle(title)
    dialog.setLabelText(message)
    dialog.setComboBoxItems(list(choices))
    dialog.textValueSelected.connect(accept)
    dialog.open()
    return dialog
