"""The virtual detectors of a scan, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtWidgets import QListWidget, QListWidgetItem

from napari_kikuchi.ui.detector_drawing import colour_of
from napari_kikuchi.ui.swatch import SWATCH, swatch

if TYPE_CHECKING:
    from napari_kikuchi.orientation.round_detectors import RoundDetector

_HEIGHT = 78
# Between the name of a detector and its radii.
_BETWEEN = "  ·  "


class DetectorList(QListWidget):
    """Names, colours and radii; names can be changed."""

    chosen = Signal(int)
    """The number of the detector that has been chosen."""
    renamed = Signal(int, str)
    """The number of a detector and the name that was typed for it."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(_HEIGHT)
        self.setIconSize(QSize(SWATCH, SWATCH))
        self.setToolTip("The detectors; a double click renames one and its map")
        self.currentRowChanged.connect(self.chosen)
        self.itemChanged.connect(self._on_changed)

    def show_detectors(
        self, detectors: Sequence[RoundDetector], told: Sequence[str], chosen: int
    ) -> None:
        """List these.

        Parameters
        ----------
        detectors
            From top to bottom.
        told
            How large each is.
        chosen
            Which is selected.
        """
        self.blockSignals(True)
        while self.count() > len(detectors):
            self.takeItem(self.count() - 1)
        while self.count() < len(detectors):
            item = QListWidgetItem(swatch(colour_of(self.count())), "")
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
            self.addItem(item)
        for index, (one, size) in enumerate(zip(detectors, told, strict=True)):
            item = self.item(index)
            assert item is not None
            item.setText(f"{one.name}{_BETWEEN}{size}")
        self.setCurrentRow(chosen)
        self.blockSignals(False)

    def _on_changed(self, item: QListWidgetItem) -> None:
        name = item.text().split(_BETWEEN.strip())[0].strip()
        self.renamed.emit(self.row(item), name)
