"""The symmetry of the open scans, as the maps among the layers tell it."""

from __future__ import annotations

import weakref
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.symmetry.map_readings import SymmetryReadings, has_symmetry
from napari_kikuchi.ui.told_by_maps import ToldByMaps

if TYPE_CHECKING:
    from napari_kikuchi.maps import MapStack
    from napari_kikuchi.scan import Scan
    from napari_kikuchi.symmetry.best_match import BestMatches
    from napari_kikuchi.ui.link import ScanLink
    from napari_kikuchi.ui.session import Session

_symmetries: weakref.WeakKeyDictionary[Session, Symmetries] = weakref.WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class KnownSymmetry:
    """What maps tell of the symmetry of a scan.

    Attributes
    ----------
    stack
        The maps.
    readings
        Position by position.
    matches
        Known phases whose patterns are most alike; None where the maps lack what is needed.
    """

    stack: MapStack
    readings: SymmetryReadings
    matches: BestMatches | None = None


class Symmetries(ToldByMaps[KnownSymmetry]):
    """The symmetry of each scan; get it with :func:`symmetries_of`."""

    def tells(self, stack: MapStack) -> bool:
        """Whether they are maps of symmetry."""
        return has_symmetry(stack)

    def read(self, stack: MapStack, source: ScanLink) -> Job[KnownSymmetry]:
        """Read them, and prepare the comparison with known phases."""
        assert source.scan is not None
        return _read(stack, source.scan)


def symmetries_of(session: Session) -> Symmetries:
    """The symmetries of a viewer, which outlive the widgets that show them."""
    if session not in _symmetries:
        _symmetries[session] = Symmetries(session)
    return _symmetries[session]


def _read(stack: MapStack, scan: Scan) -> Job[KnownSymmetry]:
    from napari_kikuchi.symmetry.best_match import BestMatches
    from napari_kikuchi.symmetry.references import References

    yield Progress(0, 0, "Reading the symmetry")
    readings = SymmetryReadings.of(stack)
    matches: BestMatches | None = None
    # Others may have written the maps, and left out what only this needs; its file may be gone.
    with suppress(ValueError, OSError):
        matches = BestMatches(scan, stack, readings, References.shipped())
    return KnownSymmetry(stack, readings, matches)
