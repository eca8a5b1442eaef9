"""What ties maps to the scan that they were made of."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi import __version__
from napari_kikuchi.io.map_store import MapStoreError, read_maps
from napari_kikuchi.maps import MapStack, Region
from napari_kikuchi.preprocess import Preprocessor
from napari_kikuchi.scan import Scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Places that are told one by one.
_MOST_PLACES = 10


def scan_origin(scan: Scan) -> dict[str, Any]:
    """Which scan maps come from, fit for JSON: the entry ``"scan"`` of their provenance."""
    return {
        "path": None if scan.path is None else str(scan.path.absolute()),
        "name": scan.name,
        "options": dict(scan.options),
        "grid": scan.grid,
        "fingerprint": scan.fingerprint(),
    }


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
    present = b"all" if scan.present is None else scan.present.tobytes()
    return dict(origin) | {
        "scan": origin["scan"]["fingerprint"],
        "positions": zlib.crc32(present),
        "background": zlib.crc32(preprocessor.background.tobytes()),
        "mask": zlib.crc32(preprocessor.mask.tobytes()),
    }


def unreadable_record(positions: NDArray[np.integer]) -> dict[str, Any]:
    """Which patterns could not be read, fit for JSON; empty if all could.

    Parameters
    ----------
    positions
        Rows and columns, of shape (n, 2).

    Returns
    -------
    dict
        Under ``"unreadable"`` their number and, as ``"runs"``, row, first and last column of those
        that lie side by side.
    """
    if not len(positions):
        return {}
    ordered = positions[np.lexsort((positions[:, 1], positions[:, 0]))]
    ends = np.flatnonzero((np.diff(ordered, axis=0) != (0, 1)).any(axis=1)) + 1
    runs = [[*map(int, run[0]), int(run[-1, 1])] for run in np.split(ordered, ends)]
    return {"unreadable": {"count": len(positions), "runs": runs}}


def unreadable_told(stack: MapStack) -> str:
    """Which patterns could not be read for some maps, in words; nothing if all could."""
    record = stack.provenance.get("unreadable")
    if not record:
        return ""
    count, runs = record["count"], record["runs"]
    places = [
        f"row {row}, column{f's {first} to {last}' if last > first else f' {first}'}"
        for row, first, last in runs[:_MOST_PLACES]
    ]
    more = f" and {len(runs) - _MOST_PLACES:,} places more" if len(runs) > _MOST_PLACES else ""
    patterns = f"{count:,} patterns" if count > 1 else "1 pattern"
    return (
        f"{patterns} could not be read and left no value: {'; '.join(places)}{more}. Copy the scan "
        "anew if there is a whole one."
    )


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
