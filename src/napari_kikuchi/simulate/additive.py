"""An additively manufactured structure: elongated grains full of solidification cells.

The defaults are those of a nickel superalloy built by directed energy deposition: cells of some
µm, a fine step of half a µm. A powder bed makes cells five times smaller: scale ``cell_size``,
``wall_width`` and the step together.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial.transform import Rotation

from napari_kikuchi.simulate.cells import Cells, divide_into_cells
from napari_kikuchi.simulate.grains import tessellate
from napari_kikuchi.simulate.structure import Structure, as_quaternions, positions, random_axes

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A Gaussian never ends; a wall does.
_WALL_ENDS = 1e-3


@dataclass(frozen=True)
class Additive:
    """How an additive structure is made.

    Attributes
    ----------
    grain_size
        Mean height and width of a grain in µm; grains are long along the build direction, which
        is that of the rows.
    texture_spread
        Standard deviation of the angle between the build direction and the <100> along which a
        grain has grown, in degrees.
    cell_size
        Distance between the axes of neighbouring cells, in µm.
    wall_width
        Width of a cell wall at half of its strength, in µm.
    cell_rotation
        Least and largest rotation of a cell from its surroundings, in degrees. Neighbours differ
        by at most twice the largest.
    domain_size
        Size of the domains inside a grain that are rotated as a whole, in µm.
    domain_rotation
        Least and largest rotation of a domain, in degrees.
    gradient
        Largest rotation of the lattice along a grain, in degrees per µm.
    wall_blur
        Standard deviation of the blur of a pattern in the middle of a wall, in pixels of a
        pattern 480 pixels high (some 0.19° each). Dislocations bend lattice planes within the
        interaction volume, and a wall holds the whole spread of orientations between its cells;
        the default is a strong wall, 2 pixels of a pattern binned to 120.
    wall_contrast_loss
        Share of the band contrast that is lost in the middle of a wall, besides what blur takes:
        electrons scattered by dislocations feed the background, not the bands.
    particle_fraction
        Share of the area that particles of niobium carbide take. They sit on walls.
    particle_size
        Mean diameter of a particle, in µm.
    """

    grain_size: tuple[float, float] = (100.0, 40.0)
    texture_spread: float = 12.0
    cell_size: float = 4.0
    wall_width: float = 0.8
    cell_rotation: tuple[float, float] = (0.05, 0.4)
    domain_size: float = 14.0
    domain_rotation: tuple[float, float] = (0.2, 1.0)
    gradient: float = 0.04
    wall_blur: float = 8.0
    wall_contrast_loss: float = 0.12
    particle_fraction: float = 0.01
    particle_size: float = 0.8


def make_additive(
    rows: int, cols: int, step: tuple[float, float], seed: int, config: Additive
) -> Structure:
    """Make an additive structure; see :func:`napari_kikuchi.simulate.make_structure`.

    Raises
    ------
    ValueError
        If the step is too large to show the cells.
    """
    if max(step) > config.cell_size / 2:
        raise ValueError(
            f"a step of {max(step):g} µm cannot show cells of {config.cell_size:g} µm: use a step "
            f"of at most {config.cell_size / 2:g} µm, or larger cells"
        )
    rng = np.random.default_rng(seed)
    points = positions(rows, cols, step)
    grain, centres = tessellate(points, config.grain_size, 0.25, rng)
    parents = _fibre_texture(len(centres), config.texture_spread, rng)
    cells = divide_into_cells(grain, points, parents, config.cell_size, rng)
    wall = np.exp(-4 * np.log(2) * (cells.wall_distance / config.wall_width) ** 2)
    wall[wall < _WALL_ENDS] = 0
    rotation = _cell_rotations(cells, config, rng)
    # Walls take up the difference between the cells on their sides: half of it in their middle.
    share = 0.5 * wall[:, None]
    vectors = (1 - share) * rotation[cells.nearest] + share * rotation[cells.second]
    vectors += _gradients(grain, centres, points, config, rng)
    orientations = parents[grain - 1] * Rotation.from_rotvec(np.deg2rad(vectors))
    particle = _particles(wall, points, config, step, rng)
    quaternions = as_quaternions(orientations, (rows, cols)).reshape(-1, 4)
    own = Rotation.random(particle.max() + 1, rng=rng).as_quat(canonical=True, scalar_first=True)
    matrix = particle == 0
    quaternions = np.where(matrix[:, None], quaternions, own[particle].astype(np.float32))
    wall = np.where(matrix, wall, 0)
    shape = (rows, cols)
    return Structure(
        kind="additive",
        step=step,
        orientations=quaternions.reshape(*shape, 4),
        grain=grain.reshape(shape),
        cell=np.where(matrix, cells.nearest + 1, 0).astype(np.int32).reshape(shape),
        wall=wall.astype(np.float32).reshape(shape),
        particle=particle.reshape(shape),
        twin=np.zeros(shape, np.int32),
        blur=(config.wall_blur * wall).astype(np.float32).reshape(shape),
        contrast=(1 - config.wall_contrast_loss * wall).astype(np.float32).reshape(shape),
        settings={"kind": "additive", "seed": seed, **asdict(config)},
    )


def _fibre_texture(n: int, spread: float, rng: np.random.Generator) -> Rotation:
    """Orientations with a <100> near the build direction, the sample's x, and any spin about it."""
    spin = np.zeros((n, 3))
    spin[:, 0] = rng.uniform(0, 2 * np.pi, n)
    # Two tilts, about y and z, whose combined angle has the stated spread.
    tilt = np.zeros((n, 3))
    tilt[:, 1:] = np.deg2rad(spread) / np.sqrt(2) * rng.standard_normal((n, 2))
    return Rotation.from_rotvec(spin) * Rotation.from_rotvec(tilt)


def _random_rotations(
    n: int, limits: tuple[float, float], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Rotation vectors in degrees, of shape (n, 3), with lengths between the limits."""
    return random_axes(rng, n) * rng.uniform(*limits, n)[:, None]


def _cell_rotations(
    cells: Cells, config: Additive, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Rotation vector of each cell in degrees: its domain's and its own."""
    own = _random_rotations(len(cells.seeds), config.cell_rotation, rng)
    # A domain is a bunch of neighbouring cells of one grain.
    bunch, _ = tessellate(cells.seeds, (config.domain_size,) * 2, 0.25, rng)
    pairs, domain = np.unique(np.stack([cells.grain, bunch]), axis=1, return_inverse=True)
    return own + _random_rotations(pairs.shape[1], config.domain_rotation, rng)[domain.ravel()]


def _gradients(
    grain: NDArray[np.int32],
    centres: NDArray[np.float64],
    points: NDArray[np.float64],
    config: Additive,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Rotation vectors in degrees that grow along a direction of each grain from its centre."""
    axes = _random_rotations(len(centres), (0.3 * config.gradient, config.gradient), rng)
    angle = rng.uniform(0, 2 * np.pi, len(centres))
    along = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    place = points - centres[grain - 1]
    return axes[grain - 1] * np.sum(place * along[grain - 1], axis=1, keepdims=True)


def _particles(
    wall: NDArray[np.float64],
    points: NDArray[np.float64],
    config: Additive,
    step: tuple[float, float],
    rng: np.random.Generator,
) -> NDArray[np.int32]:
    """Number of the particle at each point; 0 in the matrix."""
    from scipy.spatial import cKDTree

    particle = np.zeros(len(points), np.int32)
    sites = np.flatnonzero(wall > 0.5)
    wanted = config.particle_fraction * len(points)
    if wanted == 0 or len(sites) == 0:
        return particle
    tree = cKDTree(points)
    number = taken = 0
    for site in rng.permutation(sites):
        if taken >= wanted:
            break
        if particle[site]:
            continue
        radius = 0.5 * config.particle_size * rng.lognormal(0, 0.3)
        members = np.asarray(tree.query_ball_point(points[site], max(radius, 0.5 * min(step))))
        if particle[members].any():
            continue
        number += 1
        particle[members] = number
        taken += len(members)
    return particle
