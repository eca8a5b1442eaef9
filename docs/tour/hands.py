"""What a hand does in napari's window: menus, buttons, lists, strokes on the map."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDockWidget,
    QFileDialog,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QTabBar,
    QWidget,
)

from napari_kikuchi.ui import PLUGIN
from napari_kikuchi.ui.child import JobState
from napari_kikuchi.ui.launch import let_work, wait_until
from napari_kikuchi.ui.pattern_viewer import PatternViewer

if TYPE_CHECKING:
    from pathlib import Path

    import napari
    from numpy.typing import NDArray
    from qtpy.QtCore import QModelIndex
    from qtpy.QtWidgets import QAbstractItemView

    from napari_kikuchi.ui.job_panel import JobPanel
    from napari_kikuchi.ui.plot import Plot

_CHILDREN = Qt.FindChildOption.FindDirectChildrenOnly
_LEFT = Qt.MouseButton.LeftButton
# Between two movements: a menu opens, a list scrolls.
_PAUSE_MS = 100
# A pattern that is simulated beside the measured one comes after it.
_SHOWN_MS = 500
# In scan positions, between two places of the mouse while it draws.
_STRIDE = 0.5


class Hands:
    """Uses a viewer as a person does: by what is seen in its window.

    Parameters
    ----------
    viewer
        Its window is on the screen.
    """

    def __init__(self, viewer: napari.Viewer) -> None:
        self.viewer = viewer
        self.window: Any = viewer.window._qt_window
        self._canvas = viewer.window._qt_viewer.canvas
        self.canvas: QWidget = self._canvas.native

    def dock(self, kind: type) -> Any:
        """The widget of this kind in the window."""
        return next(w for w in self.viewer.window.dock_widgets.values() if isinstance(w, kind))

    # ------------------------------------------------------------------ widgets

    def open_menu(self, *titles: str) -> None:
        """Open menus, from that in the menu bar, until the last title is seen."""
        menu: Any = self.window.menuBar()
        for title in titles[:-1]:
            menu = self._click_in(menu, title).menu()
        self._action(menu, titles[-1])
        self._menu = menu

    def choose(self, title: str) -> None:
        """Click what the open menu offers."""
        self._click_in(self._menu, title)

    def leave_menu(self) -> None:
        """Close the open menu."""
        QTest.keyClick(self._menu, Qt.Key.Key_Escape)
        let_work(_PAUSE_MS)

    def open_dock(self, title: str) -> None:
        """Open one of this plugin's docks from the menu of plugins."""
        named = f"{title} ({PLUGIN})"
        self.open_menu("Plugins", PLUGIN, named)
        self.choose(named)

    def frame(self, kind: type) -> QDockWidget:
        """The dock around the widget of this kind."""
        dock = self.dock(kind).parent()
        while not isinstance(dock, QDockWidget):
            dock = dock.parent()
        return dock

    def bring(self, kind: type) -> None:
        """Bring the dock of the widget of this kind before others that share its place."""
        title = self.frame(kind).windowTitle()
        for tabs in self.window.findChildren(QTabBar, options=_CHILDREN):
            if any(tabs.tabText(i) == title for i in range(tabs.count())):
                self.turn_to(tabs, title)

    def close_dock(self, kind: type) -> None:
        """Close the dock of the widget of this kind."""
        self.bring(kind)
        title_bar = self.frame(kind).titleBarWidget()
        self.click(title_bar.findChild(QPushButton, "QTitleBarCloseButton"))

    def dismiss(self) -> None:
        """Close the messages in the corner of the map."""

        def none_left() -> bool:
            buttons = self.window.findChildren(QPushButton, "close_button")
            for button in buttons:
                # One that is just coming or fading away may miss a click.
                QTest.mouseClick(button, _LEFT)
            let_work(_PAUSE_MS)
            return not buttons

        wait_until(none_left, "the map without messages")

    def read_message(self) -> None:
        """Wait for a message in the corner of the map, and close it."""
        wait_until(lambda: self.window.findChildren(QPushButton, "close_button"), "a message")
        self.dismiss()

    def _click_in(self, menu: Any, title: str) -> Any:
        action = self._action(menu, title)
        place = menu.actionGeometry(action).center()
        QTest.mouseMove(menu, place)
        QTest.mouseClick(menu, _LEFT, pos=place)
        let_work(_PAUSE_MS)
        return action

    def _action(self, menu: Any, title: str) -> Any:
        actions = {one.text().replace("&", ""): one for one in menu.actions()}
        if title not in actions:
            raise LookupError(f"the menu offers {', '.join(actions)}, but not {title}")
        return actions[title]

    def click(self, button: QAbstractButton) -> None:
        """Click a button, which must be there to be clicked."""
        # What is in a tab behind others is visible to Qt.
        if button.visibleRegion().isEmpty() or not button.isEnabled():
            raise RuntimeError(f"{button.text()} cannot be clicked: {button.toolTip()}")
        # A checkbox answers where its box is, however wide it is.
        QTest.mouseClick(button, _LEFT, pos=QPoint(10, button.height() // 2))
        let_work(_PAUSE_MS)

    def run(self, panel: JobPanel, patience_s: float) -> None:
        """Click the button of a panel and wait until its job is done."""
        ended: list[JobState] = []
        panel.ended.connect(lambda: ended.append(panel.job.state))
        self.click(panel.button)
        wait_until(lambda: ended, "the maps", patience_s)
        if ended != [JobState.DONE]:
            raise RuntimeError(panel.message.text())

    def scroll_to(self, widget: QWidget) -> None:
        """Scroll what holds a widget until that is seen."""
        around = widget.parentWidget()
        while not isinstance(around, QScrollArea):
            around = around.parentWidget()
        around.ensureWidgetVisible(widget)
        let_work(_PAUSE_MS)

    def open_list(self, box: QComboBox) -> None:
        """Open the list of a choice."""
        QTest.mouseClick(box, _LEFT)
        # Sooner, Qt takes a click for the end of the one that opened the list.
        let_work(QApplication.doubleClickInterval() + _PAUSE_MS)

    def pick(self, box: QComboBox, text: str) -> None:
        """Pick an entry of the list that is open."""
        index = box.model().index(box.findText(text), box.modelColumn(), box.rootModelIndex())
        self.click_row(box.view(), index)

    def click_row(self, view: QAbstractItemView, index: QModelIndex) -> None:
        """Click an entry of a list or a table."""
        view.scrollTo(index)
        QTest.mouseClick(view.viewport(), _LEFT, pos=view.visualRect(index).center())
        let_work(_PAUSE_MS)

    def turn_to(self, tabs: QTabBar, title: str) -> None:
        """Click a tab."""
        number = next(i for i in range(tabs.count()) if title in tabs.tabText(i))
        QTest.mouseClick(tabs, _LEFT, pos=tabs.tabRect(number).center())
        let_work(_PAUSE_MS)

    def key(self, key: str | Qt.Key) -> None:
        """Press a key over the map."""
        QTest.keyClick(self.canvas, key)
        let_work(_PAUSE_MS)

    def answer(self, asking: QWidget, path: Path) -> None:
        """Type a file's name into the dialog that a widget has opened, and save."""
        wait_until(lambda: asking.findChildren(QFileDialog), "a file dialog")
        (dialog,) = asking.findChildren(QFileDialog)
        name = dialog.findChild(QLineEdit, "fileNameEdit")
        # Were it typed, what Qt offers to complete it would catch the key that follows.
        name.setText(str(path))
        QTest.keyClick(name, Qt.Key.Key_Return)
        wait_until(lambda: not asking.findChildren(QFileDialog), "the window again")

    def encircle(self, plot: Plot, outline: NDArray[np.floating]) -> None:
        """Draw over a plot with the button held, through places (n, 2) in shares of its axes."""
        (axes,) = plot.figure.axes
        places = axes.transAxes.transform(outline) / plot.device_pixel_ratio
        points = [QPoint(round(x), round(plot.height() - y)) for x, y in places]
        QTest.mousePress(plot, _LEFT, pos=points[0])
        for point in points[1:]:
            QTest.mouseMove(plot, point)
            let_work(1)
        QTest.mouseRelease(plot, _LEFT, pos=points[-1])
        let_work(_PAUSE_MS)

    # ------------------------------------------------------------------ the map

    def show(self, *names: str) -> None:
        """Let these maps and labels be seen, and no others."""
        for layer in self.viewer.layers:
            if isinstance(layer, Image | Labels):
                layer.visible = layer.name in names
        let_work(_PAUSE_MS)

    def point_at(self, position: tuple[float, float]) -> None:
        """Move the mouse to a scan position."""
        QTest.mouseMove(self.canvas, self.place(position))
        let_work(_PAUSE_MS)

    def click_at(self, position: tuple[float, float]) -> None:
        """Click on a scan position, once."""
        self.point_at(position)
        QTest.mouseClick(self.canvas, _LEFT, pos=self.place(position))
        let_work(QApplication.doubleClickInterval() + _PAUSE_MS)

    def hold_pattern(self, position: tuple[int, int], patience_s: float) -> None:
        """Click on a scan position, whose pattern then stays in the pattern viewer."""
        self.click_at(position)
        row, col = position
        patterns = self.dock(PatternViewer)
        wait_until(
            lambda: f"row {row}, column {col}" in patterns.position.text(),
            "the pattern",
            patience_s,
        )
        let_work(_SHOWN_MS)

    def drag(self, corners: Sequence[tuple[float, float]]) -> None:
        """Draw from one scan position to the next with the button held."""
        QTest.mouseMove(self.canvas, self.place(corners[0]))
        QTest.mousePress(self.canvas, _LEFT, pos=self.place(corners[0]))
        for one, other in pairwise(np.array(corners, float)):
            strides = max(1, round(np.abs(other - one).max() / _STRIDE))
            # Docks may change their size meanwhile, and with them the place on the canvas.
            for position in np.linspace(one, other, strides + 1)[1:]:
                QTest.mouseMove(self.canvas, self.place(position))
                let_work(1)
        QTest.mouseRelease(self.canvas, _LEFT, pos=self.place(corners[-1]))
        let_work(_PAUSE_MS)

    def place(self, position: tuple[float, float]) -> QPoint:
        """Where on the canvas a scan position is."""
        row, col = self.viewer.layers[0].data_to_world(position)
        x, y, *_ = self._canvas.view.scene.transform.map((col, row))
        return QPoint(round(x), round(y))
