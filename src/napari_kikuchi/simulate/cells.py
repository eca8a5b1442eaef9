"""Solidification cells: columns along one <100> of each grain, cut by the surface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.spatial.transform import Rotation

# A column that lies in the surface would be cut endlessly long; real ones branch and end.
_MAX_ELONGATION = 3.0
# How far a cell's axis may lie from its place on the regular grid, in cell sizes.
_JITTER = 0.35
# The build direction in the sample's frame: up, against the rows.
_BUILD_DIRECTION = np.array([-1.0, 0.0, 0.0])


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells of all grains, and which of them a point belongs to.

    Attributes
    ----------
    seeds
        Middle of each cell in µm, of shape (cells, 2).
    grain
        Grain of each cell.
    nearest, second
        Index of the cell of each point and of the next one in the same grain.
    wall_distance
        Distance from each point to the middle of the wall between the two, in µm.
    """

    seeds: NDArray[np.float64]
    grain: NDArray[np.int32]
    nearest: NDArray[np.intp]
    second: NDArray[np.intp]
    wall_distance: NDArray[np.float64]


def divide_into_cells(
    grain: NDArray[np.int32],
    points: NDArray[np.float64],
    orientations: Rotation,
    size: float,
    rng: np.random.Generator,
) -> Cells:
    """Divide each grain into cells.

    Cells are columns along the <100> that lies nearest to the build direction. The surface cuts
    them obliquely, so their sections are longer along the projection of that direction.

    Parameters
    ----------
    grain
        Number of the grain at each point, from 1, of shape (n,).
    points
        Down and right in µm, of shape (n, 2).
    orientations
        Of the grains, from the sample's frame to the crystal's.
    size
        Distance between the axes of neighbouring cells, in µm.
    rng
        Source of chance.
    """
    nearest = np.empty(len(points), np.intp)
    second = np.empty(len(points), np.intp)
    distance = np.empty(len(points))
    seeds, owners, count = [], [], 0
    order = np.argsort(grain, kind="stable")
    ends = np.cumsum(np.bincount(grain)[1:])
    for index, members in enumerate(np.split(order, ends[:-1])):
        frame = _section_frame(orientations[index])
        local = points[members] @ frame.T / size
        centres = _jittered_grid(local.min(axis=0), local.max(axis=0), rng)
        tree = cKDTree(centres)
        to_seed, neighbours = tree.query(local, k=2)
        # Only cells with points in the grain are kept, numbered over all grains.
        used, numbers = np.unique(neighbours, return_inverse=True)
        numbers = numbers.reshape(neighbours.shape) + count
        nearest[members], second[members] = numbers.T
        # Between two seeds the wall's middle is where both are equally far. The gradient of the
        # difference turns that into a distance in µm, in the stretched frame as in the plane.
        first_seed, second_seed = (centres[neighbours[:, i]] for i in (0, 1))
        apart = (second_seed - first_seed) @ frame / size
        difference = to_seed[:, 1] ** 2 - to_seed[:, 0] ** 2
        distance[members] = difference / (2 * np.linalg.norm(apart, axis=1))
        seeds.append(centres[used] @ np.linalg.inv(frame).T * size)
        owners.append(np.full(len(used), index + 1, np.int32))
        count += len(used)
    return Cells(np.concatenate(seeds), np.concatenate(owners), nearest, second, distance)


def _section_frame(orientation: Rotation) -> NDArray[np.float64]:
    """From the surface to a frame in which the sections of a grain's cells are round; (2, 2)."""
    axes = orientation.inv().apply(np.eye(3))
    axis = axes[np.argmax(np.abs(axes @ _BUILD_DIRECTION))]
    elongation = min(_MAX_ELONGATION, 1 / max(abs(axis[2]), 1e-9))
    length = np.linalg.norm(axis[:2])
    along = axis[:2] / length if length > 1e-6 else np.array([1.0, 0.0])
    across = np.array([-along[1], along[0]])
    return np.stack([along / elongation, across])


def _jittered_grid(
    low: NDArray[np.float64], high: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Points near those of a hexagonal grid of unit distance, beyond the limits on each side."""
    row_distance = np.sqrt(3) / 2
    columns = np.arange(np.floor(low[0]) - 2, np.ceil(high[0]) + 3)
    lines = np.arange(np.floor(low[1] / row_distance) - 2, np.ceil(high[1] / row_distance) + 3)
    across, line = np.meshgrid(columns, lines, indexing="ij")
    grid = np.stack([across + 0.5 * (line % 2), line * row_distance], axis=-1).reshape(-1, 2)
    return grid + rng.uniform(-_JITTER, _JITTER, grid.shape) + rng.uniform(-0.5, 0.5, 2)
