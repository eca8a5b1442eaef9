"""Tells when shapes are drawn, changed or selected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from napari.layers import Shapes
from qtpy.QtCore import QObject, QTimer, Signal

if TYPE_CHECKING:
    from napari.components import ViewerModel

# After the last move of a hand that draws.
_SETTLED_MS = 150


class DrawnWatch(QObject):
    """Listens to the shapes layers of a viewer.

    Parameters
    ----------
    viewer
        Whose layers to listen to.
    """

    changed = Signal()
    """What :func:`~napari_kikuchi.ui.regions.drawn` gives may be another by now."""

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self._heard: WeakSet[Shapes] = WeakSet()
        self._settling = QTimer(self)
        self._settling.setSingleShot(True)
        self._settling.setInterval(_SETTLED_MS)
        self._settling.timeout.connect(self.changed)
        self.collect()

    def collect(self) -> None:
        """Listen to what shapes there are now: layers came or went."""
        for layer in self._viewer.layers:
            if isinstance(layer, Shapes) and layer not in self._heard:
                self._heard.add(layer)
                for signal in _signals(layer):
                    signal.connect(self._on_change)
        self._on_change()

    def close(self) -> None:
        """Hear no more."""
        self._settling.stop()
        for layer in self._heard:
            for signal in _signals(layer):
                signal.disconnect(self._on_change)

    def _on_change(self, *_: Any) -> None:
        self._settling.start()


def _signals(layer: Shapes) -> list[Any]:
    return [layer.events.data, layer.events.set_data, layer.events.highlight]
