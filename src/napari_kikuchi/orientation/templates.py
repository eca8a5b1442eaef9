"""Simulates libraries of templates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import normalize

from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.orientation.dynamical import DynamicalSpots
from napari_kikuchi.orientation.kinematical import KinematicalSpots
from napari_kikuchi.orientation.symmetry import proper_operators
from napari_kikuchi.orientation.template_library import BEYOND, Library
from napari_kikuchi.orientation.zone_axes import tilted, tilts, zone_axes
from napari_kikuchi.shared_cores import in_threads

if TYPE_CHECKING:
    from napari_kikuchi.crystals.crystal import Crystal

# Distances in degrees of cells, and of the templates within one.
STEP = 2.0
FINE_STEP = 0.3
# In Å, of a foil whose own thickness is not known. The thinnest scatter all but kinematically.
USUAL_THICKNESSES = (30, 60, *range(100, 801, 50))

# Weak spots say as much of an orientation as strong ones do, and how strong those are depends most
# on the thickness and the detector.
_POWER = 0.25
# Tilts reach so many steps from the middle of a cell: to the furthest corners between cells.
_REACH = 0.75
# Spots below this share of the strongest one of their template are not seen.
_MIN_INTENSITY = 1e-3
# Of a cell; the weakest above that number are left out.
_MOST_REFLECTIONS = 128


def kinematical_library(
    crystal: Crystal,
    *,
    voltage: float = 300.0,
    k_max: float = 2.0,
    step: float = STEP,
    fine_step: float = FINE_STEP,
    thicknesses: Sequence[float] = (100.0,),
) -> Job[Library]:
    """Simulate the templates of a thin crystal: in seconds for cubic metals.

    Parameters
    ----------
    crystal
        Whose templates.
    voltage
        Of the beam, in kV.
    k_max
        Length of the longest reciprocal lattice vector, in 1/Å.
    step, fine_step
        Distances in degrees of cells, and of the templates within one.
    thicknesses
        In Å.

    Yields
    ------
    Progress
        In cells.

    Returns
    -------
    Library
        Of the crystal.

    Raises
    ------
    ValueError
        If a step is out of range.
    """
    simulations = [
        KinematicalSpots(crystal, voltage=voltage, k_max=k_max, thickness=thickness)
        for thickness in thicknesses
    ]

    def simulate(rotations: Tensor) -> Tensor:
        return torch.stack([of_one.intensities(rotations) for of_one in simulations], dim=1)

    return (yield from _library(crystal, simulate, voltage, k_max, step, fine_step, thicknesses))


def dynamical_library(
    crystal: Crystal,
    *,
    voltage: float = 300.0,
    k_max: float = 2.0,
    step: float = STEP,
    fine_step: float = FINE_STEP,
    thicknesses: Sequence[float] = USUAL_THICKNESSES,
) -> Job[Library]:
    """Simulate the templates of a foil by Bloch waves: in half a minute for cubic metals.

    For cells of many atoms and low symmetry it takes hours. Parameters, updates, result and errors
    are those of :func:`kinematical_library`.
    """
    simulation = DynamicalSpots(crystal, voltage=voltage, k_max=k_max)

    def simulate(rotations: Tensor) -> Tensor:
        return torch.from_numpy(simulation.intensities(rotations, thicknesses))

    return (yield from _library(crystal, simulate, voltage, k_max, step, fine_step, thicknesses))


def _library(
    crystal: Crystal,
    simulate: Callable[[Tensor], Tensor],
    voltage: float,
    k_max: float,
    step: float,
    fine_step: float,
    thicknesses: Sequence[float],
) -> Job[Library]:
    """Gather templates, of intensities of shape (orientations, thicknesses, reflections)."""
    vectors = torch.as_tensor(crystal.reflections(k_max).vectors)
    middles = zone_axes(crystal.laue_group, step)
    offsets = tilts(_REACH * step, fine_step)

    def of_cell(middle: Tensor) -> tuple[Tensor, Tensor]:
        amplitude = _amplitudes(simulate(tilted(middle, offsets)))
        strength = amplitude.square().sum((0, 1))
        seen = strength.argsort(descending=True)[: min(_MOST_REFLECTIONS, strength.count_nonzero())]
        return (vectors[seen] @ middle)[:, :2].float(), normalize(amplitude[..., seen], dim=-1)

    def told(done: int) -> Progress:
        return Progress(done, len(middles), f"Simulating templates of {crystal.name}")

    cells = yield from in_threads(of_cell, middles, told, name="templates")
    positions, amplitudes = zip(*cells, strict=True)
    return Library(
        crystal.name,
        voltage,
        k_max,
        _POWER,
        proper_operators(crystal.laue_group),
        middles,
        offsets,
        torch.as_tensor(thicknesses, dtype=torch.float32),
        _padded(positions, -2, BEYOND),
        _padded(amplitudes, -1, 0.0),
    )


def _amplitudes(intensity: Tensor) -> Tensor:
    seen = (intensity > 0) & (intensity >= _MIN_INTENSITY * intensity.amax(-1, keepdim=True))
    # Relative ones do not vanish in single precision.
    relative = intensity / intensity.amax(-1, keepdim=True).clamp(min=1e-30)
    return torch.where(seen, relative, 0).float() ** _POWER


def _padded(parts: Sequence[Tensor], dim: int, value: float) -> Tensor:
    """One tensor of parts that differ in the size of a dimension."""
    size = max(max(part.shape[dim] for part in parts), 1)
    shape = list(parts[0].shape)
    shape[dim] = size
    whole = torch.full((len(parts), *shape), value)
    for row, part in zip(whole, parts, strict=True):
        row.narrow(dim, 0, part.shape[dim]).copy_(part)
    return whole
