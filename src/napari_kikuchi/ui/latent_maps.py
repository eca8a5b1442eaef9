"""The way from a scan to its latent maps: a first look, or prepare, train and encode."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_info
from qtpy.QtCore import QEvent, QTimer
from qtpy.QtWidgets import QComboBox, QFormLayout, QTabWidget, QVBoxLayout, QWidget

from napari_kikuchi.scan import Scan
from napari_kikuchi.ui import LATENT_MAPS, PLUGIN
from napari_kikuchi.ui.child import COMMAND
from napari_kikuchi.ui.encode_form import EncodeForm
from napari_kikuchi.ui.first_look import FirstLook
from napari_kikuchi.ui.forms import scan_labels, scrolling
from napari_kikuchi.ui.prepare_form import PrepareForm
from napari_kikuchi.ui.session import session_of
from napari_kikuchi.ui.train_form import TrainForm

if TYPE_CHECKING:
    import napari

_WIDTH = 340


class LatentMaps(QWidget):
    """Dock widget with all that is done to a scan before its maps are looked at.

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
        super().__init__()
        self.session = session_of(napari_viewer)
        self._scans: list[Scan] = []
        self.setMinimumWidth(_WIDTH)
        self.choice = QComboBox()
        self.choice.setToolTip("Scan to work on: those behind the layers of this viewer")
        self.choice.currentIndexChanged.connect(self._on_choice)
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
        choice = QFormLayout()
        choice.addRow("scan", self.choice)
        layout = QVBoxLayout(self)
        layout.addLayout(choice)
        layout.addWidget(self.first_look)
        layout.addWidget(self.tabs, 1)
        self.train.trained.connect(lambda path: self.encode.model.choose(Path(path)))
        layers = self.session.viewer.layers
        handlers: list[tuple[Any, Any]] = [
            (layers.events.inserted, self._collect),
            (layers.events.removed, self._collect),
            (self.session.link_changed, self._collect),
        ]
        for signal, handler in handlers:
            signal.connect(handler)
        self.destroyed.connect(lambda: [s.disconnect(h) for s, h in handlers])
        self._collect()

    def changeEvent(self, event: QEvent | None) -> None:
        """A dock that is closed during its work is only hidden: napari has let it go."""
        super().changeEvent(event)
        closed = event is not None and event.type() == QEvent.Type.ParentChange
        if closed and self.parent() is None and self._busy:
            QTimer.singleShot(0, lambda: self._dock_hidden())

    @property
    def _busy(self) -> bool:
        panels = (self.first_look.panel, self.train.panel, self.encode.panel)
        return any(panel.job.active for panel in panels)

    def _dock_hidden(self) -> None:
        # Under the name that napari gives it, by which the menu finds it.
        dock = self.session.viewer.window.add_dock_widget(self, name=f"{LATENT_MAPS} ({PLUGIN})")
        dock.hide()
        show_info(f"The work goes on. {LATENT_MAPS}, in the menu of plugins, shows it again.")

    @property
    def scan(self) -> Scan | None:
        """The scan that is worked on."""
        choice = self.choice.currentIndex()
        return self._scans[choice] if 0 <= choice < len(self._scans) else None

    def _collect(self, *_: Any) -> None:
        scans = self.session.scans()
        if scans == self._scans and scans:
            return
        current = self.scan
        self._scans = scans
        self.choice.blockSignals(True)
        self.choice.clear()
        self.choice.addItems(scan_labels(scans) or ["open a scan first"])
        self.choice.setEnabled(bool(scans))
        if current in scans:
            self.choice.setCurrentIndex(scans.index(current))
        self.choice.blockSignals(False)
        self._on_choice()

    def _on_choice(self, *_: Any) -> None:
        self.first_look.set_scan(self.scan)
        self.prepare.set_scan(self.scan)
        self.train.set_scans(self._scans, self.scan)
        self.encode.set_scan(self.scan)
