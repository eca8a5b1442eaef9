"""Which orientations and phases maps hold, as those who indexed the patterns told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.maps import MapStack

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from orix.crystal_map import Phase
    from orix.quaternion import Rotation

PHASE = "phase"
QUATERNION = tuple(f"quaternion {part}" for part in "abcd")

# Trigonal groups of which the axes of second order lie across a, not along it.
_ACROSS_A = {149, 151, 153, 157, 159, 162, 163}
_RIGHT_ANGLE = 1e-3


class NoOrientationsError(ValueError):
    """Maps without the orientations that a crystal map is made of."""


@dataclass(frozen=True, eq=False)
class IndexedMaps:
    """The orientations and phases of some maps.

    Attributes
    ----------
    phases
        orix's ``Phase`` of each, with name, space group and lattice.
    quaternions
        Unit quaternions, scalar first, that turn the sample's frame into the crystal's, of shape
        (rows, columns, 4); NaN where there is none.
    numbers
        Number of the phase of each position, from 1, of shape (rows, columns); 0 where there is no
        orientation.
    """

    phases: Sequence[Phase]
    quaternions: NDArray[np.float64]
    numbers: NDArray[np.int32]


def read_indexed(stack: MapStack) -> IndexedMaps:
    """The orientations and phases that maps hold.

    Parameters
    ----------
    stack
        With the maps of :data:`QUATERNION`, and that of :data:`PHASE` where several phases were
        looked for.

    Raises
    ------
    NoOrientationsError
        If there are none.
    """
    names = stack.names
    histories = [one.get("indexing") or {} for one in _histories(stack.provenance)]
    several = next((one["phases"] for one in histories if one.get("phases")), None)
    told = several or next(([one["phase"]] for one in histories if one.get("phase")), None)
    if told is None or not {*QUATERNION} <= {*names}:
        raise NoOrientationsError(
            "these maps hold no orientations of indexed patterns. Make them with Physics maps, "
            "orientations, by indexing (napari-kikuchi maps SCAN --maps indexing), or, of a "
            "4D-STEM scan, with Orientations (napari-kikuchi orient SCAN), and take those maps."
        )
    parts = [stack.map(names.index(part)) for part in QUATERNION]
    quaternions = np.stack(parts, axis=-1).astype(np.float64)
    # Single precision leaves them not quite unit quaternions.
    quaternions /= np.linalg.norm(quaternions, axis=-1, keepdims=True)
    numbers = np.ones(stack.map_shape)
    if several and PHASE in names:
        phase = stack.map(names.index(PHASE))
        numbers = np.where((phase >= 1) & (phase <= len(told)), phase, 0)
    numbers = np.where(np.isfinite(quaternions).all(axis=-1), numbers, 0)
    if not numbers.any():
        raise NoOrientationsError(
            "none of the patterns was indexed, so that there is no orientation here: check the "
            "geometry of the detector and the phases, and index again"
        )
    return IndexedMaps([_phase(one) for one in told], quaternions, numbers.astype(np.int32))


def right_and_up(quaternions: NDArray[np.float64]) -> Rotation:
    """Orientations in a frame of the sample with x to the right of the map and y up.

    Ours, as that of EDAX, has x down and y to the right; z is the same.

    Parameters
    ----------
    quaternions
        Unit quaternions, scalar first, that turn our frame into the crystal's, of shape (..., 4).
    """
    from orix.quaternion import Rotation

    return Rotation(quaternions) * Rotation.from_matrix([[0, -1, 0], [1, 0, 0], [0, 0, 1]])


def laue_group(phase: Phase) -> Any:
    """orix's ``Symmetry`` of patterns of a phase, about the axes that its cell has.

    orix takes a point group in one setting, monoclinic with the axis along c and trigonal with the
    second axis along a. Usual monoclinic cells have it along b, and the tables of space groups
    have trigonal groups with the second axis across a.
    """
    from orix.quaternion import Symmetry
    from orix.quaternion.symmetry import S6, C2y, Ci

    laue = phase.point_group.laue
    alpha, _, gamma = phase.structure.lattice.abcABG()[3:]
    along_b = max(abs(alpha - 90), abs(gamma - 90)) < _RIGHT_ANGLE
    if laue.name == "2/m" and along_b:
        return Symmetry.from_generators(C2y, Ci)
    if laue.name == "-3m" and phase.space_group.number in _ACROSS_A:
        return Symmetry.from_generators(S6, C2y)
    return laue


def _phase(told: Mapping[str, Any]) -> Phase:
    from diffpy.structure import Lattice, Structure
    from orix.crystal_map import Phase

    structure = Structure(lattice=Lattice(*told["lattice"]))
    return Phase(told["name"], space_group=told["space_group"], structure=structure)


def _histories(provenance: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What tells how the maps were made: one of each stack that they come from."""
    yield provenance
    for part in provenance.get("together") or ():
        yield from _histories(part)
