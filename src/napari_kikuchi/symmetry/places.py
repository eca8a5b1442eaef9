"""Where maps of symmetry lie."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_kikuchi.io.places import beside, scan_label


def default_symmetry_path(scan_path: str | Path, options: Mapping[str, Any] | None = None) -> Path:
    """Where the maps go: ``<scan>.symmetry.zarr`` beside the scan, if that can be written to.

    Parameters
    ----------
    scan_path
        File of the scan.
    options
        With which the scan was opened, see :func:`~napari_kikuchi.io.places.scan_label`.
    """
    scan_path = Path(scan_path)
    return beside(scan_path, f"{scan_label(scan_path, options or {})}.symmetry.zarr")
