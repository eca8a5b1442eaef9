"""Simulated scans that are made when someone first asks for them, and kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from napari_kikuchi import __version__
from napari_kikuchi.io import places
from napari_kikuchi.io.map_store import MapStoreError, read_provenance
from napari_kikuchi.jobs import Job
from napari_kikuchi.simulate.scan import truth_path


def kept_scan(
    name: str, settings: Mapping[str, Any], simulate: Callable[[Path], Job[Path]]
) -> Job[Path]:
    """A scan from an earlier time, or simulated now and kept.

    It lies among the user's data, and so does what is made of it.

    Parameters
    ----------
    name
        Of its file.
    settings
        Of what is simulated. A scan whose truth tells others, or another version, is made anew.
    simulate
        Writes a scan, and its truth to :func:`.truth_path`.

    Yields
    ------
    Progress
        Of ``simulate``; nothing if the scan was there.

    Returns
    -------
    pathlib.Path
        The scan.
    """
    path = places.user_folder() / "samples" / name
    if not _is_of_now(path, settings):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not truth_path(path).exists():
            # Nobody has measured it: it lies where only simulated scans do.
            path.unlink(missing_ok=True)
        yield from simulate(path)
    return path


def _is_of_now(path: Path, settings: Mapping[str, Any]) -> bool:
    """Whether a scan is there that this version would simulate again."""
    try:
        told = read_provenance(truth_path(path))
    except (FileNotFoundError, MapStoreError):
        return False
    found = told.get("settings")
    # As it is once it has been written and read.
    expected = json.loads(json.dumps(dict(settings)))
    return (
        path.is_file()
        and told.get("version") == __version__
        and isinstance(found, Mapping)
        and expected == {key: found.get(key) for key in expected}
    )
