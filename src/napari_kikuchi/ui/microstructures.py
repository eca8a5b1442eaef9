"""Microstructures: filled in, gone on with, generated, interpolated and made anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFormLayout, QTabWidget, QVBoxLayout, QWidget

from napari_kikuchi.ui.docking import give_room
from napari_kikuchi.ui.fill_in_page import FillInPage
from napari_kikuchi.ui.forms import scrolling
from napari_kikuchi.ui.generate_page import GeneratePage
from napari_kikuchi.ui.generator_options import GeneratorOptions
from napari_kikuchi.ui.generator_page import GeneratorPage
from napari_kikuchi.ui.interpolate_page import InterpolatePage
from napari_kikuchi.ui.listening import listen
from napari_kikuchi.ui.oriented_stacks import OrientedStacks
from napari_kikuchi.ui.reconstruct_page import ReconstructPage
from napari_kikuchi.ui.session import session_of

if TYPE_CHECKING:
    import napari

_WIDTH = 380
# Layers' events after which other maps or regions are offered.
_TELLING = {"inserted", "removed", "name"}


class Microstructures(QWidget):
    """Dock widget in which a generator works on maps of orientations.

    Parameters
    ----------
    napari_viewer
        The stacks with orientations behind its layers are offered.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self.session = session_of(napari_viewer)
        self.stacks = OrientedStacks(self.session)
        self.options = GeneratorOptions()
        shared = self.session, self.stacks, self.options
        self.fill_in = FillInPage(*shared)
        self.generate = GeneratePage(*shared)
        self.interpolate = InterpolatePage(*shared)
        self.reconstruct = ReconstructPage(*shared)
        self.tabs = QTabWidget()
        for page, title in (
            (self.fill_in, "Fill in"),
            (self.generate, "Generate"),
            (self.interpolate, "Interpolate"),
            (self.reconstruct, "Reconstruct"),
        ):
            self.tabs.addTab(scrolling(page), title)
        self.setMinimumWidth(_WIDTH)
        self._choice = QWidget()
        choice = QFormLayout(self._choice)
        choice.setContentsMargins(0, 0, 0, 0)
        choice.addRow("maps", self.stacks)
        layout = QVBoxLayout(self)
        layout.addWidget(self._choice)
        layout.addWidget(self.tabs, 1)
        layout.addWidget(self.options)
        self._collecting = QTimer(self)
        self._collecting.setSingleShot(True)
        self._collecting.timeout.connect(self._collect)
        self.stacks.chosen.connect(self._on_stack)
        self.tabs.currentChanged.connect(self._on_page)
        listen(self, [(self.session.viewer.layers.events, self._on_layers)])
        self._on_stack()
        give_room(self, self.session)

    @property
    def _pages(self) -> tuple[GeneratorPage, ...]:
        return self.fill_in, self.generate, self.interpolate, self.reconstruct

    def _on_layers(self, event: Any) -> None:
        if event.type in _TELLING:
            # Once for all that happens together, and when it has happened.
            self._collecting.start(0)

    def _collect(self) -> None:
        self.stacks.collect()
        for page in self._pages:
            page.collect()
            page.enable()

    def _on_page(self, index: int) -> None:
        """What is made of nothing needs no maps."""
        self._choice.setVisible(self._pages[index] is not self.generate)

    def _on_stack(self) -> None:
        for page in self._pages:
            page.set_stack()
