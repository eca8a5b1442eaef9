"""Searches for garbage that are short, and made where Qt allows it.

napari, torch and what else is imported are more than a million objects. Before Python 3.14 a full
search for garbage looks at each of them, in a third of a second in which the window does not
answer. After such a search its survivors are set apart, so that the next one is short. Once a
layer is removed all are looked at again: the layer may be among them, and its memory is wanted.

Python searches in whichever thread it pleases, but what belongs to Qt must not end in any other
than the window's. So while threads work, the window searches.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QCoreApplication, QTimer

if TYPE_CHECKING:
    from napari.components import ViewerModel

# A search that takes longer is noticed.
LONG_S = 0.05
_FULL = 2
# While threads work, the window looks so often whether a search is due.
_INTERVAL_MS = 100

_began = 0.0
_timer: QTimer | None = None


def keep_pauses_short(viewer: ViewerModel) -> None:
    """Set what lives long apart after each long search for garbage.

    Parameters
    ----------
    viewer
        Whose layers are to be given back when they are removed.
    """
    if _on_search not in gc.callbacks:
        gc.callbacks.append(_on_search)
    viewer.layers.events.removed.connect(_on_removed)


def _on_removed(_: Any) -> None:
    gc.unfreeze()


def _on_search(phase: str, search: Mapping[str, int]) -> None:
    global _began
    if search["generation"] != _FULL:
        return
    if phase == "start":
        _began = time.perf_counter()
    elif time.perf_counter() - _began > LONG_S:
        gc.freeze()


def search_in_window() -> None:
    """Leave all searches to the thread of the window, which this must be called from."""
    global _timer
    if _timer is None:
        gc.disable()
        _timer = QTimer(QCoreApplication.instance())
        _timer.timeout.connect(_search_if_due)
        _timer.start(_INTERVAL_MS)


def search_anywhere() -> None:
    """Leave searches to Python again, in whichever thread."""
    global _timer
    if _timer is not None:
        _timer.stop()
        _timer.deleteLater()
        _timer = None
        gc.enable()


def _search_if_due() -> None:
    """Do what Python would have done by itself."""
    made, allowed = gc.get_count(), gc.get_threshold()
    due = [one for one in range(_FULL + 1) if 0 < allowed[one] < made[one]]
    if due:
        gc.collect(due[-1])
