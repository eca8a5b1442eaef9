"""Orientations of copper from lists of spots by py4DSTEM and pyxem, for orientations.py.

py4DSTEM wants numpy below 2, so both live in an environment of their own:

    python3.11 -m venv peers
    peers/bin/python -m pip install "numpy<2" py4DSTEM==0.14.18 pyxem==0.21.0

`python benchmarks/orientations.py --peers peers/bin/python` starts this script there, for each
method; by itself it is PYTHON orientation_peers.py METHOD SPOTS.npz FOUND.npz. It does not import
napari-kikuchi.

Both peers get the same spots, crystal, voltage and longest vector, and one thread. Counted is the
processor time of their own call that matches; not what comes before: plans, templates, compiling,
lists of their own kind and rendered patterns.

py4DSTEM matches lists of spots: `Crystal.orientation_plan` of 406 zone axes, 2° apart, and 180
in-plane angles, then `match_orientations`; refined, zone axes 0.5° apart are looked at around the
best of those 2° apart. pyxem matches lists only to indexed vectors; what it recommends for
orientation maps is `PolarDiffraction2D.get_orientation`, which wants patterns in polar coordinates.
Spots are drawn into these as Gaussians, which spares pyxem what an integration of images loses.

Settings that differ from those documented are the best of a search on 300 patterns of each kind,
of another seed. What they brought, in patterns within 5 degrees, as the mean over kinematical and
dynamical patterns with and without noise:

* py4DSTEM, 0.89 to 0.92: powers of intensities of 0.125 instead of 0.25, a kernel of 0.1 instead of
  0.08 1/Å. Powers of 0.06 to 0.5, powers of the radius of 0 and 2, kernels of 0.04 to 0.12 1/Å,
  deviations of the excitation error of 0.01 to 0.03 1/Å and in-plane steps of 1° brought 0.002
  more at most.
* pyxem, 0.71 to 0.91: a power of 0.15 for the intensities of patterns instead of 0.5 and of 0.5 for
  those of templates instead of 1, spots of templates from 0.01 of the strongest instead of 0.05.
  Powers from 0.15 to 1, excitation errors of 0.03 to 0.15 1/Å, also Gaussian ones, drawn spots of
  0.03 to 0.08 1/Å and coarser grids brought 0.001 more at most. Its first filter passes 0.3 of the
  templates, which costs nothing; the documented tenth would be twice as fast and cost 0.02.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

K_MAX, VOLTAGE = 2.1, 300.0
LATTICE_PARAMETER, ATOMIC_NUMBER = 3.615, 29
ATOMS = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]

# pyxem's grid, of the radius and of the angle, as in its examples, and the deviation of a drawn
# spot in 1/Å.
RADII = np.arange(100) * K_MAX / 100
ANGLES = np.arange(360) * 2 * np.pi / 360 - np.pi
SPOT_WIDTH = 0.04

# From the spots of patterns, as the values of Spots, to rotations of shape (patterns, 3, 3), from
# the sample's frame into the crystal's, and the processor time of matching in seconds. A pattern
# without an orientation has NaN.
Matching = Callable[[np.ndarray], tuple[np.ndarray, float]]
PEERS: dict[str, Callable[[], Matching]] = {
    "py4DSTEM": lambda: py4dstem(angle_step_zone_axis=2.0),
    "pyxem, 2°": lambda: pyxem(2.0),
    "pyxem, 1°": lambda: pyxem(1.0),
    # Last, as it takes an hour.
    "py4DSTEM, refined": lambda: py4dstem(angle_step_zone_axis=0.5, angle_coarse_zone_axis=2.0),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("method", choices=PEERS)
    parser.add_argument("spots", help="a file with the spots of each kind of patterns")
    parser.add_argument("found", help="file for rotations and seconds, in the order of the kinds")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with np.load(options.spots) as file:
        patterns = list(file.values())
    match = PEERS[options.method]()
    # What is compiled at the first call is.
    match(patterns[0][:16])
    rotations, seconds = zip(*map(match, patterns), strict=True)
    np.savez(options.found, rotations=rotations, seconds=seconds)


def py4dstem(**zone_axes: float) -> Matching:
    from py4DSTEM.process.diffraction import Crystal

    crystal = Crystal(ATOMS, ATOMIC_NUMBER, LATTICE_PARAMETER)
    crystal.calculate_structure_factors(k_max=K_MAX)
    crystal.orientation_plan(
        # The corners of the cubic triangle, beside [001].
        zone_axis_range=np.array([[0, 1, 1], [1, 1, 1]]),
        accel_voltage=1000 * VOLTAGE,
        corr_kernel_size=0.1,
        power_intensity=0.125,
        power_intensity_experiment=0.125,
        progress_bar=False,
        **zone_axes,
    )

    def match(spots: np.ndarray) -> tuple[np.ndarray, float]:
        vectors = _bragg_vectors(spots)
        start = time.process_time()
        found = crystal.match_orientations(vectors, progress_bar=False)
        took = time.process_time() - start
        # Reciprocal lattice vectors times these, as columns, are in the sample's frame, whose z
        # points from the origin to the centre of the Ewald sphere: they are ours.
        matrices = found.matrix[0, :, 0]
        none = ~matrices.any(axis=(1, 2), keepdims=True)
        return np.where(none, np.nan, matrices), took

    return match


def _bragg_vectors(spots: np.ndarray) -> Any:
    """The spots as py4DSTEM's list of lists, calibrated, of a scan of one row."""
    from emdfile import PointListArray
    from py4DSTEM import BraggVectors

    fields = [("qx", np.float64), ("qy", np.float64), ("intensity", np.float64)]
    lists = PointListArray(dtype=fields, shape=(1, len(spots)))
    for index, one in enumerate(spots):
        found = one[one[:, 2] > 0]
        lists[0, index].add(np.array(list(map(tuple, found)), dtype=fields))
    vectors = BraggVectors(lists.shape, (1, 1))
    vectors.set_raw_vectors(lists)
    vectors.calibration.set_origin((0, 0))
    vectors.calibration.set_ellipse((1, 1, 0))
    vectors.calibration.set_QR_rotation(0)
    vectors.setcal()
    return vectors


def pyxem(step: float) -> Matching:
    import dask
    import hyperspy.api as hyperspy

    dask.config.set(scheduler="synchronous")
    hyperspy.set_log_level("ERROR")
    hyperspy.preferences.General.show_progressbar = False
    simulation = _templates(step)
    templates = simulation.rotations.to_matrix()

    def match(spots: np.ndarray) -> tuple[np.ndarray, float]:
        patterns = _polar_patterns(spots)
        start = time.process_time()
        found = patterns.get_orientation(simulation, frac_keep=0.3)
        took = time.process_time() - start
        index, _, in_plane, sign = found.data.reshape(-1, 4).T
        # Its angles count from where the axis of angles begins.
        turned = np.radians(in_plane) - ANGLES[0]
        rotations = turned_templates(templates[index.astype(int)], turned, sign < 0)
        rotations[~(spots[..., 2] > 0).any(axis=1)] = np.nan
        return rotations, took

    return match


def _templates(step: float) -> Any:
    """diffsims' simulation of the zone axes of the cubic triangle, so many degrees apart."""
    from diffpy.structure import Atom, Lattice, Structure
    from diffsims.generators.simulation_generator import SimulationGenerator
    from orix.crystal_map import Phase
    from orix.sampling import get_sample_reduced_fundamental

    lattice = Lattice(*[LATTICE_PARAMETER] * 3, 90, 90, 90)
    structure = Structure([Atom("Cu", atom) for atom in ATOMS], lattice)
    phase = Phase("copper", space_group=225, structure=structure)
    generator = SimulationGenerator(VOLTAGE, minimum_intensity=0.01)
    simulation = generator.calculate_diffraction2d(
        phase,
        rotation=get_sample_reduced_fundamental(resolution=step, point_group=phase.point_group),
        max_excitation_error=0.1,
        reciprocal_radius=K_MAX,
        with_direct_beam=False,
    )
    for vectors in simulation.coordinates:
        vectors.intensity = np.sqrt(vectors.intensity)
    return simulation


def _polar_patterns(spots: np.ndarray) -> Any:
    """Patterns as pyxem's azimuthal integration gives them, of spots drawn as Gaussians."""
    from pyxem.signals import PolarDiffraction2D

    images = np.zeros((len(spots), len(RADII), len(ANGLES)), np.float32)
    for image, one in zip(images, spots, strict=True):
        kx, ky, intensity = one[one[:, 2] > 0].T
        radius, angle = np.hypot(kx, ky)[:, None], np.arctan2(ky, kx)[:, None]
        # Apart from the spot along the circle by a chord.
        across = 2 * radius * np.sin((ANGLES - angle) / 2)
        along = np.exp(-(((RADII - radius) / SPOT_WIDTH) ** 2) / 2)
        image[:] = (intensity**0.15 * along.T) @ np.exp(-((across / SPOT_WIDTH) ** 2) / 2)
    patterns = PolarDiffraction2D(images)
    for axis, values in zip(patterns.axes_manager.signal_axes, (ANGLES, RADII), strict=True):
        axis.offset, axis.scale = values[0], values[1] - values[0]
    return patterns


def turned_templates(
    templates: np.ndarray, in_plane: np.ndarray, mirrored: np.ndarray
) -> np.ndarray:
    """Orientations whose patterns are those of templates, mirrored and then turned.

    Parameters
    ----------
    templates
        Orientations of the templates, from the sample's frame into the crystal's, of shape
        (n, 3, 3).
    in_plane
        Angle from x to y by which the pattern is turned, in radians, of shape (n,).
    mirrored
        Whether y is first made -y, of shape (n,). The crystal's inverse has the same intensities.

    Returns
    -------
    numpy.ndarray
        Of shape (n, 3, 3).
    """
    # With the crystal inverted, a mirror of y is a half turn about y.
    half_turn = np.where(mirrored[:, None], [-1, 1, -1], [1, 1, 1])
    cosine, sine = np.cos(in_plane), np.sin(in_plane)
    back = np.zeros_like(templates)
    back[:, 0, 0], back[:, 0, 1] = cosine, sine
    back[:, 1, 0], back[:, 1, 1] = -sine, cosine
    back[:, 2, 2] = 1
    return templates * half_turn[:, None, :] @ back


if __name__ == "__main__":
    main()
