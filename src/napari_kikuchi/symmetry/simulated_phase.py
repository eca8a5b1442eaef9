"""What patterns of a phase look like, and which symmetry they show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.crystals.dynamical_master import DynamicalMaster
from napari_kikuchi.crystals.kinematical_master import kinematical_intensities
from napari_kikuchi.symmetry.classes import class_of, is_m3
from napari_kikuchi.symmetry.phases import Phase
from napari_kikuchi.symmetry.pseudosymmetry import averages, correlation, shown_class
from napari_kikuchi.symmetry.sector import from_triangle, sector_directions, triangle

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Of the scanning electron microscope, in kV.
_VOLTAGES = (12.0, 28.0)
# By which depth and absorption differ from those that fit nickel: they depend on the material.
_SPREAD = 1.4
_DEPTH, _ABSORPTION = 32.0, 0.005
# Beams of a crystal with a small primitive cell, more for each Å³ of it, and at most.
_BEAMS = (44, 1 / 8, 90)
# Planes closer than this share of a cell's length are beams in no direction, nor are those closer
# than so many Å.
_CLOSEST = (1 / 22, 0.5)
# An average whose bands alone do not correlate like this is another crystal to any simulation.
_PERHAPS_ALIKE = 0.9
# Groups with a centred lattice, and how many primitive cells are in theirs.
_CENTRED = {
    **dict.fromkeys((197, 199, 204, 206, 211, 214, 217, 220, 229, 230), 2),
    **dict.fromkeys((196, 202, 203, 209, 210, 216, 219, 225, 226, 227, 228), 4),
}


@dataclass(frozen=True, eq=False)
class SimulatedPhase:
    """A phase as a detector would see it.

    Attributes
    ----------
    dynamical, kinematical
        Intensities at the nodes of the square, of shape (nodes,): the mean of both sides of the
        crystal.
    voltage
        In kV.
    shown
        The class that the patterns show, see :mod:`~napari_kikuchi.symmetry.classes`: that of an
        average if they are its.
    nearest
        Correlation with the average that is most alike; 0 if none is near.
    """

    dynamical: NDArray[np.float32]
    kinematical: NDArray[np.float32]
    voltage: float
    shown: int
    nearest: float


def simulate_phase(phase: Phase, seed: int) -> SimulatedPhase:
    """Simulate a phase at a random voltage, depth of sources and absorption.

    Parameters
    ----------
    phase
        A cubic one.
    seed
        Of what is random.
    """
    rng = np.random.default_rng([seed, phase.space_group])
    voltage = round(float(rng.uniform(*_VOLTAGES)), 2)
    depth, absorption = (usual * _SPREAD ** rng.uniform(-1, 1) for usual in (_DEPTH, _ABSORPTION))

    def by_bands(settings: dict[str, Any]) -> NDArray[np.float32]:
        crystal = Crystal.from_settings(settings)
        bands = partial(kinematical_intensities, crystal, voltage=voltage)
        return on_square(bands, phase.space_group)

    def by_waves(settings: dict[str, Any]) -> NDArray[np.float32]:
        share, least = _CLOSEST
        simulation = DynamicalMaster(
            Crystal.from_settings(settings),
            voltage=voltage,
            beams=_beams(phase),
            d_min=max(least, share * phase.cell),
            depth=depth,
            absorption=absorption,
            both_sides=True,
        )
        return on_square(simulation, phase.space_group)

    bands, waves = by_bands(phase.settings()), by_waves(phase.settings())
    own = class_of(phase.space_group)
    near = [
        (class_of(group), settings)
        for group, settings in averages(phase)
        if class_of(group) != own and correlation(bands, by_bands(settings)) > _PERHAPS_ALIKE
    ]
    shown, nearest = shown_class(phase, waves, [(g, by_waves(one)) for g, one in near])
    return SimulatedPhase(waves, bands, voltage, shown, nearest)


def on_square(
    intensities: Callable[[NDArray[np.float64]], NDArray[np.float32]], space_group: int
) -> NDArray[np.float32]:
    """Intensities of a crystal at the nodes of the square, of shape (nodes,).

    Parameters
    ----------
    intensities
        Of directions, of shape (n, 3).
    space_group
        Of the crystal. In Laue class m-3m half of the square tells all of it.
    """
    directions = sector_directions()
    if is_m3(space_group):
        return intensities(directions)
    return from_triangle(intensities(directions[triangle()]))


def _beams(phase: Phase) -> int:
    few, for_each, most = _BEAMS
    primitive = phase.cell**3 / _CENTRED.get(phase.space_group, 1)
    return int(np.clip(few + for_each * primitive, few, most))
