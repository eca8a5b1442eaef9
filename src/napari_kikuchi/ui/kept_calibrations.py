"""Calibrations that were set by hand, read and written in the background."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_kikuchi.jobs import Job, Progress

if TYPE_CHECKING:
    from napari_kikuchi.orientation.kept_calibration import KeptCalibration
    from napari_kikuchi.orientation.spot_calibration import SpotCalibration
    from napari_kikuchi.scan import Scan
    from napari_kikuchi.ui.session import Session


class KeptCalibrations:
    """Keeps the calibration of each scan for the next time.

    Parameters
    ----------
    session
        Runs the jobs.
    """

    changed = Signal(object)
    """The scan whose calibration has been read, was not there, or is kept elsewhere now."""

    def __init__(self, session: Session) -> None:
        self._session = weakref.proxy(session)
        self._kept: weakref.WeakKeyDictionary[Scan, KeptCalibration | None] = (
            weakref.WeakKeyDictionary()
        )
        self._sought: weakref.WeakSet[Scan] = weakref.WeakSet()
        # What is to be written next, of scans of which something is being written.
        self._next: weakref.WeakKeyDictionary[Scan, SpotCalibration | None] = (
            weakref.WeakKeyDictionary()
        )
        self._written: weakref.WeakSet[Scan] = weakref.WeakSet()

    def of(self, scan: Scan) -> KeptCalibration | None:
        """The one that is kept, as far as it has been read."""
        return self._kept.get(scan)

    def is_known(self, scan: Scan) -> bool:
        """Whether it is known what is kept; the first call begins to look, ``changed`` tells."""
        if scan.path is None or scan in self._kept:
            return True
        if scan not in self._sought:
            self._sought.add(scan)
            self._session.start(
                _find(scan),
                done=lambda found: self._take(scan, found),
                failed=lambda error: self._fail(scan, error),
            )
        return False

    def keep(self, scan: Scan, calibration: SpotCalibration | None) -> None:
        """Keep a calibration; None: forget it.

        While one is being written, only the last that comes is written next: a hand that drags a
        ring sets hundreds.
        """
        if scan.path is None:
            return
        if scan in self._written:
            self._next[scan] = calibration
            return
        self._written.add(scan)

        def end(kept: KeptCalibration | None) -> None:
            self._written.discard(scan)
            self._take(scan, kept)
            if scan in self._next:
                self.keep(scan, self._next.pop(scan))

        def fail(error: Exception) -> None:
            self._written.discard(scan)
            self._next.pop(scan, None)
            self._fail(scan, error)

        self._session.start(_write(scan, calibration), done=end, failed=fail)

    def _take(self, scan: Scan, kept: KeptCalibration | None) -> None:
        known, before = scan in self._kept, self._kept.get(scan)
        self._kept[scan] = kept
        # A hand that drags a ring has it written again and again, to the same place.
        if not known or (before and before.path) != (kept and kept.path):
            self.changed.emit(scan)

    def _fail(self, scan: Scan, error: Exception) -> None:
        from napari_kikuchi.ui.messages import tell_error

        self._take(scan, None)
        tell_error(error)


def _find(scan: Scan) -> Job[KeptCalibration | None]:
    from napari_kikuchi.orientation.kept_calibration import find_kept_calibration

    yield Progress(0, 0, "Looking for a calibration")
    assert scan.path is not None
    kept = find_kept_calibration(scan.path, scan.options, None)
    if kept is None:
        return None
    # Only now: it takes reading some patterns.
    return find_kept_calibration(scan.path, scan.options, scan.fingerprint())


def _write(scan: Scan, calibration: SpotCalibration | None) -> Job[KeptCalibration | None]:
    from napari_kikuchi.orientation import kept_calibration as kept

    yield Progress(0, 0, "Keeping the calibration")
    if calibration is None:
        kept.forget_calibration(scan)
        return None
    path: Path = kept.keep_calibration(scan, calibration)
    return kept.KeptCalibration(path, calibration)
