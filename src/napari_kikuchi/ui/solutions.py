"""The orientations of the open scans, as the maps among the layers tell them."""

from __future__ import annotations

import weakref
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_kikuchi.explore.orientation_readings import OrientationReadings
from napari_kikuchi.io.indexed import QUATERNION
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.ui.link import link_of
from napari_kikuchi.ui.pattern_scale import PatternScale, pattern_scales_of
from napari_kikuchi.ui.spot_sources import spot_sources_of

if TYPE_CHECKING:
    from napari.layers import Layer

    from napari_kikuchi.maps import MapStack
    from napari_kikuchi.orientation.solution_spots import SolutionSpots
    from napari_kikuchi.orientation.spot_calibration import SpotCalibration
    from napari_kikuchi.scan import Scan
    from napari_kikuchi.ui.link import LayerLink, ScanLink
    from napari_kikuchi.ui.session import Session

_solutions: weakref.WeakKeyDictionary[Session, Solutions] = weakref.WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Solution:
    """What maps tell of the orientations of a scan.

    Attributes
    ----------
    readings
        Position by position.
    source
        Leads to the scan.
    calibration
        With which spots became orientations; None for maps of Kikuchi patterns.
    spots
        That the crystals would have; None where the maps do not tell what these are made of.
    report
        What the maps show, in words; empty for those of Kikuchi patterns.
    """

    readings: OrientationReadings
    source: ScanLink
    calibration: SpotCalibration | None = None
    spots: SolutionSpots | None = None
    report: str = ""


class Solutions:
    """The solution of each scan: of the maps that came last; get it with :func:`solutions_of`.

    Spots of the crystals that were found are drawn over the patterns, by the calibration with
    which they were found.

    Parameters
    ----------
    session
        Of the viewer whose layers are watched.
    """

    changed = Signal(object)
    """The scan whose orientations are others now, or are being read."""

    def __init__(self, session: Session) -> None:
        self._session = weakref.proxy(session)
        self._known: weakref.WeakKeyDictionary[Scan, Solution] = weakref.WeakKeyDictionary()
        # Of which maps each is, or will be once they are read.
        self._stacks: weakref.WeakKeyDictionary[Scan, MapStack] = weakref.WeakKeyDictionary()
        self._awaited: weakref.WeakSet[Scan] = weakref.WeakSet()
        self._scales = pattern_scales_of(session)
        self._sources = spot_sources_of(session)
        session.link_changed.connect(self._on_link)
        session.viewer.layers.events.inserted.connect(self._on_inserted)
        session.viewer.layers.events.removed.connect(self._on_removed)
        for layer in session.viewer.layers:
            self._welcome(link_of(layer))

    def of(self, scan: Scan) -> Solution | None:
        """The orientations of a scan; None if there are none, or not yet."""
        return self._known.get(scan)

    def is_awaited(self, scan: Scan) -> bool:
        """Whether the orientations of a scan are being read; ``changed`` tells when they are."""
        return scan in self._awaited

    def _on_inserted(self, event: Any) -> None:
        layer: Layer = event.value
        self._welcome(link_of(layer))

    def _on_link(self, source: ScanLink) -> None:
        for _, link in self._session.links():
            if link.source is source:
                self._welcome(link)

    def _welcome(self, link: LayerLink | None) -> None:
        if link is None or link.stack is None or link.source.scan is None:
            return
        scan, stack, source = link.source.scan, link.stack, link.source
        if stack is self._stacks.get(scan) or not {*QUATERNION} <= {*stack.names}:
            return
        self._stacks[scan] = stack
        self._awaited.add(scan)
        self.changed.emit(scan)

        def adopt(solution: Solution) -> None:
            if stack is self._stacks.get(scan):
                self._adopt(scan, solution)

        def give_up(_: Exception) -> None:
            # Nobody asked for it: maps of which no pattern is indexed are shown all the same.
            if stack is self._stacks.get(scan):
                self._forget(scan)

        self._session.start(_read(stack, source), done=adopt, failed=give_up)

    def _adopt(self, scan: Scan, solution: Solution) -> None:
        self._awaited.discard(scan)
        self._known[scan] = solution
        calibration = solution.calibration
        if calibration is not None:
            known = self._scales.of(scan) or PatternScale(calibration.centre)
            self._scales.set(scan, known.with_found(calibration))
        self._sources.set_simulated(scan, solution.spots)
        self.changed.emit(scan)

    def _on_removed(self, _: Any) -> None:
        """Nothing is told of maps of which no layer is left."""
        left = {link.stack for _, link in self._session.links()}
        for scan, stack in list(self._stacks.items()):
            if stack not in left:
                del self._stacks[scan]
                self._forget(scan)

    def _forget(self, scan: Scan) -> None:
        self._awaited.discard(scan)
        self._known.pop(scan, None)
        self._sources.set_simulated(scan, None)
        self.changed.emit(scan)


def solutions_of(session: Session) -> Solutions:
    """The solutions of a viewer, which outlive the widgets that show them."""
    if session not in _solutions:
        _solutions[session] = Solutions(session)
    return _solutions[session]


def _read(stack: MapStack, source: ScanLink) -> Job[Solution]:
    yield Progress(0, 0, "Reading orientations")
    readings = OrientationReadings.of(stack)
    if stack.provenance.get("method") != "orientations":
        return Solution(readings, source)
    from napari_kikuchi.orientation.report import report_orientations
    from napari_kikuchi.orientation.solution_spots import SolutionSpots
    from napari_kikuchi.orientation.spot_calibration import SpotCalibration

    calibration = SpotCalibration.from_settings(stack.provenance["indexing"].get("calibration"))
    spots: SolutionSpots | None = None
    # Others may have written them, and left out what only this needs.
    with suppress(ValueError):
        spots = SolutionSpots.of(stack, readings.orientations)
    report = report_orientations(stack).in_words()
    return Solution(readings, source, calibration, spots, report)
