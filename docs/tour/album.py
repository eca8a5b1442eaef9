"""Pictures of the steps of a tour, and how long each step took."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from PIL import Image, ImageQt
from qtpy.QtCore import QPoint, QRect
from qtpy.QtGui import QGuiApplication

from napari_kikuchi.ui.launch import let_work

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

_SETTLED_MS = 400
# A window of greys and blues looks the same in so many colours, in a third of the bytes.
_COLOURS = 256
_FIGURE_WIDTH = 1000


@dataclass(frozen=True)
class Step:
    """One step of a tour.

    Attributes
    ----------
    picture
        Of the window after it.
    seconds
        That it took, without those for the picture.
    """

    picture: Path
    seconds: float


class Album:
    """Takes pictures of a window, with the menus and dialogs before it.

    Parameters
    ----------
    folder
        For the pictures.
    window
        On the screen.

    Attributes
    ----------
    steps
        Taken so far.
    """

    def __init__(self, folder: Path, window: QWidget) -> None:
        self._folder = folder
        self._window = window
        self.steps: list[Step] = []
        self._since = monotonic()

    def take(self, name: str, *parts: QWidget) -> None:
        """A step is done: take its picture, of the whole window or of these parts of it."""
        seconds = monotonic() - self._since
        let_work(_SETTLED_MS)
        screen = QGuiApplication.primaryScreen()
        assert screen is not None
        seen = self._window.frameGeometry()
        if parts:
            seen = reduce(QRect.united, map(_place, parts))
        grabbed = screen.grabWindow(0, seen.x(), seen.y(), seen.width(), seen.height())
        path = self._folder / f"{name}.png"
        _write(ImageQt.fromqpixmap(grabbed), path)
        self.steps.append(Step(path, seconds))
        self._since = monotonic()

    def keep(self, figure: Path, name: str) -> None:
        """Put an exported figure among the pictures, small enough for a page."""
        with Image.open(figure) as picture:
            picture.thumbnail((_FIGURE_WIDTH, picture.height))
            _write(picture, self._folder / f"{name}.png")


def _place(part: QWidget) -> QRect:
    """Where a part of the window is on the screen."""
    return QRect(part.mapToGlobal(QPoint(0, 0)), part.size())


def _write(picture: Image.Image, path: Path) -> None:
    """Write a picture with few colours."""
    few = picture.convert("RGB").quantize(_COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=3)
    few.save(path, optimize=True)
