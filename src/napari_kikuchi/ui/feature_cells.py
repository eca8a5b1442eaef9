"""How the cells of the list of maps are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QModelIndex, QPoint, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QFontMetrics
from qtpy.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from napari_kikuchi.maps import Mark
from napari_kikuchi.ui.feature_table import BAR_ROLE, MARK_ROLE

if TYPE_CHECKING:
    from qtpy.QtGui import QPainter

_HIDDEN_OPACITY = 0.35
_BAR_INSET = 3
_STAR, _STAR_SIZE = "★", 18
# In pixels, below a picture.
_NAME_SIZE = 11


class Cell(QStyledItemDelegate):
    """Draws what is hidden pale."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Draw the cell."""
        painter.save()
        if index.data(MARK_ROLE) == Mark.HIDDEN:
            painter.setOpacity(_HIDDEN_OPACITY)
        super().paint(painter, option, index)
        painter.restore()

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Say what is drawn."""
        super().initStyleOption(option, index)
        # A picture would otherwise be drawn as large as it is, in a small cell, too.
        option.decorationSize = option.widget.iconSize()


class NameCell(Cell):
    """Draws a star before the name of a starred map."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Say what is drawn."""
        super().initStyleOption(option, index)
        if index.data(MARK_ROLE) == Mark.STARRED:
            option.text = f"{_STAR} {option.text}"


class PictureCell(Cell):
    """Draws a star on the picture of a starred map, whose name has no room for it."""

    def sizeHint(self, option: QStyleOptionViewItem, _: QModelIndex) -> QSize:
        """All of a place in the grid: Qt would leave a long name the width of a short one."""
        return option.widget.gridSize()

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Write names of some words small, below each other."""
        super().initStyleOption(option, index)
        option.displayAlignment = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop
        option.font.setPixelSize(_NAME_SIZE)
        option.fontMetrics = QFontMetrics(option.font)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Draw the cell, then the star."""
        super().paint(painter, option, index)
        if index.data(MARK_ROLE) == Mark.STARRED:
            painter.save()
            font = painter.font()
            font.setPixelSize(_STAR_SIZE)
            painter.setFont(font)
            corner = option.rect.topLeft() + QPoint(_STAR_SIZE // 3, _STAR_SIZE)
            # Seen on bright maps and on dark ones.
            for colour, offset in (("black", 1), ("gold", 0)):
                painter.setPen(QColor(colour))
                painter.drawText(corner + QPoint(offset, offset), _STAR)
            painter.restore()


class ScoreBar(Cell):
    """Draws a score as a bar behind its number: the eye finds where the ranking falls off."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Draw the bar, then the cell."""
        share = index.data(BAR_ROLE)
        if share:
            room = QRectF(option.rect).adjusted(_BAR_INSET, _BAR_INSET, -_BAR_INSET, -_BAR_INSET)
            room.setWidth(room.width() * share)
            colour = option.palette.highlight().color()
            colour.setAlpha(110)
            painter.fillRect(room, colour)
        super().paint(painter, option, index)
