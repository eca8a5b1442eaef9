"""The table in which scans are ticked that are to be seen together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QHeaderView, QTreeWidget, QTreeWidgetItem

from napari_kikuchi.explore.several_scans import IncomparableError, comparable

if TYPE_CHECKING:
    from qtpy.QtGui import QShowEvent

    from napari_kikuchi.ui.scan_maps import ScanMaps

_COLUMNS = ("scan", "positions", "step, µm", "maps", "made by")
_STRETCHED = ("scan", "made by")
_ROWS_SEEN = 5


class ScanTable(QTreeWidget):
    """Lists stacks of maps, each with a check box.

    Attributes
    ----------
    listed
        The stacks, from top to bottom.
    boxes
        Their check boxes.
    """

    changed = Signal()
    """Other scans are ticked."""

    def __init__(self) -> None:
        super().__init__()
        self.listed: list[ScanMaps] = []
        self.boxes: list[QCheckBox] = []
        self.setHeaderLabels(_COLUMNS)
        self.setRootIsDecorated(False)
        self.setSelectionMode(QTreeWidget.SelectionMode.NoSelection)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.header()
        header.setStretchLastSection(False)
        for column, name in enumerate(_COLUMNS):
            stretched = name in _STRETCHED
            mode = QHeaderView.ResizeMode
            header.setSectionResizeMode(
                column, mode.Stretch if stretched else mode.ResizeToContents
            )

    @property
    def ticked(self) -> list[ScanMaps]:
        """The stacks that are ticked, in the order of the table."""
        return [maps for maps, box in zip(self.listed, self.boxes, strict=True) if box.isChecked()]

    def list_scans(self, listed: Sequence[ScanMaps]) -> None:
        """List these stacks; new ones are ticked if they can be compared with those that are."""
        ticked = {maps.stack for maps in self.ticked}
        known = {maps.stack for maps in self.listed}
        self.clear()
        self.listed, self.boxes = list(listed), []
        for maps in listed:
            others = [one for one in listed if one.stack in ticked]
            if maps.stack not in known and _fits(maps, others):
                ticked.add(maps.stack)
            self._add_row(maps, maps.stack in ticked)
        self._fit_height()
        self.changed.emit()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Take the height that the rows have in napari's style."""
        super().showEvent(event)
        self._fit_height()

    def _add_row(self, maps: ScanMaps, ticked: bool) -> None:
        item = QTreeWidgetItem(self, ["", *_texts(maps)])
        # The tree's own boxes have no outline in napari's style.
        box = QCheckBox(maps.source.name)
        box.setChecked(ticked)
        box.toggled.connect(lambda _: self.changed.emit())
        self.setItemWidget(item, 0, box)
        item.setSizeHint(0, box.sizeHint())
        box.setToolTip(_told(maps))
        for column in range(1, len(_COLUMNS)):
            item.setToolTip(column, _told(maps))
        self.boxes.append(box)

    def _fit_height(self) -> None:
        """As high as the rows, up to some."""
        height = max((box.sizeHint().height() for box in self.boxes), default=0)
        rows = min(max(len(self.boxes), 1), _ROWS_SEEN)
        self.setFixedHeight(
            self.header().sizeHint().height() + rows * (height + 2) + 2 * self.frameWidth()
        )


def _fits(maps: ScanMaps, ticked: Sequence[ScanMaps]) -> bool:
    try:
        comparable([one.stack for one in (*ticked, maps)])
    except IncomparableError:
        return not ticked
    return True


def _texts(maps: ScanMaps) -> list[str]:
    rows, cols = maps.stack.map_shape
    down, right = maps.stack.step
    step = f"{down:g}" if down == right else f"{down:g} × {right:g}"
    return [f"{rows} × {cols}", step, str(len(maps.stack)), maps.made_by]


def _told(maps: ScanMaps) -> str:
    place = maps.stack.path or maps.source.path
    name = maps.source.name
    return f"{name}, maps by {maps.made_by}" + (f"\n{place}" if place is not None else "")
