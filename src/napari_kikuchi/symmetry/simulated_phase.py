"""What patterns of a phase look like, and which symmetry they show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.crystals.dynamical_master import DynamicalMaster
from napari_kikuchi.crystals.kinematical_master import kinematical_intensities
from napari_kikuchi.symmetry.classes import SIX_GROUPS
from napari_kikuchi.symmetry.phases import Phase
from napari_kikuchi.symmetry.pseudosymmetry import averages, correlation, shown_group
from napari_kikuchi.symmetry.sector import sector_directions

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
_PRIMITIVE = {"P": 1, "I": 2, "F": 4}


@dataclass(frozen=True, eq=False)
class SimulatedPhase:
    """A phase as a detector would see it.

    Attributes
    ----------
    dynamical, kinematical
        Intensities at the nodes of the triangle, of shape (nodes,).
    voltage
        In kV.
    shown
        The space group that the patterns show: that of an average if they are its.
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
        A cubic one of Laue group m-3m.
    seed
        Of what is random.
    """
    rng = np.random.default_rng([seed, phase.space_group])
    voltage = round(float(rng.uniform(*_VOLTAGES)), 2)
    depth, absorption = (usual * _SPREAD ** rng.uniform(-1, 1) for usual in (_DEPTH, _ABSORPTION))
    directions = sector_directions()

    def by_bands(settings: dict[str, Any]) -> NDArray[np.float32]:
        crystal = Crystal.from_settings(settings)
        return kinematical_intensities(crystal, directions, voltage=voltage)

    def by_waves(settings: dict[str, Any]) -> NDArray[np.float32]:
        share, least = _CLOSEST
        simulation = DynamicalMaster(
            Crystal.from_settings(settings),
            voltage=voltage,
            beams=_beams(phase),
            d_min=max(least, share * phase.cell),
            depth=depth,
            absorption=absorption,
        )
        return simulation(directions)

    bands, waves = by_bands(phase.settings()), by_waves(phase.settings())
    near = [
        (group, settings)
        for group, settings in averages(phase)
        if group in SIX_GROUPS and correlation(bands, by_bands(settings)) > _PERHAPS_ALIKE
    ]
    shown, nearest = shown_group(phase, waves, [(g, by_waves(one)) for g, one in near])
    return SimulatedPhase(waves, bands, voltage, shown, nearest)


def _beams(phase: Phase) -> int:
    few, for_each, most = _BEAMS
    lattice = {221: "P", 223: "P", 225: "F", 227: "F", 229: "I", 230: "I"}[phase.space_group]
    return int(np.clip(few + for_each * phase.cell**3 / _PRIMITIVE[lattice], few, most))
