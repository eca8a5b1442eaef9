"""Kinematical spots of many orientations at once, in torch: in batches, on any device."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import torch

from napari_kikuchi.crystals.beam import Beam

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from napari_kikuchi.crystals.crystal import Crystal

# Reflections times orientations at a time: what the steps below pass on to each other then stays
# in a core's cache, and on a GPU fills the device.
_BATCH = {"cpu": 2**17}
_BATCH_DEVICE = 2**24


class KinematicalSpots:
    """Simulates the spots of a thin crystal.

    Parameters
    ----------
    crystal
        Whose spots.
    voltage
        Accelerating voltage in kV.
    k_max
        Length of the longest reciprocal lattice vector, in 1/Å.
    thickness
        Of the crystal along the beam, in Å. One over it is about the width of a reflection.
    shape
        How intensity falls with the excitation error s, for a thickness t: ``"foil"`` as
        sin²(πst) / (πst)², that of an even foil; ``"lorentzian"`` as 1 / (1 + (πst)²), its
        smooth envelope; or ``"gaussian"`` as exp(-(πst)² / 3), its main peak alone, of standard
        deviation 0.39 / t.
    max_excitation_error
        Reflections further from the Ewald sphere are left out, in 1/Å.
    min_intensity
        Spots below this share of the strongest diffracted one are left out.
    most_spots
        Of a pattern; the weakest above that number are left out.
    device, dtype
        Where to compute and in which precision.
    """

    def __init__(
        self,
        crystal: Crystal,
        *,
        voltage: float = 300.0,
        k_max: float = 2.0,
        thickness: float = 100.0,
        shape: Literal["foil", "lorentzian", "gaussian"] = "lorentzian",
        max_excitation_error: float = 0.04,
        min_intensity: float = 1e-3,
        most_spots: int = 128,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.beam = Beam(voltage)
        self.thickness = thickness
        self.shape = shape
        self.max_excitation_error = max_excitation_error
        self.min_intensity = min_intensity
        self.reflections = crystal.reflections(k_max)
        self.most_spots = min(most_spots, len(self.reflections))
        self._vectors = torch.as_tensor(self.reflections.vectors, dtype=dtype, device=device)
        coupling = self.beam.coupling(self.reflections.structure_factors, crystal.volume)
        # (π t / extinction length)²: what the beam loses to a reflection in its position.
        strength = (2 * math.pi * thickness * abs(coupling)) ** 2
        self._strength = torch.as_tensor(strength, dtype=dtype, device=device)

    def __call__(self, rotations: NDArray[np.floating] | Tensor) -> Tensor:
        """Simulate spots; the positions and intensities have gradients if the rotations do.

        Parameters
        ----------
        rotations
            Of shape (n, 3, 3), from the sample's frame into the crystal's, as
            ``Orientation.to_matrix`` of orix gives them. The beam travels along -z of the
            sample's frame.

        Returns
        -------
        torch.Tensor
            kx and ky in 1/Å along x and y of the sample's frame, and intensity, of shape
            (n, most_spots, 3), as :class:`Spots` has them, strongest first. Intensities are
            shares of the incident beam, without what it loses: above 1 the crystal is too thick
            for them to be more than relative.
        """
        rotations = torch.as_tensor(rotations).to(self._vectors)
        device = self._vectors.device.type
        batch = max(1, _BATCH.get(device, _BATCH_DEVICE) // max(1, len(self._vectors)))
        parts = [self._spots(part) for part in rotations.split(batch)]
        return torch.cat(parts) if parts else self._vectors.new_zeros(0, self.most_spots, 3)

    def intensities(self, rotations: NDArray[np.floating] | Tensor) -> Tensor:
        """Simulate the intensities of all reflections, however weak.

        Parameters
        ----------
        rotations
            As for a call, of shape (n, 3, 3).

        Returns
        -------
        torch.Tensor
            Of shape (n, reflections), in the order of ``reflections``.
        """
        return self._of_all(self._vectors @ torch.as_tensor(rotations).to(self._vectors))

    def _of_all(self, in_sample: Tensor) -> Tensor:
        error = self.beam.excitation_errors(in_sample)
        intensity = self._strength * self._fall(error)
        return torch.where(error.abs() < self.max_excitation_error, intensity, 0)

    def _spots(self, rotations: Tensor) -> Tensor:
        in_sample = self._vectors @ rotations
        intensity, chosen = self._of_all(in_sample).topk(self.most_spots, dim=1)
        seen = (intensity > 0) & (intensity >= self.min_intensity * intensity[:, :1])
        position = in_sample[..., :2].gather(1, chosen[..., None].expand(-1, -1, 2))
        return torch.cat([position, intensity[..., None]], dim=-1) * seen[..., None]

    def _fall(self, error: Tensor) -> Tensor:
        if self.shape == "foil":
            return torch.sinc(error * self.thickness) ** 2
        squared = (math.pi * self.thickness * error) ** 2
        return (-squared / 3).exp() if self.shape == "gaussian" else 1 / (1 + squared)
