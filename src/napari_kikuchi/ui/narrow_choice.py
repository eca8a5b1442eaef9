"""Choices that may be narrower than their entries, which can be read all the same."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, QPoint
from qtpy.QtGui import QHelpEvent
from qtpy.QtWidgets import QComboBox, QStyle, QStyleOptionComboBox, QToolTip

# In pixels, around the entries of a list.
_PADDING = 16


def may_be_narrow(choice: QComboBox, letters: int = 8) -> None:
    """Let a choice be narrower than its entries.

    As wide as its longest entry, a path perhaps, it would not fit into a dock. Its list is as wide
    as that, and the tooltip of a choice that is cut begins with all of it.

    Parameters
    ----------
    choice
        Of names, from now on.
    letters
        That it shows at least.
    """
    choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    choice.setMinimumContentsLength(letters)
    _Reader(choice)


class _Reader(QObject):
    """Shows what there is no room for; lives as long as its choice."""

    def __init__(self, choice: QComboBox) -> None:
        super().__init__(choice)
        choice.installEventFilter(self)
        # The window in which Qt shows the list.
        choice.view().window().installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Widen a list that is about to be shown; tell a name that is cut."""
        choice = self.parent()
        if event is None or not isinstance(choice, QComboBox):
            return False
        if watched is not choice:
            if event.type() == QEvent.Type.Show:
                _widen_list(choice)
        elif isinstance(event, QHelpEvent) and _is_cut(choice):
            _tell_all(choice, event.globalPos())
            return True
        return False


def _widen_list(choice: QComboBox) -> None:
    """Some styles leave a list the width of its choice."""
    metrics, window = choice.view().fontMetrics(), choice.view().window()
    texts = (choice.itemText(i) for i in range(choice.count()))
    longest = max(map(metrics.horizontalAdvance, texts), default=0)
    beside = choice.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent) + _PADDING
    width = max(window.width(), longest + beside)
    screen = choice.screen().availableGeometry()
    left = max(screen.left(), min(window.x(), screen.right() + 1 - width))
    window.setGeometry(left, window.y(), width, window.height())


def _tell_all(choice: QComboBox, place: QPoint) -> None:
    told = filter(None, (choice.currentText(), choice.toolTip()))
    QToolTip.showText(place, "\n".join(told), choice)


def _is_cut(choice: QComboBox) -> bool:
    option = QStyleOptionComboBox()
    choice.initStyleOption(option)
    box, text = QStyle.ComplexControl.CC_ComboBox, QStyle.SubControl.SC_ComboBoxEditField
    room = choice.style().subControlRect(box, option, text, choice)
    return choice.fontMetrics().horizontalAdvance(option.currentText) > room.width()
