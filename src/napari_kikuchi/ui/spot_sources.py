"""Whence the spots come that are drawn over the patterns of a scan."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from psygnal import Signal

from napari_kikuchi.jobs import Job, Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.orientation.scan_spots import ScanSpots
    from napari_kikuchi.orientation.solution_spots import SimulatedSpots
    from napari_kikuchi.scan import Scan
    from napari_kikuchi.ui.session import Session

_sources: weakref.WeakKeyDictionary[Session, SpotSources] = weakref.WeakKeyDictionary()


class FoundSpots(Protocol):
    """Spots that were found in the patterns of a scan, such as :class:`.ScanSpots`."""

    def at(self, row: int, col: int) -> NDArray:
        """Column, row and intensity of each spot of a pattern in pixels, of shape (n, 3).

        It is called in a thread.
        """
        ...


class Simulation(Protocol):
    """Spots that are simulated for the patterns of a scan."""

    def at(self, row: int, col: int) -> SimulatedSpots | None:
        """Those of one pattern; None where no crystal is known. It is called in a thread."""
        ...


class SpotSources:
    """Spots found and simulated of each scan; get it with :func:`spot_sources_of`.

    Parameters
    ----------
    session
        Of the viewer.
    """

    changed = Signal(object)
    """The scan of which other spots are to be drawn now."""

    def __init__(self, session: Session) -> None:
        self._session = weakref.proxy(session)
        self._found: weakref.WeakKeyDictionary[Scan, FoundSpots] = weakref.WeakKeyDictionary()
        self._simulated: weakref.WeakKeyDictionary[Scan, Simulation] = weakref.WeakKeyDictionary()
        self._previews: weakref.WeakKeyDictionary[Scan, FoundSpots] = weakref.WeakKeyDictionary()
        self._sought: weakref.WeakSet[Scan] = weakref.WeakSet()

    def found(self, scan: Scan) -> FoundSpots | None:
        """Spots that were found; those beside the scan are opened when they are first asked for."""
        if scan.path is not None and scan not in self._found and scan not in self._sought:
            self._sought.add(scan)
            self._session.start(
                _beside(scan),
                done=lambda spots: None if spots is None else self.set_found(scan, spots),
                # Nobody asked for this file: that it is none is told where it is opened.
                failed=lambda error: None,
            )
        return self._found.get(scan)

    def preview(self, scan: Scan) -> FoundSpots | None:
        """Spots that are drawn instead of those, while it is tried how to find them."""
        return self._previews.get(scan)

    def simulated(self, scan: Scan) -> Simulation | None:
        """Spots that are simulated, if there are any."""
        return self._simulated.get(scan)

    def set_found(self, scan: Scan, spots: FoundSpots) -> None:
        """Draw these spots over the patterns of a scan."""
        self._found[scan] = spots
        self.changed.emit(scan)

    def set_preview(self, scan: Scan, spots: FoundSpots | None) -> None:
        """Draw these spots for now; None: no longer."""
        if spots is not None:
            self._previews[scan] = spots
        elif self._previews.pop(scan, None) is None:
            return
        self.changed.emit(scan)

    def set_simulated(self, scan: Scan, spots: Simulation | None) -> None:
        """Draw these spots, too; None: no more."""
        if spots is not None:
            self._simulated[scan] = spots
        elif self._simulated.pop(scan, None) is None:
            return
        self.changed.emit(scan)

    def open(
        self, scan: Scan, path: Path, opened: Callable[[ScanSpots], None] = lambda spots: None
    ) -> None:
        """Open a file of spots in the background, and call back; a failure is told the user."""

        def take(spots: ScanSpots) -> None:
            self.set_found(scan, spots)
            opened(spots)

        self._session.start(_open(scan, path), done=take)


def spots_in_words(spots: ScanSpots) -> str:
    """The file of some spots, how many there are and of what size."""
    counts = spots.counts[spots.present]
    median = float(np.median(counts)) if len(counts) else 0.0
    return (
        f"{spots.path.name}: {median:g} spots in the median of {len(counts):,} patterns, of "
        f"{spots.detection.radius:g} pixels radius"
    )


def spot_sources_of(session: Session) -> SpotSources:
    """The sources of a viewer, which outlive the widgets that show them."""
    if session not in _sources:
        _sources[session] = SpotSources(session)
    return _sources[session]


def _beside(scan: Scan) -> Job[ScanSpots | None]:
    from napari_kikuchi.orientation.find_spots import default_spots_path

    yield Progress(0, 0, "Looking for spots")
    assert scan.path is not None
    path = default_spots_path(scan.path, scan.options)
    return (yield from _open(scan, path)) if path.is_file() else None


def _open(scan: Scan, path: Path) -> Job[ScanSpots]:
    from napari_kikuchi.orientation.scan_spots import ScanSpots

    yield Progress(0, 0, "Opening spots")
    spots = ScanSpots.open(path)
    if spots.shape != scan.map_shape or spots.fingerprint not in (None, scan.fingerprint()):
        raise ValueError(
            f"{path}: expected the spots of {scan.name}, found those of another scan, of "
            f"{spots.shape[0]} rows x {spots.shape[1]} columns. Find the spots of this one."
        )
    return spots
