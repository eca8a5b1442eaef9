"""A dock that works on one of the open scans."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_info
from qtpy.QtCore import QEvent, QTimer
from qtpy.QtWidgets import QComboBox, QFormLayout, QVBoxLayout, QWidget

from napari_kikuchi.scan import Scan
from napari_kikuchi.ui import PLUGIN
from napari_kikuchi.ui.docking import share_height
from napari_kikuchi.ui.forms import scan_labels
from napari_kikuchi.ui.listening import listen
from napari_kikuchi.ui.narrow_choice import may_be_narrow
from napari_kikuchi.ui.session import session_of

if TYPE_CHECKING:
    import napari

    from napari_kikuchi.ui.job_panel import JobPanel

_WIDTH = 340


class ScanDock(QWidget):
    """Lets the user choose a scan; what is done to it stands below the choice.

    Parameters
    ----------
    napari_viewer
        Whose scans are worked on.
    title
        Of the dock, as the manifest names it.

    Attributes
    ----------
    session
        Of the viewer.
    scans
        The open scans.
    choice
        Names them.
    content
        Layout below the choice.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer, title: str) -> None:
        super().__init__()
        self.session = session_of(napari_viewer)
        self.scans: list[Scan] = []
        self._title = title
        self.setMinimumWidth(_WIDTH)
        self.choice = QComboBox()
        may_be_narrow(self.choice)
        self.choice.setToolTip("Scan to work on: those behind the layers of this viewer")
        self.choice.currentIndexChanged.connect(self._on_choice)
        choice = QFormLayout()
        choice.addRow("scan", self.choice)
        self.content = QVBoxLayout(self)
        self.content.addLayout(choice)

    @property
    def scan(self) -> Scan | None:
        """The scan that is worked on."""
        choice = self.choice.currentIndex()
        return self.scans[choice] if 0 <= choice < len(self.scans) else None

    @property
    @abstractmethod
    def panels(self) -> Sequence[JobPanel]:
        """What may be at work."""

    @abstractmethod
    def set_scan(self, scan: Scan | None) -> None:
        """Work on this scan: another has been chosen, or the open scans are others."""

    def follow_scans(self) -> None:
        """Offer the scans that are open, from now on: the content is in its place."""
        layers = self.session.viewer.layers
        handlers = [
            (layers.events.inserted, self._collect),
            (layers.events.removed, self._collect),
            (self.session.link_changed, self._collect),
        ]
        listen(self, handlers)
        self._collect()
        share_height(self)

    def changeEvent(self, event: QEvent | None) -> None:
        """A dock that is closed during its work is only hidden: napari has let it go."""
        super().changeEvent(event)
        closed = event is not None and event.type() == QEvent.Type.ParentChange
        if closed and self.parent() is None and any(panel.job.active for panel in self.panels):
            QTimer.singleShot(0, lambda: self._dock_hidden())

    def _dock_hidden(self) -> None:
        # Under the name that napari gives it, by which the menu finds it.
        dock = self.session.viewer.window.add_dock_widget(self, name=f"{self._title} ({PLUGIN})")
        dock.hide()
        show_info(f"The work goes on. {self._title}, in the menu of plugins, shows it again.")

    def _collect(self, *_: Any) -> None:
        scans = self.session.scans()
        if scans == self.scans and scans:
            return
        current = self.scan
        self.scans = scans
        self.choice.blockSignals(True)
        self.choice.clear()
        self.choice.addItems(scan_labels(scans) or ["open a scan first"])
        self.choice.setEnabled(bool(scans))
        if current in scans:
            self.choice.setCurrentIndex(scans.index(current))
        self.choice.blockSignals(False)
        self._on_choice()

    def _on_choice(self, *_: Any) -> None:
        self.set_scan(self.scan)
