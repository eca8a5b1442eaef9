"""What orientation maps tell of one position: its phase, how the crystal lies, how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.explore.orientations import OrientationMap, orientations_of
from napari_kikuchi.io.indexed import read_indexed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.maps import MapStack

# Zone axes of larger indices say nothing to anybody.
_LARGEST_INDEX = 3
_CONFIDENCE = "confidence"


@dataclass(frozen=True)
class OrientationReading:
    """What is known of a position.

    Attributes
    ----------
    phase
        Name of the crystal.
    euler
        Bunge's angles in degrees, from the sample's frame into the crystal's.
    zone_axis
        The direction of the crystal, of low indices, that is nearest to the sample's z: to the
        beam, looked at against it, or to the normal of the surface.
    away
        Angle between the two in degrees.
    confidence
        As whoever indexed the pattern gives it; None if nobody did.
    """

    phase: str
    euler: tuple[float, float, float]
    zone_axis: tuple[int, int, int]
    away: float
    confidence: float | None


@dataclass(frozen=True, eq=False)
class OrientationReadings:
    """What maps tell, position by position; read with :meth:`of`.

    Attributes
    ----------
    orientations
        Of the scan.
    phases
        orix's ``Phase`` of each number.
    confidence
        Of shape (rows, columns); None if there is none.
    """

    orientations: OrientationMap
    phases: tuple[Any, ...]
    confidence: NDArray[np.floating] | None

    @classmethod
    def of(cls, stack: MapStack) -> OrientationReadings:
        """Read them from maps.

        Raises
        ------
        NoOrientationsError
            If they hold no orientation.
        """
        found, names = read_indexed(stack), stack.names
        confidence = stack.map(names.index(_CONFIDENCE)) if _CONFIDENCE in names else None
        return cls(orientations_of(found, stack), tuple(found.phases), confidence)

    def at(self, row: int, col: int) -> OrientationReading | None:
        """What they tell of a position; None where no pattern was indexed."""
        from orix.quaternion import Orientation
        from scipy.spatial.transform import Rotation

        number = int(self.orientations.numbers[row, col])
        if not number:
            return None
        phase = self.phases[number - 1]
        quaternion = self.orientations.quaternions[row, col]
        first, second, third = Orientation(quaternion).to_euler(degrees=True)[0].tolist()
        direction = Rotation.from_quat(quaternion, scalar_first=True).as_matrix()[:, 2]
        axis, away = nearest_axis(direction, phase.structure.lattice.base)
        confidence = None if self.confidence is None else float(self.confidence[row, col])
        return OrientationReading(phase.name, (first, second, third), axis, away, confidence)


def nearest_axis(direction: NDArray, base: NDArray) -> tuple[tuple[int, int, int], float]:
    """The direction of low indices that is nearest to another one.

    Parameters
    ----------
    direction
        Of shape (3,), in the crystal's axes.
    base
        a, b and c as rows, of shape (3, 3).

    Returns
    -------
    uvw
        Its indices.
    away
        Angle in degrees.
    """
    indices = _low_indices()
    axes = indices @ base
    cosines = axes @ direction / np.linalg.norm(axes, axis=1) / np.linalg.norm(direction)
    best = int(cosines.argmax())
    u, v, w = indices[best].tolist()
    return (u, v, w), float(np.degrees(np.arccos(min(cosines[best], 1.0))))


@cache
def _low_indices() -> NDArray[np.int64]:
    """Indices without a common factor, of shape (n, 3)."""
    range_ = np.arange(-_LARGEST_INDEX, _LARGEST_INDEX + 1)
    every = np.stack(np.meshgrid(range_, range_, range_, indexing="ij"), axis=-1).reshape(-1, 3)
    return every[np.gcd.reduce(every, axis=1) == 1]
