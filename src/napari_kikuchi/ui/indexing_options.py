"""What indexing has to know: where the screen stood, the phase, and what a grain is."""

from __future__ import annotations

from magicgui.types import FileDialogMode
from magicgui.widgets import ComboBox, FileEdit
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_kikuchi.explore.orientations import GRAIN_THRESHOLD
from napari_kikuchi.physics.indexing import NICKEL, HoughIndexing
from napari_kikuchi.scan import Scan
from napari_kikuchi.ui.forms import path_of
from napari_kikuchi.ui.geometry_options import GeometryOptions, angle_field

_OF_A_FILE = "file"


class IndexingOptions(QWidget):
    """Geometry, phase and grains."""

    def __init__(self) -> None:
        super().__init__()
        self.phase = ComboBox(
            label="phase",
            choices=[("nickel", NICKEL), ("a CIF file", _OF_A_FILE)],
            tooltip="What to index: one phase",
        )
        self.cif = FileEdit(
            label="CIF file",
            mode=FileDialogMode.EXISTING_FILE,
            filter="*.cif",
            tooltip="Describes the crystal structure of the phase",
        )
        self.threshold = angle_field(
            "grain angle", "Neighbours whose orientations differ by more are different grains"
        )
        self.threshold.min = 0.1
        self.threshold.value = GRAIN_THRESHOLD
        self.geometry_options = GeometryOptions(self.phase, self.cif, self.threshold)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.geometry_options)
        self.phase.changed.connect(self._on_phase)
        self._on_phase()

    def set_scan(self, scan: Scan | None) -> None:
        """Show the geometry of this scan."""
        self.geometry_options.set_scan(scan)

    def chosen(self) -> HoughIndexing:
        """What was chosen.

        Raises
        ------
        ValueError
            If the phase is missing.
        """
        phase = self.phase.value
        if phase == _OF_A_FILE:
            phase = str(path_of(self.cif, "which CIF file describes the phase"))
        return HoughIndexing(self.geometry_options.chosen(), phase)

    def _on_phase(self) -> None:
        self.geometry_options.form.show_row(self.cif, self.phase.value == _OF_A_FILE)
