"""The orientations of the open scans, as the maps among the layers tell them."""

from __future__ import annotations

import weakref
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_kikuchi.explore.orientation_readings import OrientationReadings
from napari_kikuchi.io.indexed import QUATERNION
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.symmetry.map_readings import has_symmetry
from napari_kikuchi.ui.pattern_scale import PatternScale, pattern_scales_of
from napari_kikuchi.ui.spot_sources import spot_sources_of
from napari_kikuchi.ui.told_by_maps import ToldByMaps

if TYPE_CHECKING:
    from napari_kikuchi.maps import MapStack
    from napari_kikuchi.orientation.solution_spots import SolutionSpots
    from napari_kikuchi.orientation.spot_calibration import SpotCalibration
    from napari_kikuchi.scan import Scan
    from napari_kikuchi.ui.link import ScanLink
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


class Solutions(ToldByMaps[Solution]):
    """The solution of each scan: of the maps that came last; get it with :func:`solutions_of`.

    Spots of the crystals that were found are drawn over the patterns, by the calibration with
    which they were found.

    Parameters
    ----------
    session
        Of the viewer whose layers are watched.
    """

    def __init__(self, session: Session) -> None:
        self._scales = pattern_scales_of(session)
        self._sources = spot_sources_of(session)
        super().__init__(session)

    def tells(self, stack: MapStack) -> bool:
        """Whether there are orientations of known phases, all of them of patterns."""
        return holds_orientations(stack) and "microstructure" not in stack.provenance

    def read(self, stack: MapStack, source: ScanLink) -> Job[Solution]:
        """Read the orientations."""
        return _read(stack, source)

    def adopted(self, scan: Scan, told: Solution) -> None:
        """Draw the spots that the crystals would have."""
        calibration = told.calibration
        if calibration is not None:
            known = self._scales.of(scan) or PatternScale(calibration.centre)
            self._scales.set(scan, known.with_found(calibration))
        self._sources.set_simulated(scan, told.spots)

    def forgotten(self, scan: Scan) -> None:
        """Draw them no more."""
        self._sources.set_simulated(scan, None)


def holds_orientations(stack: MapStack) -> bool:
    """Whether there are orientations of known phases among some maps."""
    return {*QUATERNION} <= {*stack.names} and not has_symmetry(stack)


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
