"""Where symmetry puts atoms: orbits of positions, and how far they may move."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# Fractional coordinates closer than this are the same.
_SAME = 1e-4
# Positions of high symmetry lie on a grid of this many parts of a cubic cell.
_PARTS = 8


@lru_cache(maxsize=36)
def sites_of(space_group: int) -> Sites:
    """The sites of a space group by its number; made once in a session."""
    return Sites(space_group)


class Sites:
    """Positions of atoms in a space group, in the setting that diffpy has first.

    Parameters
    ----------
    space_group
        Its number, 1 to 230.
    """

    def __init__(self, space_group: int) -> None:
        from diffpy.structure.spacegroups import GetSpaceGroup

        operations = list(GetSpaceGroup(space_group).iter_symops())
        self._turns = np.array([one.R for one in operations])
        self._shifts = np.array([one.t for one in operations])

    def orbit(self, position: ArrayLike) -> NDArray[np.float64]:
        """All positions that symmetry makes of one, of shape (multiplicity, 3), from 0 to 1."""
        everywhere = self._images(position) % 1
        everywhere[everywhere > 1 - _SAME] = 0
        _, first = np.unique(np.rint(everywhere / _SAME), axis=0, return_index=True)
        return everywhere[np.sort(first)]

    def moved(self, position: ArrayLike, by: ArrayLike) -> NDArray[np.float64]:
        """A position moved as far as its site symmetry lets it, of shape (3,)."""
        return np.asarray(position) + self._stabiliser(position).mean(axis=0) @ np.asarray(by)

    def random(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """A position, likely one of high symmetry or on an axis or plane through one."""
        position = rng.integers(0, _PARTS, 3) / _PARTS
        turns = self._stabiliser(position)
        if rng.random() < 0.5:
            return position
        # What one of its operations leaves in place is a plane, an axis or the position.
        turn = turns[rng.integers(len(turns))]
        power, powers = turn, [np.eye(3)]
        while np.abs(power - np.eye(3)).max() > _SAME:
            powers.append(power)
            power = power @ turn
        return position + np.mean(powers, axis=0) @ rng.uniform(-0.5, 0.5, 3)

    @cached_property
    def order(self) -> int:
        """Number of operations: multiplicity of a position without symmetry."""
        return len(self._turns)

    def _images(self, position: ArrayLike) -> NDArray[np.float64]:
        return self._turns @ np.asarray(position, np.float64) + self._shifts

    def _stabiliser(self, position: ArrayLike) -> NDArray[np.float64]:
        """Operations that leave a position where it is, but for whole cells, without shifts."""
        moved = self._images(position) - np.asarray(position)
        return self._turns[(np.abs(moved - np.rint(moved)) < _SAME).all(axis=1)]
