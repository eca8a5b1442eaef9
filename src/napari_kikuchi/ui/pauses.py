"""Short pauses: what lives as long as the window is not searched for garbage again and again.

napari, torch and what else is imported are more than a million objects. Before Python 3.14 a full
search for garbage looks at each of them, in a third of a second in which the window does not
answer. After such a search its survivors are set apart, so that the next one is short. Once a
layer is removed all are looked at again: the layer may be among them, and its memory is wanted.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari.components import ViewerModel

# A search that takes longer is noticed.
LONG_S = 0.05
_FULL = 2

_began = 0.0


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
