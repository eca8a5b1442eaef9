"""What a structure type is: which sites of a space group its atoms are on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Prototype:
    """A structure type.

    Attributes
    ----------
    name
        By its best known compound.
    space_group
        Its number.
    sites
        For each orbit of atoms, whether it is of a metal ("M"), an anion ("X") or any ("A"), with
        one of its positions; atoms of two orbits with the same letters are of one element.
    freedom
        By how much coordinates of positions that symmetry leaves free may differ.
    weight
        How often it is taken, compared with others of its group.
    """

    name: str
    space_group: int
    sites: tuple[tuple[str, tuple[float, float, float]], ...]
    freedom: float = 0.0
    weight: float = 1.0
