"""Kinematical master patterns against kikuchipy's."""

from contextlib import redirect_stderr
from io import StringIO

import numpy as np
from diffsims.crystallography import ReciprocalLatticeVector
from kikuchipy.simulations import KikuchiPatternSimulator

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.crystals.kinematical_master import kinematical_intensities


def test_copper_is_that_of_kikuchipy():
    copper = Crystal.built_in("cu")
    reflectors = ReciprocalLatticeVector.from_min_dspacing(copper.phase, 0.9)
    brightness = np.abs(copper.structure_factors(reflectors.hkl)) ** 2
    kept = brightness > 1e-6 * brightness.max()
    reflectors = reflectors[kept]
    # kikuchipy's bands are as bright as it is told.
    reflectors._structure_factor = brightness[kept]
    reflectors.calculate_theta(20e3)
    with redirect_stderr(StringIO()):
        simulator = KikuchiPatternSimulator(reflectors)
        signal = simulator.calculate_master_pattern(60, hemisphere="upper", scaling="linear")
    # In the stereographic projection.
    x, y = np.meshgrid(*[np.linspace(-1, 1, 121)] * 2)
    inside = x**2 + y**2 < 1
    vectors = np.stack([2 * x, 2 * y, 1 - x**2 - y**2], axis=-1)[inside]
    found = kinematical_intensities(copper, vectors, voltage=20, d_min=0.9)
    assert np.corrcoef(found, signal.data[inside])[0, 1] > 0.995


def test_bands_end_where_bragg_said():
    iron = Crystal.built_in("fe")
    # Across the band of (110), of which the next one that changes is far.
    normal = np.array([1, 1, 0]) / np.sqrt(2)
    away = np.array([0.31, -0.31, 1])
    away /= np.linalg.norm(away)
    angles = np.deg2rad(np.linspace(0.1, 2.5, 481))
    vectors = np.cos(angles)[:, None] * away + np.sin(angles)[:, None] * normal
    found = kinematical_intensities(iron, vectors, voltage=20, d_min=2.0)
    spacing = 2.866 / np.sqrt(2)
    edge = np.rad2deg(np.arcsin(0.085885 / (2 * spacing)))
    drop = np.rad2deg(angles[np.argmax(np.diff(found) < 0)])
    assert abs(drop - edge) < 0.02
