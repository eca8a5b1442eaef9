"""Orientations of a scan as generators take them: of one phase or two, on a square grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from napari_kikuchi.explore.orientations import OrientationMap, orientations_of
from napari_kikuchi.io.indexed import read_indexed
from napari_kikuchi.microstructure.grains import check_phases

if TYPE_CHECKING:
    from orix.crystal_map import Phase

    from napari_kikuchi.maps import MapStack


class Measured(NamedTuple):
    """What was measured.

    Attributes
    ----------
    orientations
        None where nothing was indexed.
    phases
        orix's ``Phase`` of each.
    """

    orientations: OrientationMap
    phases: Sequence[Phase]

    @property
    def missing(self) -> int:
        """Points that were not indexed."""
        return int((self.orientations.numbers == 0).sum())


def read_measured(stack: MapStack) -> Measured:
    """The orientations of maps from which a generator can go on.

    Parameters
    ----------
    stack
        See :func:`~napari_kikuchi.io.indexed.read_indexed`.

    Raises
    ------
    NoOrientationsError
        If there are none.
    ValueError
        If the grid is hexagonal, or there are more than two phases.
    """
    found = read_indexed(stack)
    orientations = orientations_of(found, stack)
    if orientations.grid == "hexagonal":
        raise ValueError(
            "expected maps on a square grid, found a hexagonal one: generators know square grids "
            "alone. Resample the scan first"
        )
    check_phases(orientations)
    return Measured(orientations, found.phases)
