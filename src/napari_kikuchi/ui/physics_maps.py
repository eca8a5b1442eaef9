"""The way from a scan to what classical methods say of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from napari_kikuchi.ui import PHYSICS_MAPS
from napari_kikuchi.ui.child import COMMAND
from napari_kikuchi.ui.form_dock import FormDock
from napari_kikuchi.ui.physics_form import PhysicsForm

if TYPE_CHECKING:
    import napari


class PhysicsMaps(FormDock[PhysicsForm]):
    """Dock widget with the form of the physics maps of a scan.

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
        super().__init__(napari_viewer, PHYSICS_MAPS, PhysicsForm, command)
