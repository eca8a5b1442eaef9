"""The way from an EBSD scan to the symmetry of its crystals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from napari_kikuchi.ui import SYMMETRY
from napari_kikuchi.ui.child import COMMAND
from napari_kikuchi.ui.form_dock import FormDock
from napari_kikuchi.ui.symmetry_form import SymmetryForm

if TYPE_CHECKING:
    import napari


class Symmetry(FormDock[SymmetryForm]):
    """Dock widget that maps the symmetry of a scan, and explains the map.

    Parameters
    ----------
    napari_viewer
        Whose scans are worked on.
    command
        Program that makes the maps, and its first arguments.
    """

    def __init__(
        self, napari_viewer: napari.viewer.Viewer, command: Sequence[str] = COMMAND
    ) -> None:
        super().__init__(napari_viewer, SYMMETRY, SymmetryForm, command)
