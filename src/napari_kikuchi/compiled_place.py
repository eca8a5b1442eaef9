"""What numba asks where to keep a compiled function, see :mod:`~napari_kikuchi.compiled`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from numba.core.caching import InTreeCacheLocator

from napari_kikuchi.compiled import TAKEN


class OwnPlace(InTreeCacheLocator):
    """The place that this process has taken."""

    def __init__(self, py_func: Any, py_file: str) -> None:
        super().__init__(py_func, py_file)
        place = Path(os.environ[TAKEN])
        self._cache_path = str(place / self.get_suitable_cache_subpath(py_file))
