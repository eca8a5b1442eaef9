"""Master patterns: the intensity that a crystal sends into every direction."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import redirect_stderr
from dataclasses import dataclass
from functools import lru_cache
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Half the side of computed master patterns; the shipped nickel one has the same size.
_HALF_SIZE = 200
# Planes more narrowly spaced than this (in Å) have bands too faint to matter.
_MIN_PLANE_SPACING = 0.7
# A band counts if its structure factor is at least this share of the strongest.
_MIN_STRUCTURE_FACTOR = 0.05


@dataclass(frozen=True, eq=False)
class MasterPattern:
    """Diffracted intensity over the sphere, relative to the mean and in standard deviations.

    Attributes
    ----------
    name
        Of the phase.
    hemispheres
        Upper and lower hemisphere in the square Lambert projection, of shape (2, size, size),
        with mean 0 and standard deviation 1 over the sphere: the projection keeps areas, so the
        plain mean of the pixels is the mean over the sphere.
    """

    name: str
    hemispheres: NDArray[np.float32]

    @classmethod
    def from_kikuchipy(cls, signal: Any, name: str) -> MasterPattern:
        """Take over a kikuchipy ``EBSDMasterPattern`` in the Lambert projection."""
        data = np.asarray(signal.data, np.float64)
        if data.ndim == 2:  # One hemisphere: a centrosymmetric crystal has two equal ones.
            data = np.stack([data, data])
        return cls(name, ((data - data.mean()) / data.std()).astype(np.float32))

    @classmethod
    def of_directions(
        cls, intensities: Callable[[NDArray[np.float64]], NDArray[np.floating]], name: str
    ) -> MasterPattern:
        """Sample the intensities of a crystal.

        Parameters
        ----------
        intensities
            Of directions in the crystal's axes, of shape (n, 3).
        name
            Of the phase.
        """
        size = 2 * _HALF_SIZE + 1
        upper = lambert_directions(size)
        both = np.concatenate([upper, upper * (1, 1, -1)])
        data = intensities(both).astype(np.float64).reshape(2, size, size)
        return cls(name, ((data - data.mean()) / data.std()).astype(np.float32))


def lambert_directions(size: int) -> NDArray[np.float64]:
    """Unit vectors of the pixels of an upper hemisphere, row after row, of shape (size², 3).

    In the square Lambert projection of D. Roşca, Astronomy & Astrophysics 520 (2010): x grows
    along rows, y from row to row.
    """
    edge = np.linspace(-1, 1, size)
    row, column = np.meshgrid(edge, edge, indexing="ij")
    along_x = np.abs(column) >= np.abs(row)
    # On squares about the pole z is the same; along each, the angle is in proportion to the way.
    u, v = np.where(along_x, column, row), np.where(along_x, row, column)
    angle = np.pi / 4 * v / np.where(u == 0, 1, np.abs(u))
    across = np.abs(u) * np.sqrt(2 - u**2)
    larger, smaller = np.sign(u) * across * np.cos(angle), across * np.sin(angle)
    x, y = np.where(along_x, larger, smaller), np.where(along_x, smaller, larger)
    return np.stack([x, y, 1 - u**2], axis=-1).reshape(-1, 3)


@lru_cache(maxsize=1)
def nickel() -> MasterPattern:
    """Dynamical master pattern of nickel at 20 kV (401 x 401), which ships with kikuchipy."""
    from kikuchipy.data import nickel_ebsd_master_pattern_small

    return MasterPattern.from_kikuchipy(
        nickel_ebsd_master_pattern_small(projection="lambert"), "Ni"
    )


@lru_cache(maxsize=1)
def niobium_carbide() -> MasterPattern:
    """Kinematical master pattern of NbC at 20 kV, computed once in a session.

    The carbide of nickel superalloys, with the structure of rock salt and a lattice parameter of
    4.47 Å. Kinematical: right in the place and width of its bands, without the fine structure of
    a dynamical pattern.
    """
    from diffpy.structure import Atom, Lattice, Structure
    from diffsims.crystallography import ReciprocalLatticeVector
    from kikuchipy.simulations import KikuchiPatternSimulator
    from orix.crystal_map import Phase

    carbide = Phase(
        space_group=225,
        structure=Structure(
            atoms=[Atom("Nb", [0, 0, 0]), Atom("C", [0.5, 0.5, 0.5])],
            lattice=Lattice(4.47, 4.47, 4.47, 90, 90, 90),
        ),
    )
    reflectors = ReciprocalLatticeVector.from_min_dspacing(carbide, _MIN_PLANE_SPACING)
    reflectors.sanitise_phase()
    reflectors.calculate_structure_factor()
    strength = np.abs(reflectors.structure_factor)
    reflectors = reflectors[strength > _MIN_STRUCTURE_FACTOR * strength.max()]
    reflectors.calculate_theta(20e3)
    with redirect_stderr(StringIO()):  # kikuchipy's own progress bar, which has no switch.
        signal = KikuchiPatternSimulator(reflectors).calculate_master_pattern(_HALF_SIZE)
    return MasterPattern.from_kikuchipy(signal.as_lambert(show_progressbar=False), "NbC")
