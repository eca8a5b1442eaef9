"""Simulated patterns with their orientations, to learn from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.orientation.dynamical import DynamicalSpots
from napari_kikuchi.orientation.kinematical import KinematicalSpots

# Of foils, in Å, evenly drawn; of crystals so thin that they scatter kinematically, evenly in the
# logarithm.
THICKNESSES = (100.0, 800.0)
_THIN = (15.0, 60.0)
# Reflections of thin crystals are wide, in 1/Å.
_THIN_EXCITATION_ERROR = 0.08
# Directions simulated between two updates.
_BATCH = 256


class Lessons(NamedTuple):
    """Patterns with the orientations of their crystals.

    Attributes
    ----------
    spots
        As :class:`~napari_kikuchi.orientation.spots.Spots` has them, float32 of shape
        (n, spots, 3).
    rotations
        From the sample's frame into the crystal's, float64 of shape (n, 3, 3).
    """

    spots: NDArray[np.float32]
    rotations: NDArray[np.float64]


def spot_lessons(
    crystal: Crystal,
    axes: int,
    *,
    thicknesses: int = 4,
    voltage: float = 300.0,
    k_max: float = 2.0,
    most_spots: int = 64,
    kinematical: bool = False,
    seed: int = 0,
) -> Job[Lessons]:
    """Simulate patterns of random orientations.

    Parameters
    ----------
    crystal
        Whose patterns.
    axes
        Orientations: those of another seed share no zone axis with these.
    thicknesses
        Patterns of each orientation, of random thickness.
    voltage
        Of the beam, in kV.
    k_max
        Length of the longest reciprocal lattice vector, in 1/Å.
    most_spots
        Of a pattern.
    kinematical
        Of crystals of 15 to 60 Å without dynamical scattering; else by Bloch waves, of foils of
        100 to 800 Å.
    seed
        The same one gives the same patterns.

    Yields
    ------
    Progress
        In orientations.

    Returns
    -------
    Lessons
        Of axes x thicknesses patterns, those of an orientation beside each other.
    """
    random = np.random.default_rng(seed)
    rotations = Rotation.random(axes, rng=random).as_matrix()
    spots = np.zeros((axes, thicknesses, most_spots, 3), np.float32)
    dynamical = None if kinematical else DynamicalSpots(crystal, voltage=voltage, k_max=k_max)
    for start in range(0, axes, _BATCH):
        yield Progress(start, axes, f"Simulating patterns of {crystal.name}")
        part, into = rotations[start : start + _BATCH], spots[start : start + _BATCH]
        if dynamical is None:
            for each in range(thicknesses):
                simulate = KinematicalSpots(
                    crystal,
                    voltage=voltage,
                    k_max=k_max,
                    thickness=float(np.exp(random.uniform(*np.log(_THIN)))),
                    shape=random.choice(["gaussian", "lorentzian"]),
                    max_excitation_error=_THIN_EXCITATION_ERROR,
                    most_spots=most_spots,
                )
                found = simulate(torch.as_tensor(part)).numpy()
                into[:, each, : found.shape[1]] = found
            continue
        for rotation, rows in zip(part, into, strict=True):
            drawn = random.uniform(*THICKNESSES, thicknesses)
            found = dynamical(rotation[None], drawn, most_spots=most_spots).values
            rows[:, : found.shape[1]] = found
    return Lessons(spots.reshape(-1, most_spots, 3), rotations.repeat(thicknesses, axis=0))
