"""Values and patterns along lines and paths drawn across a map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# Positions that differ by less are the same.
_ROUNDING = 1e-6


@dataclass(frozen=True, eq=False)
class Path:
    """Points along a line or a path, one step apart.

    Attributes
    ----------
    points
        Row and column of each, not rounded, of shape (n, 2).
    distances
        From the start along the path in µm, of shape (n,).
    """

    points: NDArray[np.floating]
    distances: NDArray[np.floating]

    @classmethod
    def through(cls, vertices: ArrayLike, step: tuple[float, float]) -> Path:
        """The path through some vertices.

        Parameters
        ----------
        vertices
            Row and column of each, not rounded, of shape (n, 2).
        step
            Distance between rows and between columns, in µm. Points are as far apart as the smaller
            of the two; the last vertex is a point only if that comes out even.

        Raises
        ------
        ValueError
            If the path has no length.
        """
        drawn = np.asarray(vertices, np.float64).reshape(-1, 2)
        lengths = np.linalg.norm(np.diff(drawn, axis=0) * step, axis=1)
        # A vertex drawn twice has no direction to go on in.
        drawn = drawn[np.concatenate([np.full(len(drawn[:1]), True), lengths > 0])]
        at = np.concatenate([[0.0], np.cumsum(lengths[lengths > 0])])
        if len(at) < 2:
            raise ValueError("a path needs two points that lie apart: draw a line across the map")
        spacing = min(step)
        # Lengths that are multiples of the step but for rounding keep their last point.
        distances = np.arange(np.floor(at[-1] / spacing + _ROUNDING) + 1) * spacing
        points = [np.interp(distances, at, drawn[:, axis]) for axis in (0, 1)]
        return cls(np.stack(points, axis=1), distances)

    @property
    def positions(self) -> NDArray[np.intp]:
        """Scan positions nearest to the points, each once, in order; of shape (n, 2)."""
        nearest = np.rint(self.points).astype(np.intp)
        new = np.concatenate([[True], (np.diff(nearest, axis=0) != 0).any(axis=1)])
        return nearest[new]


def profile(values: ArrayLike, path: Path) -> NDArray[np.floating]:
    """Values of a map along a path, interpolated linearly.

    Parameters
    ----------
    values
        Of shape (rows, columns); NaN where there is no value.
    path
        May leave the map.

    Returns
    -------
    numpy.ndarray
        Of shape (points,); NaN outside the map and where a value that is needed is missing.
    """
    values = np.asarray(values, np.float64)
    # What lies outside by rounding alone lies on the edge.
    whole = np.rint(path.points)
    points = np.where(np.abs(path.points - whole) < _ROUNDING, whole, path.points)
    low = np.floor(points).astype(np.intp)
    found = np.zeros(len(points))
    for corner in product((0, 1), repeat=2):
        weight = np.where(corner, points - low, 1 - (points - low)).prod(axis=1)
        at = low + corner
        there = ((at >= 0) & (at < values.shape)).all(axis=1)
        value = np.full(len(points), np.nan)
        value[there] = values[tuple(at[there].T)]
        # A missing value does no harm where it is not needed.
        found += np.where(weight > 0, weight * value, 0)
    return found


@dataclass(frozen=True, eq=False)
class MeanProfile:
    """Several profiles laid over each other by their middles.

    Attributes
    ----------
    distances
        From the middle in µm, of shape (n,).
    mean, deviation
        Over the profiles that reach there, of shape (n,); NaN where none does.
    count
        How many do, of shape (n,).
    """

    distances: NDArray[np.floating]
    mean: NDArray[np.floating]
    deviation: NDArray[np.floating]
    count: NDArray[np.intp]


def mean_profile(
    profiles: Sequence[tuple[NDArray[np.floating], NDArray[np.floating]]],
) -> MeanProfile:
    """Mean of several profiles, such as of lines that each cross a wall in their middle.

    Parameters
    ----------
    profiles
        Distances in µm and values of each, of shape (n,).

    Returns
    -------
    MeanProfile
        As long as the longest, its points as far apart as those of the first.

    Raises
    ------
    ValueError
        If there is none.
    """
    if not profiles:
        raise ValueError("there is no profile to average: draw one line or several")
    spacing = float(profiles[0][0][1] - profiles[0][0][0])
    half = max(float(at[-1] - at[0]) for at, _ in profiles) / 2
    reach = int(np.floor(half / spacing + _ROUNDING))
    distances = np.arange(-reach, reach + 1) * spacing
    laid = np.stack(
        [
            np.interp(distances, at - (at[0] + at[-1]) / 2, values, left=np.nan, right=np.nan)
            for at, values in profiles
        ]
    )
    known = np.isfinite(laid)
    count = known.sum(axis=0)
    sums = np.where(known, laid, 0).sum(axis=0)
    mean = sums / np.where(count, count, np.nan)
    squares = np.where(known, (laid - mean) ** 2, 0).sum(axis=0)
    return MeanProfile(distances, mean, np.sqrt(squares / np.where(count, count, np.nan)), count)
