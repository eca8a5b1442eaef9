"""Values and patterns along lines and paths drawn across a map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.explore.every_map import ask_every_map
from napari_kikuchi.explore.sampling import sample
from napari_kikuchi.jobs import Job

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_kikuchi.maps import MapStack

# Values that tell mean and deviation of a large map.
_SAMPLE = 100_000
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
    spacing
        Of the points, in µm.
    length
        Of the path, in µm; its last point may lie up to one spacing before its end.
    """

    points: NDArray[np.floating]
    distances: NDArray[np.floating]
    spacing: float
    length: float

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
        return cls(np.stack(points, axis=1), distances, spacing, float(at[-1]))

    @property
    def from_middle(self) -> NDArray[np.floating]:
        """Distances along the path from its middle in µm, of shape (n,)."""
        return self.distances - self.length / 2

    @property
    def positions(self) -> NDArray[np.intp]:
        """Scan positions nearest to the points, each once, in order; of shape (n, 2)."""
        nearest = np.rint(self.points).astype(np.intp)
        new = np.concatenate([[True], (np.diff(nearest, axis=0) != 0).any(axis=1)])
        return nearest[new]

    def length_beyond(self, shape: tuple[int, ...]) -> float:
        """Length of what lies beyond a map of some rows and columns, in µm, to a spacing."""
        return float((~_on_map(self.points, shape)).sum() * self.spacing)


def _on_map(points: NDArray[np.floating], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Whether points lie on a map, which reaches half a step beyond its positions: (n, 1)."""
    nearest = np.rint(points)
    return ((nearest >= 0) & (nearest < shape)).all(axis=1, keepdims=True)


def interpolate(values: ArrayLike, path: Path) -> NDArray[np.floating]:
    """Values of a map at the points of a path, interpolated linearly.

    Parameters
    ----------
    values
        Of shape (rows, columns); NaN where there is no value.
    path
        May leave the map.

    Returns
    -------
    numpy.ndarray
        Of shape (points,); NaN outside the map and where a value that is needed is missing. Up to
        half a step beyond the outermost positions, as far as they reach, their values hold.
    """
    values = np.asarray(values, np.float64)
    # What lies outside by rounding alone lies on the edge.
    whole = np.rint(path.points)
    points = np.where(np.abs(path.points - whole) < _ROUNDING, whole, path.points)
    last = np.subtract(values.shape, 1)
    points = np.where(_on_map(points, values.shape), np.clip(points, 0, last), points)
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
class PathProfile:
    """Values along a path, or the mean of those along several.

    Attributes
    ----------
    distances
        In µm, of shape (n,): from the start of a single path, from the middles of several, which
        are laid over each other there.
    values, deviation
        Mean and standard deviation over the paths that reach there, of shape (n,); NaN where none
        does.
    count
        How many do, of shape (n,).
    """

    distances: NDArray[np.floating]
    values: NDArray[np.floating]
    deviation: NDArray[np.floating]
    count: NDArray[np.intp]


def profile(values: ArrayLike, paths: Sequence[Path]) -> PathProfile:
    """Values of a map along a path, or on average along several that cross something alike.

    Parameters
    ----------
    values
        Of shape (rows, columns); NaN where there is no value.
    paths
        May leave the map. Several, such as lines that each cross a wall in their middle, are laid
        over each other by their middles: the profile is as long as the longest of them, and its
        points are as far apart as those of the first.

    Raises
    ------
    ValueError
        If there is no path.
    """
    if not paths:
        raise ValueError("there is no path to follow: draw a line across the map")
    if len(paths) == 1:
        found = interpolate(values, paths[0])
        known = np.isfinite(found)
        return PathProfile(
            paths[0].distances, found, np.where(known, 0, np.nan), known.astype(np.intp)
        )
    distances = common_distances(paths)
    laid = np.stack(
        [
            np.interp(
                distances, path.from_middle, interpolate(values, path), left=np.nan, right=np.nan
            )
            for path in paths
        ]
    )
    known = np.isfinite(laid)
    count = known.sum(axis=0)
    there = np.where(count, count, np.nan)
    mean = np.where(known, laid, 0).sum(axis=0) / there
    squares = np.where(known, (laid - mean) ** 2, 0).sum(axis=0)
    return PathProfile(distances, mean, np.sqrt(squares / there), count)


def common_distances(paths: Sequence[Path]) -> NDArray[np.floating]:
    """Points of several paths laid over each other, in µm from their middles."""
    spacing = paths[0].spacing
    half = max(path.length for path in paths) / 2
    reach = int(np.floor(half / spacing + _ROUNDING))
    return np.arange(-reach, reach + 1) * spacing


def feature_profiles(stack: MapStack, paths: Sequence[Path]) -> Job[NDArray[np.float64]]:
    """Profiles of all maps of a stack along the same paths.

    Parameters
    ----------
    stack
        May be on disk; one map at a time is read.
    paths
        As for :func:`profile`.

    Yields
    ------
    Progress
        Maps looked at.

    Returns
    -------
    numpy.ndarray
        Of shape (maps, points), in standard deviations of each map from its mean; 0 for a map that
        is constant, NaN where there is no value.
    """

    def standing_out(channel: int) -> NDArray[np.floating]:
        values = stack.map(channel)
        found = profile(values, paths).values
        some = values.ravel()[sample(values.size, _SAMPLE)]
        some = some[np.isfinite(some)].astype(np.float64)
        if not len(some) or not np.ptp(some) > 0:
            return np.where(np.isfinite(found), 0, np.nan)
        return (found - some.mean()) / some.std()

    return np.array((yield from ask_every_map(stack, standing_out, "Following the line")))


def shared_by_neighbours(profiles: NDArray[np.floating]) -> NDArray[np.float64]:
    """How much of a profile is change along the path, and not noise.

    Parameters
    ----------
    profiles
        Of shape (maps, points).

    Returns
    -------
    numpy.ndarray
        Covariance of neighbouring points, to which noise adds nothing, of shape (maps,); 0 where
        fewer than two have a value.
    """
    known = np.isfinite(profiles)
    mean = np.where(known, profiles, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    from_mean = np.where(known, profiles - mean[:, None], 0)
    pairs = (known[:, 1:] & known[:, :-1]).sum(axis=1)
    return (from_mean[:, 1:] * from_mean[:, :-1]).sum(axis=1) / np.maximum(pairs, 1)
