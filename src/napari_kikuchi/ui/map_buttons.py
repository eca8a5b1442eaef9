"""What can be done with the map that is chosen: by button, by key and by menu."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import ref

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QAction, QKeyEvent
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QWidget

if TYPE_CHECKING:
    import napari
    from qtpy.QtGui import QHideEvent, QShowEvent

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class KeyedButton(QPushButton):
    """A button whose tooltip names the key that presses it.

    Attributes
    ----------
    key
        Its letter.
    action
        Presses the button from a menu.
    """

    def __init__(self, text: str, key: str, tip: str) -> None:
        super().__init__(text)
        self.key = key
        self._tip = f"{tip} ({key})"
        # What follows a tab stands where menus show keys.
        self.action = QAction(f"{text}\t{key}", self)
        self.action.triggered.connect(self.click)

    def offer(self, can: bool, why_not: str = "") -> None:
        """Say whether the button can be pressed, or why not."""
        self.setToolTip(why_not or self._tip)
        for offered in (self, self.action):
            offered.setEnabled(can)

    def tick(self, done: bool) -> None:
        """Say whether it holds already what the button does."""
        for offered in (self, self.action):
            offered.setCheckable(True)
            offered.setChecked(done)


class MapButtons(QWidget):
    """The buttons; their keys work in the viewer, too, while they are to be seen.

    Parameters
    ----------
    viewer
        In which the keys work.
    """

    def __init__(self, viewer: napari.components.ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        # Of none of napari's layers: keys of the selected layer come before those of the viewer.
        self.previous = KeyedButton("◀", ",", "Previous map in the list")
        self.next = KeyedButton("▶", ".", "Next map in the list")
        self.star = KeyedButton("★ Star", "k", "Star this map, or take its star away")
        self.hide_map = KeyedButton("Hide", "h", "Hide this map from the list, or list it again")
        self.add = KeyedButton("Add as layer", "Enter", "Keep this map as a layer of its own")
        keyed = (self.previous, self.next, self.star, self.hide_map)
        self._keyed = {button.key: button for button in keyed}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for button in (*keyed, self.add):
            row.addWidget(button)

    def serve(self, widget: QWidget) -> None:
        """Let the keys work in a widget, which would search for what begins with them."""
        widget.installEventFilter(self)

    def offer_menu(self, widget: QWidget) -> None:
        """Let a right click offer what can be done."""
        widget.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        widget.addActions([button.action for button in (self.star, self.hide_map, self.add)])

    def showEvent(self, event: QShowEvent | None) -> None:
        """Let the keys work in the viewer."""
        super().showEvent(event)
        for key, button in self._keyed.items():
            self._viewer.bind_key(key, _clicks(button), overwrite=True)

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Let the keys go: napari hides and forgets a dock that is closed."""
        super().hideEvent(event)
        for key in self._keyed:
            self._viewer.bind_key(key, None)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Press the button of a key."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            button = self.add if event.key() in _ENTER else self._keyed.get(event.text())
            if button is not None:
                # A key that is held steps on and on, but stars or hides one map only.
                if not event.isAutoRepeat() or button in (self.previous, self.next):
                    button.click()
                return True
        return super().eventFilter(watched, event)


def _clicks(button: KeyedButton) -> Callable[[Any], None]:
    """A key's function that clicks a button, unless that is gone or in a tab behind others."""
    reference = ref(button)

    def act(_: Any) -> None:
        alive = reference()
        if alive is not None and not alive.visibleRegion().isEmpty():
            alive.click()

    return act
