"""The spots that crystals would have as orientation maps say that they lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.untrusted import mapping, number, sequence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_kikuchi.explore.orientations import OrientationMap
    from napari_kikuchi.maps import MapStack
    from napari_kikuchi.orientation.kinematical import KinematicalSpots

# Weaker ones than this share of the strongest, and more of them, would hide the pattern.
_WEAKEST, _MOST = 0.01, 100
# Of a foil that is thin enough for single scattering, in Å.
_THIN = 100.0


@dataclass(frozen=True, eq=False)
class SimulatedSpots:
    """The spots that a crystal would have.

    Attributes
    ----------
    values
        kx and ky in 1/Å along x and y of the sample's frame, and intensity, of shape (n, 3).
    hkl
        Miller indices of each, of shape (n, 3).
    """

    values: NDArray
    hkl: NDArray


@dataclass(frozen=True, eq=False)
class SolutionSpots:
    """Simulates the spots of the crystal that was found at a position; made with :meth:`of`.

    Where they are does not depend on how often electrons are scattered: they are those of a thin
    crystal.

    Attributes
    ----------
    orientations
        Of the scan.
    simulators
        Of each phase.
    """

    orientations: OrientationMap
    simulators: Sequence[KinematicalSpots]

    @classmethod
    def of(cls, stack: MapStack, orientations: OrientationMap) -> SolutionSpots:
        """The spots of maps that :func:`~napari_kikuchi.orientation.maps.orientation_maps` made.

        Parameters
        ----------
        stack
            The maps.
        orientations
            That they hold.

        Raises
        ------
        ValueError
            If they do not tell what the crystals are made of.
        """
        from napari_kikuchi.orientation.kinematical import KinematicalSpots

        told = mapping(stack.provenance.get("indexing"), "how the patterns were indexed")
        library = mapping(told.get("library"), "how templates were simulated")
        voltage = number(library.get("voltage"), "the voltage", 1, 1e4)
        phases = sequence(told.get("phases"), "the phases")
        return cls(
            orientations,
            [
                KinematicalSpots(Crystal.from_settings(one), voltage=voltage, thickness=_THIN)
                for one in phases
            ],
        )

    def at(self, row: int, col: int) -> SimulatedSpots | None:
        """Those of a position, the strongest first; None where no crystal was found."""
        from scipy.spatial.transform import Rotation

        number = int(self.orientations.numbers[row, col])
        if not number:
            return None
        simulator = self.simulators[number - 1]
        quaternion = self.orientations.quaternions[row, col]
        rotation = Rotation.from_quat(quaternion, scalar_first=True).as_matrix()
        intensity = simulator.intensities(rotation[None])[0].numpy()
        strongest = np.argsort(-intensity, kind="stable")[:_MOST]
        seen = strongest[intensity[strongest] > _WEAKEST * intensity.max(initial=0)]
        reflections = simulator.reflections
        places = (reflections.vectors[seen] @ rotation)[:, :2]
        values = np.concatenate([places, intensity[seen, None]], axis=1)
        return SimulatedSpots(values, reflections.hkl[seen])
