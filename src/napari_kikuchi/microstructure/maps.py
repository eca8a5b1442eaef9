"""Microstructures as maps of a stack, and maps of orientations as pictures to generate from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi import __version__
from napari_kikuchi.explore.inverse_pole_figures import Axis
from napari_kikuchi.explore.orientation_channels import derived_channels, derived_maps
from napari_kikuchi.explore.orientations import OrientationMap
from napari_kikuchi.io.indexed import PHASE, QUATERNION
from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.microstructure.polycrystal import Polycrystal

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from orix.crystal_map import Phase

FILLED_IN = "filled in"


def grain_maps(
    orientations: OrientationMap,
    phases: Sequence[Mapping[str, Any]],
    provenance: Mapping[str, Any],
    *,
    step: tuple[float, float] = (1.0, 1.0),
    along: Axis = "z",
    filled_in: NDArray[np.bool_] | None = None,
) -> MapStack:
    """Phase, orientations and what follows from them, as maps.

    Parameters
    ----------
    orientations
        Of the grains.
    phases
        Name, space group and lattice (Å and degrees) of each phase.
    provenance
        How they were made; fit for JSON.
    step
        In µm.
    along
        Direction of the sample whose inverse pole figure is shown.
    filled_in
        Where nobody has measured, of shape (rows, columns).
    """
    own = [
        Channel(PHASE, colormap="tab10", limits=(0.0, float(len(phases)))),
        *map(Channel, QUATERNION),
        *derived_channels([f"IPF {along}"]),
    ]
    numbers = orientations.numbers.astype(np.float32)
    numbers[numbers == 0] = np.nan
    values = [numbers[None], np.moveaxis(orientations.quaternions, -1, 0)]
    values += derived_maps(orientations, along=[along])
    if filled_in is not None:
        own.append(Channel(FILLED_IN))
        values.append(filled_in[None])
    return MapStack(
        np.concatenate(values).astype(np.float32),
        own,
        step,
        {
            **provenance,
            "indexing": {"phases": [dict(one) for one in phases]},
            "version": __version__,
        },
    )


def cubic_phases(count: int = 2) -> list[dict[str, Any]]:
    """What is told of phases that nobody has measured: cubic ones, with cells of 1 Å."""
    return [
        {"name": f"generated phase {number}", "space_group": 225, "lattice": [1, 1, 1, 90, 90, 90]}
        for number in range(1, count + 1)
    ]


def told_of(phase: Phase) -> dict[str, Any]:
    """Name, space group and lattice of a phase, fit for JSON."""
    return {
        "name": phase.name,
        "space_group": phase.space_group.number,
        "lattice": [float(one) for one in phase.structure.lattice.abcABG()],
    }


def polycrystal_orientations(polycrystal: Polycrystal) -> OrientationMap:
    """The orientations of a map of cubic grains."""
    from orix.quaternion.symmetry import Oh

    return OrientationMap(
        polycrystal.quaternions[polycrystal.grains],
        [Oh, Oh],
        polycrystal.phases[polycrystal.grains],
    )
