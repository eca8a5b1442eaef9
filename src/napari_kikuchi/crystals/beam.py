"""The electron beam, and how far reflections are from Bragg's condition.

The beam travels along -z of the sample's frame, down from the gun: the Ewald sphere passes through
the origin and its centre lies at +z, as in diffsims.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

# Rest energy of the electron, in keV.
_REST_ENERGY = 510.99895


@dataclass(frozen=True)
class Beam:
    """A parallel electron beam.

    Attributes
    ----------
    voltage
        Accelerating voltage in kV.

    Raises
    ------
    ValueError
        If the voltage is not that of an electron microscope.
    """

    voltage: float = 300.0

    def __post_init__(self) -> None:
        if not 1 <= self.voltage <= 3000:
            raise ValueError(f"expected a voltage from 1 to 3000 kV, found {self.voltage}")

    @cached_property
    def wavelength(self) -> float:
        """Relativistic, in Å."""
        from diffsims.utils.sim_utils import get_electron_wavelength

        return float(get_electron_wavelength(self.voltage))

    @property
    def relativistic_mass(self) -> float:
        """In rest masses of the electron."""
        return 1 + self.voltage / _REST_ENERGY

    def excitation_errors(self, vectors: Any) -> Any:
        """Distance of reflections from the Ewald sphere along the beam: above zero when inside it.

        diffsims gives the same with the other sign.

        Parameters
        ----------
        vectors
            Reciprocal lattice vectors in the sample's frame, in 1/Å, of shape (..., 3): an array
            or a tensor. In x and y they are shorter than the radius of the Ewald sphere.

        Returns
        -------
        numpy.ndarray or torch.Tensor
            In 1/Å, of shape (...).
        """
        radius = 1 / self.wavelength
        across = vectors[..., 0] ** 2 + vectors[..., 1] ** 2
        # The sphere's height is radius - sqrt(radius² - across), here without losing digits.
        return vectors[..., 2] - across / (radius + (radius**2 - across) ** 0.5)

    def coupling(self, structure_factors: Any, volume: float) -> Any:
        """How fast the beams of a crystal feed each other: U / 2K, with K = 1 / wavelength.

        Half of one over its modulus is the extinction length, in Å.

        Parameters
        ----------
        structure_factors
            In Å.
        volume
            Of the unit cell, in Å³.

        Returns
        -------
        numpy.ndarray or torch.Tensor
            In 1/Å.
        """
        return structure_factors * (
            self.relativistic_mass * self.wavelength / (2 * math.pi * volume)
        )
