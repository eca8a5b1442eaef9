"""Ridge lines of a map, finer than its step: where the middle of a thin wall runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.jobs import Job, Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Of Otsu's threshold. Short walls between narrow cells are lower than others: a tenth less neither
# loses nor adds any on simulated maps.
_LENIENT = 0.9
# Deviations at which a Gaussian ends.
_CUT_OFF = 4.0
# Rows of a map that are worked on at once.
_ROWS = 32


@dataclass(frozen=True, eq=False)
class Ridges:
    """Points on the ridge lines of a map, at most one for each position.

    Attributes
    ----------
    points
        Down and right in µm from the first position, of shape (n, 2).
    normals
        Unit vectors across the line, of shape (n, 2).
    heights
        Of the smoothed map at the positions whose points they are, of shape (n,).
    """

    points: NDArray[np.float64]
    normals: NDArray[np.float64]
    heights: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, which: NDArray[np.bool_]) -> Ridges:
        return Ridges(self.points[which], self.normals[which], self.heights[which])


def find_ridges(
    values: NDArray[np.floating], step: tuple[float, float], sigma: float
) -> Job[Ridges]:
    """Find the ridge lines of a map.

    A position has a point of a ridge line if the smoothed map curves most, and downwards, across a
    direction along which its top lies within the position (Steger 1998, *An unbiased detector of
    curvilinear structures*, IEEE TPAMI 20, 113). The top is that of a Gaussian, not of a parabola,
    as the profile of a thin wall is that of the smoothing.

    Parameters
    ----------
    values
        Of shape (rows, columns), all finite, and 0 where no ridge is.
    step
        Distance between rows and between columns in µm.
    sigma
        Standard deviation of the smoothing in µm, in all directions alike.

    Yields
    ------
    Progress
        Rows done.
    """
    found = []
    for start in range(0, len(values), _ROWS):
        stop = min(start + _ROWS, len(values))
        found.append(_ridges_in_rows(values, start, stop, step, sigma))
        yield Progress(stop, len(values), "Looking for ridges")
    every = zip(*((one.points, one.normals, one.heights) for one in found), strict=True)
    return Ridges(*map(np.concatenate, every))


def _ridges_in_rows(
    values: NDArray[np.floating], start: int, stop: int, step: tuple[float, float], sigma: float
) -> Ridges:
    from scipy import ndimage

    deviations = sigma / np.array(step)
    margin = int(np.ceil(_CUT_OFF * deviations[0]))
    low = max(start - margin, 0)
    part = values[low : stop + margin]

    def smoothed(down: int, right: int) -> NDArray[np.float64]:
        """Derivative of the smoothed map, per µm."""
        found = ndimage.gaussian_filter(
            part, deviations, order=(down, right), mode="nearest", truncate=_CUT_OFF
        )
        return found[start - low : stop - low] / (step[0] ** down * step[1] ** right)

    down, right = smoothed(1, 0), smoothed(0, 1)
    along_down, along_right, mixed = smoothed(2, 0), smoothed(0, 2), smoothed(1, 1)
    half = (along_down - along_right) / 2
    curvature = (along_down + along_right) / 2 - np.hypot(half, mixed)
    angle = np.arctan2(mixed, half) / 2  # of the direction along the line
    normal = np.stack([-np.sin(angle), np.cos(angle)], axis=-1)
    slope = down * normal[..., 0] + right * normal[..., 1]
    height = smoothed(0, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        # The logarithm of a Gaussian is a parabola.
        away = -slope * height / (curvature * height - slope**2)
    offset = away[..., None] * normal
    curved_down = along_down + along_right < 0
    on = curved_down & (height > 0) & (np.abs(offset) <= np.array(step) / 2).all(axis=-1)
    positions = np.argwhere(on) + np.array([start, 0])
    return Ridges(positions * step + offset[on], normal[on], height[on])


def least_height(heights: NDArray[np.floating]) -> float:
    """Height from which ridges are walls, of the heights of walls and of what noise has drawn."""
    from skimage.filters import threshold_otsu

    return _LENIENT * float(threshold_otsu(heights))


def distances(
    ridges: Ridges, shape: tuple[int, int], step: tuple[float, float], reach: float
) -> Job[NDArray[np.float32]]:
    """Distance of each position to the nearest ridge line.

    Parameters
    ----------
    ridges
        At least one.
    shape
        Rows and columns of the map.
    step
        Distance between rows and between columns in µm.
    reach
        What is farther from any point, in µm, is told to be infinitely far.

    Yields
    ------
    Progress
        Rows done.

    Returns
    -------
    numpy.ndarray
        In µm, of the shape of the map.
    """
    from scipy.spatial import KDTree

    tree = KDTree(ridges.points)
    # Each point stands for a stretch of line as long as a position is.
    stretch = max(step) / 2
    found = np.full(shape, np.inf, np.float32)
    for start in range(0, shape[0], _ROWS):
        block = found[start : start + _ROWS]
        places = (np.argwhere(np.ones(block.shape, bool)) + np.array([start, 0])) * step
        away, nearest = tree.query(places, distance_upper_bound=reach)
        near = np.isfinite(away)
        between = places[near] - ridges.points[nearest[near]]
        across = np.sum(between * ridges.normals[nearest[near]], axis=1)
        along = np.sqrt(np.maximum(away[near] ** 2 - across**2, 0))
        block[near.reshape(block.shape)] = np.hypot(across, np.maximum(along - stretch, 0))
        yield Progress(min(start + _ROWS, shape[0]), shape[0], "Measuring the distance to walls")
    return found
