"""The phases that may be in a scan: known crystals and CIF files, with what they are."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QMenu,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.ui.crystals import CRYSTALS, cell_text, space_group_text
from napari_kikuchi.ui.forms import Notice

if TYPE_CHECKING:
    from napari_kikuchi.crystals.crystal import Crystal
    from napari_kikuchi.ui.session import Session

_HEIGHT = 80
_SOURCE = Qt.ItemDataRole.UserRole
_INVITATION = "Add the phases that may be there."
# Compiling takes half a minute where it has not been done before.
_WAIT = "Reading the crystal…"


class PhaseList(QWidget):
    """A table of phases, and buttons that add and remove them.

    Parameters
    ----------
    session
        Reads the crystals in the background.

    Attributes
    ----------
    table
        Has a row for each phase: name, space group and cell.
    notice
        Why a phase was not added.
    """

    changed = Signal()
    """Other phases are listed now."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.table = QTreeWidget()
        self.table.setHeaderLabels(["phase", "space group", "cell"])
        self.table.setRootIsDecorated(False)
        self.table.setUniformRowHeights(True)
        self.table.setFixedHeight(_HEIGHT)
        self.table.setToolTip("Each pattern is compared with all of these phases")
        header = self.table.header()
        if header is not None:
            header.setStretchLastSection(True)
            header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.add_button = QPushButton("add phase")
        self.add_button.setToolTip("Add a known crystal, or one that a CIF file describes")
        menu = QMenu(self.add_button)
        for name, source in CRYSTALS:
            menu.addAction(name, partial(self.add, source))
        menu.addSeparator()
        menu.addAction("a CIF file…", self._ask_for_file)
        self.add_button.setMenu(menu)
        self.remove_button = QPushButton("remove")
        self.remove_button.clicked.connect(self._remove)
        self.notice = Notice()
        buttons = QHBoxLayout()
        buttons.addWidget(self.add_button)
        buttons.addWidget(self.remove_button)
        buttons.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(buttons)
        layout.addWidget(self.table)
        layout.addWidget(self.notice)
        self.notice.tell(_INVITATION)
        self.table.itemSelectionChanged.connect(self._offer_remove)
        self._offer_remove()

    @property
    def phases(self) -> list[str | Path]:
        """Names of known crystals and CIF files, in the order of the table."""
        return [item.data(0, _SOURCE) for item in self._items()]

    def add(self, source: str | Path) -> None:
        """Add a phase: it is listed once it is known what it is."""
        self.notice.tell(_WAIT)
        self._session.start(
            _read(source),
            done=lambda crystal: self._list(source, crystal),
            failed=lambda error: self.notice.tell(str(error)),
        )

    def _add_files(self, paths: list[str]) -> None:
        for path in paths:
            self.add(Path(path))

    def _list(self, source: str | Path, crystal: Crystal) -> None:
        if crystal.name in [item.text(0) for item in self._items()]:
            self.notice.tell(f"A phase named {crystal.name} is listed already.")
            return
        item = QTreeWidgetItem([crystal.name, space_group_text(crystal), cell_text(crystal)])
        item.setData(0, _SOURCE, source)
        for column in range(3):
            item.setToolTip(column, f"{item.text(column)}\n{crystal.source}")
        self.table.addTopLevelItem(item)
        self._tell()

    def _remove(self) -> None:
        for item in self.table.selectedItems():
            self.table.takeTopLevelItem(self.table.indexOfTopLevelItem(item))
        self._tell()

    def _tell(self) -> None:
        self.notice.tell("" if self.phases else _INVITATION)
        self._offer_remove()
        self.changed.emit()

    def _offer_remove(self) -> None:
        chosen = bool(self.table.selectedItems())
        self.remove_button.setEnabled(chosen)
        self.remove_button.setToolTip(
            "Remove the selected phase" if chosen else "Select the phase to remove"
        )

    def _items(self) -> list[QTreeWidgetItem]:
        rows = (self.table.topLevelItem(row) for row in range(self.table.topLevelItemCount()))
        return [item for item in rows if item is not None]

    def _ask_for_file(self) -> None:
        dialog = QFileDialog(self, "Which CIF file describes the phase?", "", "Crystals (*.cif)")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(self._add_files)
        dialog.open()


def _read(source: str | Path) -> Job[Crystal]:
    from napari_kikuchi.crystals.crystal import open_crystal

    yield Progress(0, 0, "Reading the crystal")
    return open_crystal(source)
