"""Dynamical master patterns by Bloch waves: what a crystal sends into every direction.

By reciprocity, the electrons that leave atoms into a direction are as many as those that a plane
wave from that direction would bring to the atoms. The wave is a sum of Bloch waves, as in
Winkelmann et al. (2007), 10.1016/j.ultramic.2006.10.006. The number of sources decays exponentially
with their depth here, and absorption, taken to the first order, is where the atoms are: they
scatter electrons out of the waves by their thermal motion.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.crystals.beam import Beam
from napari_kikuchi.crystals.inversion import centred

if TYPE_CHECKING:
    import torch
    from numpy.typing import ArrayLike, NDArray

    from napari_kikuchi.crystals.crystal import Crystal

# Potentials whose imaginary parts are below this share of the strongest are real but for rounding.
_REAL = 1e-6
# Elements of the matrices that are held at a time: 16 MiB of each of some ten.
_AT_A_TIME = 2**22


class DynamicalMaster:
    """Simulates the intensities of a crystal's master pattern.

    Parameters
    ----------
    crystal
        Whose pattern.
    voltage
        Accelerating voltage in kV.
    beams
        How many beams feed each other in each direction: those that it excites most.
    d_min
        Spacing in Å of the closest lattice planes that count as beams.
    absorption
        Rate in 1/Å at which a wave of even density is absorbed; waves that are densest where the
        sources are lose more.
    depth
        Mean depth of the sources in Å.
    both_sides
        Give the mean of what a crystal sends into a direction and into the opposite one. Of those
        with a centre of inversion it is the same.
    device
        On which torch computes.

    Raises
    ------
    ValueError
        As :class:`~napari_kikuchi.crystals.beam.Beam` and
        :meth:`~napari_kikuchi.crystals.crystal.Crystal.reflections`.
    """

    def __init__(
        self,
        crystal: Crystal,
        *,
        voltage: float = 20.0,
        beams: int = 120,
        d_min: float = 0.5,
        absorption: float = 0.005,
        depth: float = 32.0,
        both_sides: bool = False,
        device: str | torch.device = "cpu",
    ) -> None:
        import torch

        self.beam = Beam(voltage)
        self.absorption = absorption
        self.depth = depth
        self.both_sides = both_sides
        crystal = centred(crystal)
        reflections = crystal.reflections(1 / d_min)
        self.beams = min(beams, len(reflections) + 1)
        self._hkl = torch.from_numpy(
            np.concatenate([np.zeros((1, 3), np.int64), reflections.hkl])
        ).to(device)
        self._vectors = torch.from_numpy(
            np.concatenate([np.zeros((1, 3)), reflections.vectors]).astype(np.float32)
        ).to(device)
        couplings = np.abs(self._couplings(crystal, reflections.structure_factors))
        # The direct beam is taken whatever its strength.
        self._strengths = torch.from_numpy(
            np.concatenate([[1.0], couplings]).astype(np.float32)
        ).to(device)
        self._tabulate(crystal, reflections.hkl, device)

    def __call__(self, directions: ArrayLike) -> NDArray[np.float32]:
        """Simulate the intensities in some directions.

        Parameters
        ----------
        directions
            Towards the detector, in the crystal's axes, of shape (n, 3); of any length.

        Returns
        -------
        numpy.ndarray
            Of shape (n,), in units of what as many sources would send without diffraction.
        """
        import torch

        towards = np.asarray(directions, np.float64).reshape(-1, 3)
        towards = towards / np.linalg.norm(towards, axis=1, keepdims=True)
        all_directions = torch.from_numpy(towards.astype(np.float32)).to(self._vectors.device)
        few = max(1, _AT_A_TIME // self.beams**2)
        found = [self._intensities(part) for part in all_directions.split(few)]
        return torch.cat(found).cpu().numpy() if found else np.zeros(0, np.float32)

    def _couplings(self, crystal: Crystal, factors: Any) -> Any:
        return self.beam.coupling(factors, crystal.volume)

    def _tabulate(self, crystal: Crystal, hkl: NDArray[np.int64], device: Any) -> None:
        """Potential and sources of all differences of two beams."""
        import torch

        limits = 2 * np.abs(hkl).max(axis=0, initial=0)
        shape = 2 * limits + 1
        every = np.stack(np.unravel_index(np.arange(shape.prod()), shape), axis=1) - limits
        potential = self._couplings(crystal, crystal.structure_factors(every))
        sources = crystal.source_factors(every)
        # 000 is in the middle. Sources are shares of all.
        self._origin = len(every) // 2
        sources /= sources[self._origin]
        if np.abs(potential.imag).max() < _REAL * np.abs(potential).max():
            tables = np.stack([potential.real, sources.real]).astype(np.float32)
        else:
            tables = np.stack([potential, sources]).astype(np.complex64)
        self._mean = float(tables[0, self._origin].real)
        self._potential, self._sources = torch.from_numpy(tables).to(device)
        strides = [int(shape[1] * shape[2]), int(shape[2]), 1]
        self._strides = torch.tensor(strides, dtype=torch.int64, device=device)

    def _intensities(self, directions: torch.Tensor) -> torch.Tensor:
        """Of shape (n,), of unit directions of shape (n, 3)."""
        import torch

        chosen, errors = self._choose(directions)
        places = self._hkl[chosen] @ self._strides
        differences = places[:, :, None] - places[:, None, :] + self._origin
        potential = self._potential[differences]
        matrix = potential.clone()
        # The mean potential shifts all waves alike; it is in the wave vector.
        matrix.diagonal(dim1=1, dim2=2).copy_(errors)
        values, waves = torch.linalg.eigh(matrix)
        sources = waves.mH @ self._sources[differences] @ waves
        damping = self.absorption / 2 * sources.diagonal(dim1=1, dim2=2).real
        excited = waves[:, 0].conj()
        decay = 1 / self.depth + damping[:, :, None] + damping[:, None, :]
        beating = 2 * math.pi * (values[:, :, None] - values[:, None, :])
        # The integral over depth of exp(-decay z) exp(i beating z).
        if excited.is_complex() and not self.both_sides:
            overlap = 1 / torch.complex(decay, beating)
        else:
            # From the opposite side all waves are the complex conjugates, but they beat as before:
            # what changes sign with the beating cancels.
            overlap = decay / (decay**2 + beating**2)
        total = (excited.conj()[:, :, None] * excited[:, None, :] * sources * overlap).sum((1, 2))
        return total.real / self.depth

    def _choose(self, directions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Which beams count in each direction, the direct one first, and how far off each is.

        Returns
        -------
        tuple of torch.Tensor
            Numbers of reflections and excitation errors in 1/Å, both of shape (n, beams).
        """

        # Electrons are faster inside of the crystal, by its mean potential.
        inside = (1 / self.beam.wavelength**2 + 2 * self._mean / self.beam.wavelength) ** 0.5
        along = directions @ self._vectors.T
        squared = (self._vectors**2).sum(dim=1)
        errors = -(2 * inside * along + squared) / (2 * inside)
        weakness = errors.abs() / self._strengths
        weakness[:, 0] = -1  # The direct beam, always the first.
        chosen = weakness.topk(self.beams, dim=1, largest=False, sorted=True).indices
        return chosen, errors.gather(1, chosen)
