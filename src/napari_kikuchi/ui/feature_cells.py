"""How the cells of the list of maps are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QModelIndex, QPoint, QRectF
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from napari_kikuchi.maps import Mark
from napari_kikuchi.ui.feature_table import BAR_ROLE, MARK_ROLE

if TYPE_CHECKING:
    from qtpy.QtGui import QPainter

_HIDDEN_OPACITY = 0.35
_BAR_INSET = 3
_STAR, _STAR_SIZE = "★", 18


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
    """Draws a star on the picture of a starred map, whose name fills its line."""

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
