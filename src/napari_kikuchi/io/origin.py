"""What ties maps to the scan that they were made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_kikuchi.io.map_store import MapStoreError, read_maps
from napari_kikuchi.maps import Region
from napari_kikuchi.scan import Scan


def scan_origin(scan: Scan) -> dict[str, Any]:
    """Which scan maps come from, fit for JSON: the entry ``"scan"`` of their provenance."""
    return {
        "path": None if scan.path is None else str(scan.path.absolute()),
        "name": scan.name,
        "options": dict(scan.options),
        "fingerprint": scan.fingerprint(),
    }


def drawn_before(path: Path, fingerprint: Mapping[str, Any]) -> Sequence[Region]:
    """Regions of the store that is about to be replaced, if it shows the same scan.

    Parameters
    ----------
    path
        Of the store.
    fingerprint
        Of the scan, see :meth:`~napari_kikuchi.scan.Scan.fingerprint`.
    """
    try:
        former = read_maps(path)
    except (FileNotFoundError, MapStoreError):
        return ()
    scan = former.provenance.get("scan")
    same = isinstance(scan, Mapping) and scan.get("fingerprint") == fingerprint
    return former.regions if same else ()
