"""The way from a scan to its latent maps: a first look, or prepare, train and encode."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QTabWidget

from napari_kikuchi.scan import Scan
from napari_kikuchi.ui import LATENT_MAPS
from napari_kikuchi.ui.child import COMMAND
from napari_kikuchi.ui.encode_form import EncodeForm
from napari_kikuchi.ui.first_look import FirstLook
from napari_kikuchi.ui.forms import scrolling
from napari_kikuchi.ui.prepare_form import PrepareForm
from napari_kikuchi.ui.scan_dock import ScanDock
from napari_kikuchi.ui.train_form import TrainForm

if TYPE_CHECKING:
    import napari

    from napari_kikuchi.ui.job_panel import JobPanel


class LatentMaps(ScanDock):
    """Dock widget with all that is done to a scan before its latent maps are looked at.

    Parameters
    ----------
    napari_viewer
        Whose scans are worked on.
    command
        Program that trains and encodes, and its first arguments.
    """

    def __init__(
        self, napari_viewer: napari.viewer.Viewer, command: Sequence[str] = COMMAND
    ) -> None:
        super().__init__(napari_viewer, LATENT_MAPS)
        self.first_look = FirstLook(self.session, command)
        self.prepare = PrepareForm(self.session)
        self.train = TrainForm(self.session, command)
        self.encode = EncodeForm(self.session, command)
        self.tabs = QTabWidget()
        for form, title in (
            (self.prepare, "1  Prepare"),
            (self.train, "2  Train"),
            (self.encode, "3  Encode"),
        ):
            self.tabs.addTab(scrolling(form), title)
        self.content.addWidget(self.first_look)
        self.content.addWidget(self.tabs, 1)
        self.train.trained.connect(lambda path: self.encode.model.choose(Path(path)))
        self.follow_scans()

    @property
    def panels(self) -> Sequence[JobPanel]:
        """What may be at work."""
        return self.first_look.panel, self.train.panel, self.encode.panel

    def set_scan(self, scan: Scan | None) -> None:
        """Work on this scan: another has been chosen, or the open scans are others."""
        self.first_look.set_scan(scan)
        self.prepare.set_scan(scan)
        self.train.set_scans(self.scans, scan)
        self.encode.set_scan(scan)
