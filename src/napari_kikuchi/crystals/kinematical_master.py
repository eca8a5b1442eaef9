"""Kinematical master patterns: a band for each lattice plane, and no more.

Bands are as wide as Bragg's law makes them and as bright as the plane reflects once; where bands
cross, they add. Cheap, and right in what is where; dynamical patterns differ in all else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.crystals.beam import Beam

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_kikuchi.crystals.crystal import Crystal

# Bands fainter than this share of the brightest are left out.
_FAINT = 1e-4
_AT_A_TIME = 2**22


def kinematical_intensities(
    crystal: Crystal, directions: ArrayLike, *, voltage: float = 20.0, d_min: float = 0.7
) -> NDArray[np.float32]:
    """Simulate the intensities of a crystal's master pattern.

    Parameters
    ----------
    crystal
        Whose pattern.
    directions
        Towards the detector, in the crystal's axes, of shape (n, 3); of any length.
    voltage
        Accelerating voltage in kV.
    d_min
        Spacing in Å of the closest lattice planes that count.

    Returns
    -------
    numpy.ndarray
        Sum of the squared structure factors of all planes in whose bands a direction lies, of
        shape (n,), in Å².
    """
    towards = np.asarray(directions, np.float64).reshape(-1, 3)
    towards = towards / np.linalg.norm(towards, axis=1, keepdims=True)
    reflections = crystal.reflections(1 / d_min)
    # Both sides of a plane are one band.
    first = np.argmax(reflections.hkl != 0, axis=1)
    half = np.take_along_axis(reflections.hkl, first[:, None], axis=1)[:, 0] > 0
    brightness = np.abs(reflections.structure_factors) ** 2
    kept = half & (brightness > _FAINT * brightness.max(initial=0))
    vectors, brightness = reflections.vectors[kept], brightness[kept]
    # Within Bragg's angle of the plane: |k·g| < |g|² / 2, with |k| = 1 / wavelength.
    edges = (vectors**2).sum(axis=1) * Beam(voltage).wavelength / 2
    few = max(1, _AT_A_TIME // max(1, len(vectors)))
    found = [
        (np.abs(towards[start : start + few] @ vectors.T) < edges) @ brightness
        for start in range(0, len(towards), few)
    ]
    return np.concatenate([np.zeros(0), *found]).astype(np.float32)
