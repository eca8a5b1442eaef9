"""What a narrow choice has no room for can be read in its list and in its tooltip."""

import pytest
from qtpy.QtCore import QEvent, QPoint, Qt
from qtpy.QtGui import QHelpEvent
from qtpy.QtWidgets import QApplication, QComboBox, QToolTip

from napari_kikuchi.ui.narrow_choice import may_be_narrow

LONG = "additive (a model that was called by a long and telling name): 36 maps"


@pytest.fixture
def choice(qtbot):
    choice = QComboBox()
    qtbot.addWidget(choice)
    may_be_narrow(choice)
    choice.setToolTip("Maps to browse")
    choice.setFixedWidth(120)
    choice.addItems(["short", LONG])
    # As in Windows; the style of Linux widens a list by itself.
    choice.setStyleSheet("QComboBox { combobox-popup: 0; }")
    choice.show()
    qtbot.waitExposed(choice)
    return choice


def told(choice):
    """What the tooltip says."""
    place = QPoint(5, 5)
    event = QHelpEvent(QEvent.Type.ToolTip, place, choice.mapToGlobal(place))
    QApplication.sendEvent(choice, event)
    return QToolTip.text()


def test_the_list_shows_whole_names_and_stays_on_the_screen(choice, qtbot):
    screen = choice.screen().availableGeometry()
    choice.move(screen.right() - choice.width(), 50)
    qtbot.waitUntil(lambda: choice.x() > screen.right() - 2 * choice.width())
    qtbot.mouseClick(choice, Qt.MouseButton.LeftButton)
    view = choice.view()
    qtbot.waitUntil(view.isVisible)
    assert view.viewport().width() >= view.fontMetrics().horizontalAdvance(LONG)
    assert view.window().geometry().right() <= screen.right()
    choice.hidePopup()


def test_the_tooltip_of_a_name_that_is_cut_begins_with_all_of_it(choice):
    assert told(choice) == "Maps to browse"
    choice.setCurrentText(LONG)
    assert told(choice) == f"{LONG}\nMaps to browse"
    choice.setFixedWidth(1000)
    assert told(choice) == "Maps to browse"
