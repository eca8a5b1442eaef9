"""Random crystals of groups whose random orbits mostly have a higher group, or leave holes.

Orbit after orbit is put where it fills the cell best, until no symmetry is left but the group's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_kikuchi.symmetry.radii import RADII
from napari_kikuchi.symmetry.sites import sites_of

# Positions in Å within which spglib takes atoms for the same.
SAME = 1e-3
# Of at most so many places that are drawn for an orbit, the best one is taken.
_MOST_DRAWN = 6
# Orbits that together have the group, and further ones that fill its holes.
_MOST_OF_GROUP, _MOST_FURTHER = 3, 5
# Share of crystals that begin with a place of which is known that it makes the group.
_TELLING = 0.5
# Share of orbits whose element another orbit has too.
_SAME_ELEMENT = 0.2


@dataclass(frozen=True, eq=False)
class Packing:
    """Atoms that touch each other.

    Attributes
    ----------
    orbits
        Element and fractional coordinates of shape (atoms, 3) of each orbit.
    positions, radii
        Of all atoms, of shapes (atoms, 3) and (atoms,), in fractions of the cell and in Å.
    cell
        Length of the cell in Å in which the first two atoms touch.
    """

    orbits: Sequence[tuple[str, NDArray[np.float64]]] = ()
    positions: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 3)))
    radii: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    cell: float = 0.0

    @property
    def filled(self) -> float:
        """Share of the cell that is filled with atoms."""
        return float(4 / 3 * np.pi * (self.radii**3).sum() / self.cell**3)

    @property
    def group(self) -> int | None:
        """Number of the space group that spglib finds; None if it finds none."""
        elements = np.repeat([one for one, _ in self.orbits], [len(one) for _, one in self.orbits])
        return found_group(self.cell, elements, self.positions)

    def with_orbit(self, element: str, orbit: NDArray[np.float64]) -> Packing | None:
        """This one and another orbit; None if two atoms are at one place."""
        radius = RADII[element]
        positions = np.concatenate([orbit, self.positions])
        radii = np.concatenate([np.full(len(orbit), radius), self.radii])
        # What one atom of an orbit has around itself, all have.
        apart = positions - orbit[0]
        distances = np.linalg.norm(apart - np.rint(apart), axis=1)
        # An atom's next image is a cell away.
        distances[0] = 1
        if distances.min() < SAME:
            return None
        cell = max(self.cell, float(((radii + radius) / distances).max()))
        return Packing([*self.orbits, (element, orbit)], positions, radii, cell)


class Packer:
    """Makes random elements on random orbits that have a group and no higher one.

    Parameters
    ----------
    space_group
        Its number.
    most_atoms, longest
        Of a cell; the latter in Å.
    rng
        Of all that is random.
    """

    def __init__(
        self, space_group: int, most_atoms: int, longest: float, rng: np.random.Generator
    ) -> None:
        self._group, self._most_atoms, self._longest = space_group, most_atoms, longest
        self._sites, self._rng = sites_of(space_group), rng
        # By multiplicity, a place whose orbit alone had the group.
        self._telling: dict[int, NDArray[np.float64]] = {}

    def draw(self) -> Packing | None:
        """A crystal; None if this try led nowhere."""
        packing = self._with_the_group()
        if packing is not None:
            for _ in range(self._rng.integers(1, _MOST_FURTHER, endpoint=True)):
                further = self._further(packing, self._anywhere, _MOST_DRAWN)
                if further is not None and further.filled > packing.filled:
                    packing = further
        return packing

    def _with_the_group(self) -> Packing | None:
        drawn = int(self._rng.integers(1, _MOST_DRAWN, endpoint=True))
        again = self._telling and self._rng.random() < _TELLING
        packing = Packing()
        for number in range(_MOST_OF_GROUP):
            somewhere = self._telling_place if again and not number else self._anywhere
            further = self._further(packing, somewhere, drawn)
            if further is None:
                return None
            packing = further
            if packing.group == self._group:
                if not number:
                    _, orbit = packing.orbits[0]
                    self._telling.setdefault(len(orbit), orbit[0])
                return packing
        return None

    def _anywhere(self) -> NDArray[np.float64]:
        return self._sites.random(self._rng)

    def _telling_place(self) -> NDArray[np.float64]:
        place = self._telling[int(self._rng.choice(list(self._telling)))]
        return self._sites.moved(place, self._rng.uniform(-0.5, 0.5, 3))

    def _further(
        self, packing: Packing, somewhere: Callable[[], NDArray[np.float64]], drawn: int
    ) -> Packing | None:
        """With another orbit at the best of some places; None if none is any good."""
        used = [one for one, _ in packing.orbits]
        again = used and self._rng.random() < _SAME_ELEMENT
        pool = used if again else [one for one in RADII if one not in used]
        element = str(self._rng.choice(pool))
        found = [packing.with_orbit(element, self._sites.orbit(somewhere())) for _ in range(drawn)]
        fitting = [
            one
            for one in found
            if one is not None and len(one.radii) <= self._most_atoms and one.cell <= self._longest
        ]
        return max(fitting, key=lambda one: one.filled, default=None)


def found_group(cell: float, kinds: Any, positions: NDArray[np.float64]) -> int | None:
    """Number of the space group that spglib finds for a cubic cell; None if it finds none.

    Parameters
    ----------
    cell
        Its length in Å.
    kinds
        What atom is at each position: equal ones are alike.
    positions
        Fractional coordinates of shape (atoms, 3).
    """
    import spglib

    numbers = np.unique(kinds, return_inverse=True)[1]
    crystal: Any = (np.eye(3) * cell, positions, numbers)
    found = spglib.get_symmetry_dataset(crystal, symprec=SAME)
    return None if found is None else int(found.number)
