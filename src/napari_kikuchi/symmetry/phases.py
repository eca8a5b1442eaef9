"""Cubic phases by the thousand, of known structure types and of random ones.

Nothing is downloaded: types that many compounds share are filled with elements at random, and
random orbits of the space group are filled likewise. What spglib does not find to have the wanted
group is thrown away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_kikuchi.symmetry.classes import SIX_GROUPS
from napari_kikuchi.symmetry.packing import SAME, Packer, found_group
from napari_kikuchi.symmetry.prototypes import PROTOTYPES
from napari_kikuchi.symmetry.radii import ANIONS, METALS, RADII
from napari_kikuchi.symmetry.sites import sites_of
from napari_kikuchi.symmetry.structure_type import Prototype

# Of the phases of each group, the share of known structure types.
_KNOWN = 0.6
_MOST_ATOMS = 160
_MOST_ORBITS = 3
# Atoms touch at these multiples of the sums of their radii.
_CONTACTS = (0.95, 1.15)
# Share of a cell that is filled with atoms; compounds lie between.
_FILLED = (0.15, 1.2)
_CELLS = (2.4, 18.0)
# Debye-Waller factors B in Å²: of stiff metals to soft salts.
_DEBYE_WALLER = (0.2, 1.5)

# Element and fractional coordinates of each orbit of atoms.
Orbits = Sequence[tuple[str, np.ndarray]]


@dataclass(frozen=True)
class Phase:
    """A crystal structure, measured by nobody.

    Attributes
    ----------
    name
        Its elements and structure type.
    space_group
        Its number, which spglib has found.
    cell
        Length of the cubic cell in Å.
    atoms
        Element and fractional coordinates of each atom of the cell.
    debye_waller
        B of each element in Å².
    """

    name: str
    space_group: int
    cell: float
    atoms: tuple[tuple[str, tuple[float, float, float]], ...]
    debye_waller: dict[str, float]

    def settings(self) -> dict[str, Any]:
        """As :meth:`~napari_kikuchi.crystals.crystal.Crystal.from_settings` reads a crystal."""
        return {
            "name": self.name,
            "space_group": self.space_group,
            "lattice": [self.cell] * 3 + [90.0] * 3,
            "source": "made at random",
            "atoms": [
                [element, *position, 1.0, self.debye_waller[element]]
                for element, position in self.atoms
            ],
        }


def random_phases(space_group: int, seed: int) -> Iterator[Phase]:
    """Phases of a group without end, the same ones for the same seed.

    Parameters
    ----------
    space_group
        Number of a cubic space group.
    seed
        Of all that is random.

    Yields
    ------
    Phase
        No two of the same elements on the same sites of one type.
    """
    rng = np.random.default_rng([seed, space_group])
    known = [one for one in PROTOTYPES if one.space_group == space_group]
    weights = np.array([one.weight for one in known])
    packer = Packer(space_group, _MOST_ATOMS, _CELLS[1], rng)
    seen: set[str] = set()
    while True:
        phase = None
        if known and rng.random() < _KNOWN:
            prototype = known[rng.choice(len(known), p=weights / weights.sum())]
            phase = _of_prototype(prototype, rng)
        else:
            # Most of what is made at random has another group, or is no crystal.
            while phase is None:
                if space_group in SIX_GROUPS:
                    orbits = _scattered(space_group, rng)
                else:
                    packing = packer.draw()
                    orbits = [] if packing is None else packing.orbits
                phase = _decorated(space_group, orbits, rng) if orbits else None
        if phase is not None and phase.name not in seen:
            seen.add(phase.name)
            yield phase


def _of_prototype(prototype: Prototype, rng: np.random.Generator) -> Phase | None:
    sites = sites_of(prototype.space_group)
    chosen: dict[str, str] = {}
    for letter, _ in prototype.sites:
        if letter not in chosen:
            pool = {"M": METALS, "X": ANIONS}.get(letter[0], tuple(RADII))
            chosen[letter] = _other_element(pool, chosen.values(), rng)
    orbits = []
    for letter, position in prototype.sites:
        by = rng.uniform(-1, 1, 3) * prototype.freedom
        orbits.append((chosen[letter], sites.orbit(sites.moved(position, by))))
    elements = "-".join(chosen.values())
    return _phase(f"{elements} ({prototype.name})", prototype.space_group, orbits, rng)


def _decorated(space_group: int, orbits: Orbits, rng: np.random.Generator) -> Phase | None:
    places = "".join(f"{element}{len(orbit)}" for element, orbit in orbits)
    return _phase(f"{places} ({space_group})", space_group, orbits, rng)


def _scattered(space_group: int, rng: np.random.Generator) -> Orbits:
    """Random elements on random orbits, wherever these lie: of the six groups this is enough.

    A :class:`Packer` would give them other phases than those that libraries hold.
    """
    sites = sites_of(space_group)
    orbits: list[tuple[str, np.ndarray]] = []
    for _ in range(rng.integers(1, _MOST_ORBITS + 1)):
        used = [element for element, _ in orbits]
        again = used and rng.random() < 0.2
        element = str(rng.choice(used)) if again else _other_element(tuple(RADII), used, rng)
        orbits.append((element, sites.orbit(sites.random(rng))))
    return orbits


def _other_element(pool: Sequence[str], used: Any, rng: np.random.Generator) -> str:
    free = [element for element in pool if element not in set(used)]
    return free[rng.integers(len(free))]


def _phase(
    name: str,
    space_group: int,
    orbits: Orbits,
    rng: np.random.Generator,
) -> Phase | None:
    """The phase of some orbits, or None if no crystal could be like it."""
    elements = np.repeat([one for one, _ in orbits], [len(orbit) for _, orbit in orbits])
    positions = np.concatenate([orbit for _, orbit in orbits])
    if len(positions) > _MOST_ATOMS:
        return None
    radii = np.array([RADII[one] for one in elements])
    touching = _touching_cell(positions, radii)
    if touching is None:
        return None
    cell = round(touching * rng.uniform(*_CONTACTS), 4)
    filled = 4 / 3 * np.pi * (radii**3).sum() / cell**3
    if not (_CELLS[0] <= cell <= _CELLS[1] and _FILLED[0] <= filled <= _FILLED[1]):
        return None
    if found_group(cell, elements, positions) != space_group:
        return None
    listed = tuple(
        (str(element), (float(x), float(y), float(z)))
        for element, (x, y, z) in zip(elements, np.round(positions, 8), strict=True)
    )
    factors = {
        str(element): round(float(rng.uniform(*_DEBYE_WALLER)), 3)
        for element in dict.fromkeys(elements)
    }
    return Phase(name, space_group, cell, listed, factors)


def _touching_cell(positions: np.ndarray, radii: np.ndarray) -> float | None:
    """Length of the cell in Å in which the first two atoms touch; None if two are at one place."""
    apart = positions[:, None] - positions
    apart -= np.rint(apart)
    distances = np.linalg.norm(apart, axis=-1)
    # An atom's next image is a cell away.
    np.fill_diagonal(distances, 1)
    if distances.min() < SAME:
        return None
    return float(((radii[:, None] + radii) / distances).max())
