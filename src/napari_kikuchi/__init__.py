"""See what Kikuchi patterns know: latent-feature maps of EBSD scans, in napari."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_kikuchi.io import open_scan
    from napari_kikuchi.maps import MapStack
    from napari_kikuchi.scan import Scan

__all__ = ["MapStack", "Scan", "open_scan"]
__version__ = version("napari-kikuchi")

_HOMES = {
    "MapStack": "napari_kikuchi.maps",
    "Scan": "napari_kikuchi.scan",
    "open_scan": "napari_kikuchi.io",
}


def __getattr__(name: str) -> Any:
    # Imported on first use: napari imports this package at every start.
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
