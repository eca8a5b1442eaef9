"""Walls and cells, domains and clusters: maps divided, shown as labels, and told in figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFormLayout, QTabWidget, QVBoxLayout, QWidget

from napari_kikuchi.ui.clusters_page import ClustersPage
from napari_kikuchi.ui.docking import give_room
from napari_kikuchi.ui.domains_page import DomainsPage
from napari_kikuchi.ui.forms import scrolling
from napari_kikuchi.ui.listening import listen
from napari_kikuchi.ui.session import session_of
from napari_kikuchi.ui.stack_choice import StackChoice
from napari_kikuchi.ui.walls_page import WallsPage

if TYPE_CHECKING:
    import napari

_WIDTH = 380
# Layers' events after which other maps or borders are offered.
_TELLING = {"inserted", "removed", "visible", "name"}


class Segment(QWidget):
    """Dock widget that divides the maps of a stack.

    Parameters
    ----------
    napari_viewer
        The stacks behind its layers are offered.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self.session = session_of(napari_viewer)
        layers = self.session.viewer.layers
        self.stacks = StackChoice(self.session)
        self.walls = WallsPage(self.session, self.stacks)
        self.domains = DomainsPage(self.session, self.stacks)
        self.clusters = ClustersPage(self.session, self.stacks)
        self.tabs = QTabWidget()
        for page, title in (
            (self.walls, "Walls and cells"),
            (self.domains, "Domains"),
            (self.clusters, "Clusters"),
        ):
            self.tabs.addTab(scrolling(page), title)
        self.setMinimumWidth(_WIDTH)
        choice = QFormLayout()
        choice.addRow("maps", self.stacks)
        layout = QVBoxLayout(self)
        layout.addLayout(choice)
        layout.addWidget(self.tabs, 1)
        self._collecting = QTimer(self)
        self._collecting.setSingleShot(True)
        self._collecting.timeout.connect(self._collect)
        self.stacks.chosen.connect(self._on_stack)
        listen(self, [(layers.events, self._on_layers)])
        self._on_stack()
        give_room(self, self.session)

    @property
    def _pages(self) -> tuple[WallsPage, DomainsPage, ClustersPage]:
        return self.walls, self.domains, self.clusters

    def _on_layers(self, event: Any) -> None:
        if event.type in _TELLING:
            # Once for all that happens together, and when it has happened.
            self._collecting.start(0)

    def _collect(self) -> None:
        self.stacks.collect()
        self.walls.collect()
        for page in self._pages:
            page.enable()

    def _on_stack(self) -> None:
        for page in self._pages:
            page.set_stack()
