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
    """

    grain_size: float = 8.0
    size_spread: float = 0.25
    scatter: float = 0.05
    twins_per_grain: float = 1.5
    twin_widths: tuple[float, ...] = (0.2, 1.0, 2.5)


def make_wrought(
    rows: int, cols: int, step: tuple[float, float], seed: int, config: Wrought
) -> Structure:
    """Make a wrought structure; see :func:`napari_kikuchi.simulate.make_structure`."""
    rng = np.random.default_rng(seed)
    points = positions(rows, cols, step)
    grain, centres = tessellate(points, (config.grain_size,) * 2, config.size_spread, rng)
    parents = Rotation.random(len(centres), rng=rng)
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
            # A plane nearly parallel to the surface has no trace to speak of.
            if np.linalg.norm(normal) < 0.3:
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
