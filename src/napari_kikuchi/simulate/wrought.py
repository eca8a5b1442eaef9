"""A wrought, recrystallised structure: equiaxed grains with annealing twins."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial.transform import Rotation

from napari_kikuchi.simulate.grains import tessellate
from napari_kikuchi.simulate.structure import Structure, as_quaternions, positions

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TWIN_PLANES = np.array([[1, 1, 1], [-1, 1, 1], [1, -1, 1], [1, 1, -1]]) / np.sqrt(3)
_TWIN_ANGLE = np.deg2rad(60)


@dataclass(frozen=True)
class Wrought:
    """How a wrought structure is made.

    Attributes
    ----------
    grain_size
        Mean diameter of a grain in space, in µm.
    size_spread
        Standard deviation of the logarithm of the grains' radii.
    scatter
        Standard deviation of the orientation inside a grain, in degrees: what little a
        recrystallised grain has, and the error of placing the beam.
    twins_per_grain
        Mean number of twin lamellae in a grain (Poisson).
    twin_widths
        Widths of the lamellae in µm, across their trace; each lamella has one of them. A lamella
        narrower than the step is one pixel thin.
    twin_steepness
        Sine of the least angle between the plane of a lamella and the surface: flatter ones have
        no trace to speak of. Close to 1, all are seen edge on.
    fibres
        Fibre texture: directions of the crystal, of which each grain has one along the normal of
        the surface; none: grains lie anyhow.
    fibre_spread
        By how far they do not, in degrees (standard deviation).
    """

    grain_size: float = 8.0
    size_spread: float = 0.25
    scatter: float = 0.05
    twins_per_grain: float = 1.5
    twin_widths: tuple[float, ...] = (0.2, 1.0, 2.5)
    twin_steepness: float = 0.3
    fibres: tuple[tuple[int, int, int], ...] = ()
    fibre_spread: float = 5.0


def make_wrought(
    rows: int, cols: int, step: tuple[float, float], seed: int, config: Wrought
) -> Structure:
    """Make a wrought structure; see :func:`napari_kikuchi.simulate.make_structure`."""
    rng = np.random.default_rng(seed)
    points = positions(rows, cols, step)
    grain, centres = tessellate(points, (config.grain_size,) * 2, config.size_spread, rng)
    parents = _parents(len(centres), config, rng)
    twin, variants = _twins(grain, points, step, parents, config, rng)
    deviations = np.deg2rad(config.scatter) * rng.standard_normal((len(points), 3))
    orientations = (
        Rotation.from_rotvec(variants[twin])
        * parents[grain - 1]
        * Rotation.from_rotvec(deviations / np.sqrt(3))
    )
    shape = (rows, cols)
    return Structure(
        kind="wrought",
        step=step,
        orientations=as_quaternions(orientations, shape),
        grain=grain.reshape(shape),
        cell=np.zeros(shape, np.int32),
        wall=np.zeros(shape, np.float32),
        particle=np.zeros(shape, np.int32),
        twin=twin.reshape(shape),
        blur=np.zeros(shape, np.float32),
        contrast=np.ones(shape, np.float32),
        settings={"kind": "wrought", "seed": seed, **asdict(config)},
    )


def _parents(count: int, config: Wrought, rng: np.random.Generator) -> Rotation:
    """Orientations of the grains without their twins."""
    if not config.fibres:
        return Rotation.random(count, rng=rng)
    fibres = np.array(config.fibres, float)[rng.permutation(count) % len(config.fibres)]
    normal = np.array([0.0, 0.0, 1.0])
    onto = Rotation.concatenate([Rotation.align_vectors([one], [normal])[0] for one in fibres])
    about = Rotation.from_rotvec(rng.uniform(0, 2 * np.pi, (count, 1)) * normal)
    tilts = np.deg2rad(config.fibre_spread) * rng.standard_normal((count, 2))
    return onto * about * Rotation.from_rotvec(np.column_stack([tilts, np.zeros(count)]))


def _twins(
    grain: NDArray[np.int32],
    points: NDArray[np.float64],
    step: tuple[float, float],
    parents: Rotation,
    config: Wrought,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Lamellae along the traces of {111}.

    Returns the number of the lamella at each point (0 in the parent), and for each number the
    rotation vector from the parent's crystal frame into the twin's (zeros for number 0).
    """
    twin = np.zeros(len(points), np.int32)
    variants = [np.zeros(3)]
    # The members of each grain, without searching the map once per grain.
    order = np.argsort(grain, kind="stable")
    ends = np.cumsum(np.bincount(grain)[1:])
    for index, members in enumerate(np.split(order, ends[:-1])):
        for _ in range(rng.poisson(config.twins_per_grain)):
            plane = _TWIN_PLANES[rng.integers(len(_TWIN_PLANES))]
            normal = parents[index].inv().apply(plane)[:2]
            if np.linalg.norm(normal) < config.twin_steepness:
                continue
            normal /= np.linalg.norm(normal)
            width = rng.choice(config.twin_widths)
            # Along the steeper axis of the trace, one pixel: the thinnest unbroken line.
            half = max(width, np.abs(normal * step).max()) / 2
            place = points[rng.choice(members)]
            distance = (points[members] - place) @ normal
            inside = members[(distance >= -half) & (distance < half) & (twin[members] == 0)]
            if len(inside) and len(inside) < len(members):
                twin[inside] = len(variants)
                variants.append(_TWIN_ANGLE * plane)
    return twin, np.array(variants)
