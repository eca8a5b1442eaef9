"""The rings on which the spots of a crystal lie, however it is turned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_kikuchi.crystals.crystal import Crystal

_BAR = "\N{COMBINING OVERLINE}"


@dataclass(frozen=True)
class Ring:
    """Reflections that are equivalent by symmetry.

    Attributes
    ----------
    hkl
        Miller indices of one of them.
    length
        Of their vectors, in 1/Å.
    strength
        Square of their structure factor, as a share of the strongest ring's.
    """

    hkl: tuple[int, int, int]
    length: float
    strength: float

    @property
    def label(self) -> str:
        """As crystallographers write it: {hkl}."""
        return "{" + written(self.hkl) + "}"


def crystal_rings(crystal: Crystal, k_max: float, weakest: float = 0.01) -> list[Ring]:
    """The rings of a crystal up to a length, the innermost first.

    Parameters
    ----------
    crystal
        Whose reflections.
    k_max
        In 1/Å.
    weakest
        Rings of a lower strength are left out, and those that are extinct.

    Raises
    ------
    ValueError
        As :meth:`~napari_kikuchi.crystals.crystal.Crystal.reflections`.
    """
    found = crystal.reflections(k_max)
    to_hkl = np.linalg.inv(crystal.reciprocal_base)
    # orix gives the rotations only; the inversion is among the symmetries of every Laue group.
    operators = crystal.laue_group.to_matrix()
    turned = np.rint(np.einsum("oij,nj->noi", operators, found.vectors) @ to_hkl).astype(int)
    names = [_name(one) for one in np.concatenate([turned, -turned], axis=1).tolist()]
    strengths = np.abs(found.structure_factors) ** 2
    strongest = strengths.max(initial=0)
    lengths = np.linalg.norm(found.vectors, axis=1)
    rings: dict[tuple[int, int, int], Ring] = {}
    for name, length, strength in zip(names, lengths, strengths, strict=True):
        if strength >= weakest * strongest:
            rings.setdefault(name, Ring(name, float(length), float(strength / strongest)))
    return list(rings.values())


def _name(family: Sequence[Sequence[int]]) -> tuple[int, int, int]:
    """Of equivalent reflections the one after which all are named: few bars, high indices first."""
    first, second, third = max(family, key=lambda hkl: (-sum(one < 0 for one in hkl), tuple(hkl)))
    return first, second, third


def written(hkl: Sequence[int]) -> str:
    """Miller indices with a bar over those below zero, apart where one has two digits."""
    parts = [f"{abs(one)}" if one >= 0 else _BAR.join([*str(abs(one)), ""]) for one in hkl]
    return (" " if any(abs(one) > 9 for one in hkl) else "").join(parts)
