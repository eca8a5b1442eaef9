"""What ties maps to the scan that they were made of."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from napari_kikuchi import __version__
from napari_kikuchi.io.map_store import MapStoreError, read_maps
from napari_kikuchi.maps import MapStack, Region
from napari_kikuchi.preprocess import Preprocessor
from napari_kikuchi.scan import Scan
from napari_kikuchi.unreadable import REMEDY, told_places


def scan_origin(scan: Scan) -> dict[str, Any]:
    """Which scan maps come from, fit for JSON: the entry ``"scan"`` of their provenance."""
    return {
        "path": None if scan.path is None else str(scan.path.absolute()),
        "name": scan.name,
        "options": dict(scan.options),
        "grid": scan.grid,
        "technique": scan.technique,
        "fingerprint": scan.fingerprint(),
    }


def scan_identity(origin: Mapping[str, Any], scan: Scan) -> dict[str, Any]:
    """Which patterns maps depend on: of which scan, and which positions have one.

    Parameters
    ----------
    origin
        With :func:`scan_origin` as ``"scan"``.
    scan
        The scan.
    """
    present = b"all" if scan.present is None else scan.present.tobytes()
    return {"scan": origin["scan"]["fingerprint"], "positions": zlib.crc32(present)}


def maps_identity(
    origin: Mapping[str, Any], scan: Scan, preprocessor: Preprocessor
) -> dict[str, Any]:
    """What the values of maps depend on, so that only maps of the same are gone on with.

    Parameters
    ----------
    origin
        What the provenance says of them, :func:`scan_origin` as ``"scan"`` among it.
    scan
        Which positions have a pattern counts, too.
    preprocessor
        Its background and mask count.
    """
    own = {
        "background": zlib.crc32(preprocessor.background.tobytes()),
        "mask": zlib.crc32(preprocessor.mask.tobytes()),
    }
    return {**origin, **scan_identity(origin, scan), **own}


def unreadable_told(made: MapStack | Mapping[str, Any]) -> str:
    """Which patterns could not be read, and how many pixels of others; nothing if all could.

    Parameters
    ----------
    made
        Maps, or the provenance of what was made of the patterns.
    """
    provenance = made.provenance if isinstance(made, MapStack) else made
    told = []
    if record := provenance.get("unreadable"):
        told.append(
            f"{_counted(record['count'], 'pattern')} could not be read and left no value: "
            f"{told_places(record['runs'])}. {REMEDY}"
        )
    if record := provenance.get("not_finite"):
        pixels, patterns = (_counted(record[f"{what}s"], what) for what in ("pixel", "pattern"))
        told.append(f"No finite number is in {pixels} of {patterns}: {record['fate']}.")
    return " ".join(told)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' if count > 1 else ''}"


def maps_provenance(method: str, origin: Mapping[str, Any]) -> dict[str, Any]:
    """The provenance of maps that are finished now."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {"method": method, **origin, "version": __version__, "date": now}


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
