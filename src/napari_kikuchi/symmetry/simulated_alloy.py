"""Nickel with particles of a Laves phase, whose truth is known: a scan to try symmetry on.

Nickel has the master pattern that kikuchipy ships, which nothing here has learned from or is
compared with. Particles have that of the known phase with which they are compared later: they match
it better than measured ones would.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.spatial.transform import Rotation

from napari_kikuchi.jobs import Job
from napari_kikuchi.simulate.detector import Detector
from napari_kikuchi.simulate.grains import tessellate
from napari_kikuchi.simulate.kept_scan import kept_scan
from napari_kikuchi.simulate.master import MasterPattern
from napari_kikuchi.simulate.scan import simulate_scan
from napari_kikuchi.simulate.structure import Structure, as_quaternions, positions
from napari_kikuchi.simulate.wrought import Wrought, make_wrought
from napari_kikuchi.symmetry.references import References

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STEP = (0.5, 0.5)
_PATTERN_SIZE = (60, 60)
_DETECTOR = Detector((0.5, 0.3, 0.6))
# A section smaller than this share of the mean one is a tip that no one would take for a particle.
_TIP = 0.5


@dataclass(frozen=True)
class AlloySettings:
    """What the alloy is, and how it is recorded.

    Attributes
    ----------
    shape
        Rows and columns of the scan.
    seed
        The same seed makes the same scan.
    grain_size
        Mean diameter of a grain of nickel, in µm; steps are of half a µm.
    twins
        Lamellae in a grain, on average.
    particles
        Their phase: the formula of one of the known phases.
    particle_size
        Their mean diameter in µm.
    particle_fraction
        Share of the area that they take.
    mean_counts
        Of a pixel. The usual ones make the noise of kikuchipy's real nickel scan, 1.7 %.
    """

    shape: tuple[int, int] = (40, 48)
    seed: int = 15
    grain_size: float = 10.0
    twins: float = 0.7
    particles: str = "NbCr2"
    particle_size: float = 2.5
    particle_fraction: float = 0.12
    mean_counts: float = 3500.0


def make_alloy(settings: AlloySettings | None = None) -> Structure:
    """Make the alloy: grains, twins, and particles that each stand anyhow."""
    settings = settings or AlloySettings()
    wrought = Wrought(
        grain_size=settings.grain_size, twins_per_grain=settings.twins, twin_widths=(1.0, 2.0)
    )
    matrix = make_wrought(*settings.shape, _STEP, settings.seed, wrought)
    rng = np.random.default_rng([settings.seed, 1])
    particle = _particles(settings, rng)
    inside = particle > 0
    own = as_quaternions(Rotation.random(particle.max() + 1, rng=rng), (1, particle.max() + 1))[0]
    return replace(
        matrix,
        kind="alloy",
        particle=particle,
        orientations=np.where(inside[..., None], own[particle], matrix.orientations),
        twin=np.where(inside, 0, matrix.twin),
        settings=_told(settings),
    )


def simulate_alloy(path: Path, settings: AlloySettings | None = None) -> Job[Path]:
    """Write a scan of the alloy, and its truth beside it.

    Parameters
    ----------
    path
        An ``.up2`` file. The truth goes to :func:`.truth_path`.
    settings
        Of alloy and microscope.

    Yields
    ------
    Progress
        Patterns simulated so far.

    Returns
    -------
    pathlib.Path
        The scan.

    Raises
    ------
    ValueError
        If particles are of no known phase.
    """
    from napari_kikuchi.simulate.effects import Effects

    settings = settings or AlloySettings()
    return (
        yield from simulate_scan(
            path,
            make_alloy(settings),
            pattern_size=_PATTERN_SIZE,
            seed=settings.seed,
            detector=_DETECTOR,
            effects=Effects(mean_counts=settings.mean_counts),
            particles=_master(settings.particles),
        )
    )


def kept_alloy() -> Job[Path]:
    """The scan of the usual alloy: from an earlier time, or simulated now and kept.

    Yields
    ------
    Progress
        Patterns simulated so far; nothing if the scan was there.

    Returns
    -------
    pathlib.Path
        The scan, as of :func:`simulate_alloy`.
    """
    told = {"structure": _told(AlloySettings())}
    return (yield from kept_scan("nickel_laves.up2", told, simulate_alloy))


def _told(settings: AlloySettings) -> dict[str, Any]:
    return {"kind": "alloy", **asdict(settings)}


def _particles(settings: AlloySettings, rng: np.random.Generator) -> NDArray[np.int32]:
    """Number of the particle at each position, of the scan's shape; 0 in the matrix."""
    from scipy.ndimage import binary_dilation

    points = positions(*settings.shape, _STEP)
    blocks, _ = tessellate(points, (settings.particle_size,) * 2, 0.25, rng)
    blocks = blocks.reshape(settings.shape)
    sizes = np.bincount(blocks.ravel())
    particle = np.zeros(settings.shape, np.int32)
    for block in rng.permutation(np.flatnonzero(sizes > _TIP * sizes[1:].mean())):
        if (particle > 0).mean() >= settings.particle_fraction:
            break
        inside = blocks == block
        # One that touched another would look like a part of it.
        if not particle[binary_dilation(inside)].any():
            particle[inside] = particle.max() + 1
    return particle


def _master(name: str) -> MasterPattern:
    """The master pattern of a known phase."""
    references = References.shipped()
    if name not in references.names:
        raise ValueError(
            f"expected particles of a known phase, such as NbCr2 or TiC, found {name!r}. The known "
            "phases are listed in napari_kikuchi.symmetry.known_phases"
        )
    index = references.names.index(name)
    return MasterPattern.of_directions(
        lambda directions: references.pattern(index, np.eye(3), directions), name
    )
