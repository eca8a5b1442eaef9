"""Centres of inversion: with the origin at one, the potential of a crystal is real."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from napari_kikuchi.crystals.crystal import Crystal

# Origins of the tables are off their nearest centre of inversion by eighths of the cell.
_EIGHTHS = 8
# Imaginary parts below this share of the strongest structure factor are rounding errors.
_NONE = 1e-6


def centred(crystal: Crystal) -> Crystal:
    """The crystal with its origin at a centre of inversion, if it has one in a usual place.

    Patterns are the same; but real matrices are solved several times faster than complex ones.

    Parameters
    ----------
    crystal
        In whatever setting its file has it.

    Returns
    -------
    Crystal
        The same one if it has its origin there already, or has no centre.
    """
    ranges = (np.arange(-3, 4),) * 3
    hkl = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)
    factors = crystal.structure_factors(hkl)
    eighths = np.stack(np.unravel_index(np.arange(_EIGHTHS**3), (_EIGHTHS,) * 3), axis=1)
    shifts = eighths / _EIGHTHS
    # Moving all atoms by t turns the phase of each structure factor by -2π h·t.
    moved = factors * np.exp(-2j * np.pi * shifts @ hkl.T)
    imaginary = np.abs(moved.imag).max(axis=1)
    real = np.flatnonzero(imaginary < _NONE * np.abs(factors).max())
    if not len(real) or real[0] == 0:
        return crystal
    return replace(crystal, positions=crystal.positions + shifts[real[0]])
