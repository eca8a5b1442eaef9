"""Grains: cells of a Laguerre tessellation of space, and planes cut through it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Laguerre:
    """A Laguerre tessellation of space.

    A point belongs to the seed with the least |x - seed|² - radius², found with a KD-tree in four
    dimensions, whose fourth coordinate is what the radius lacks of the largest one.

    Parameters
    ----------
    seeds
        Places, of shape (n, 3).
    radii
        Of shape (n,), in the same unit.
    """

    def __init__(self, seeds: NDArray[np.float64], radii: NDArray[np.float64]) -> None:
        # Squared once: a number and an array are rounded differently, and the root of -1e-16 is
        # none.
        squared = radii**2
        lift = np.sqrt(squared.max() - squared)
        self._tree = cKDTree(np.column_stack([seeds, lift]))

    def cells(self, points: NDArray[np.float64]) -> NDArray[np.intp]:
        """Number of the seed to which each point of shape (n, 3) belongs."""
        _, nearest = self._tree.query(np.column_stack([points, np.zeros(len(points))]))
        return nearest


def tessellate(
    points: NDArray[np.float64],
    size: tuple[float, float],
    size_spread: float,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Divide points of a plane among grains.

    The grains are cells of a tessellation of space. The cut shows large and small sections, as a
    polished surface does.

    Parameters
    ----------
    points
        Down and right in µm, of shape (n, 2).
    size
        Mean height and width of a grain in space, in µm.
    size_spread
        Standard deviation of the logarithm of the radii.
    rng
        Source of chance.

    Returns
    -------
    grain : numpy.ndarray
        Number of the grain at each point, from 1, without gaps; of shape (n,).
    centres : numpy.ndarray
        Mean place of each grain's points in µm, of shape (grains, 2).
    """
    # In units of the grain size, with a margin so that the border sees no fewer seeds.
    scaled = points / np.asarray(size)
    low, high = scaled.min(axis=0) - 2, scaled.max(axis=0) + 2
    low, high = np.append(low, -2.0), np.append(high, 2.0)
    count = max(1, round(float(np.prod(high - low))))
    seeds = rng.uniform(low, high, (count, 3))
    cells = Laguerre(seeds, 0.5 * rng.lognormal(0, size_spread, count))
    nearest = cells.cells(np.column_stack([scaled, np.zeros(len(points))]))
    _, grain = np.unique(nearest, return_inverse=True)
    return grain.astype(np.int32) + 1, centres_of(grain, points)


def centres_of(labels: NDArray[np.integer], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of the points of each label (0, 1, ...), of shape (labels, 2)."""
    count = np.bincount(labels)
    sums = [np.bincount(labels, weights=points[:, axis]) for axis in (0, 1)]
    return np.stack(sums, axis=1) / count[:, None]
