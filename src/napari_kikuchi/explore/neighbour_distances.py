"""How far apart the latent vectors of neighbouring positions are.

After "Lattice genome: representation and analysis of heterogeneous crystalline microstructures"
(arXiv 2606.09611), which tells domains apart by distances and angles between latent vectors and
measures the spread within them. What its abstract names is worked out here in analogy to the
misorientations of EBSD.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_kikuchi.explore.features import latent_channels
from napari_kikuchi.explore.sampling import sample
from napari_kikuchi.explore.surroundings import NEIGHBOURS
from napari_kikuchi.jobs import Job, Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.maps import MapStack

Metric = Literal["distance", "angle"]

# What the differences down, and then those to the right, are between.
_ENDS: Sequence[tuple[Any, Any]] = NEIGHBOURS

# Pairs of neighbours that tell the threshold.
_SAMPLE = 200_000
# So many deviations above the median, noise cuts too few neighbours off to break a domain up.
_CLEAR_OF_NOISE = 2


@dataclass(frozen=True, eq=False)
class NeighbourDistances:
    """Distances, or angles, between the latent vectors of neighbouring positions.

    Attributes
    ----------
    down
        Between each position and the one below, of shape (rows - 1, columns).
    right
        Between each position and the one to its right, of shape (rows, columns - 1).
    metric
        ``"distance"``: Euclidean, in the unit of the features. ``"angle"``: in degrees, about the
        mean vector of the scan. NaN where one of the two has no vector.
    """

    down: NDArray[np.float32]
    right: NDArray[np.float32]
    metric: Metric

    @property
    def every(self) -> NDArray[np.float32]:
        """All that are known, one after the other: those down, then those to the right."""
        every = np.concatenate([self.down.ravel(), self.right.ravel()])
        return every[np.isfinite(every)]

    @property
    def map_shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.right.shape[0], self.down.shape[1]


def neighbour_distances(stack: MapStack, metric: Metric = "angle") -> Job[NeighbourDistances]:
    """How far apart neighbours are in the space of the latent features.

    Parameters
    ----------
    stack
        May be on disk; one map at a time is read, and no more than a few maps are in memory
        however many features there are.
    metric
        Distances depend on how strongly the features vary, angles on their mixture alone.

    Yields
    ------
    Progress
        Maps looked at.
    """
    channels = latent_channels(stack)
    rows, cols = stack.map_shape
    sums = [np.zeros((rows - 1, cols), np.float32), np.zeros((rows, cols - 1), np.float32)]
    squares = np.zeros((rows, cols), np.float32)
    for done, channel in enumerate(channels, 1):
        values = stack.map(channel).astype(np.float32, copy=False)
        if metric == "angle":
            known = np.isfinite(values)
            values = values - (values.mean(where=known, dtype=np.float64) if known.any() else 0)
            squares += values * values
        for total, (one, other) in zip(sums, _ENDS, strict=True):
            if metric == "angle":
                total += values[one] * values[other]
            else:
                total += np.square(values[one] - values[other])
        yield Progress(done, len(channels), "Comparing neighbours")
    if metric == "distance":
        down, right = map(np.sqrt, sums)
    else:
        down, right = (
            _angle(total, squares[one] * squares[other])
            for total, (one, other) in zip(sums, _ENDS, strict=True)
        )
    return NeighbourDistances(down, right, metric)


def suggested_threshold(distances: NeighbourDistances) -> float:
    """The distance above which neighbours most likely belong to different domains.

    Li's minimum cross entropy parts the few large distances from the many small ones. Where there
    are no boundaries it would part noise from noise; so the threshold is at least two robust
    standard deviations above the median, which noise does not often reach.

    Raises
    ------
    ValueError
        If no two neighbours have vectors.
    """
    from scipy.stats import median_abs_deviation
    from skimage.filters import threshold_li

    every = distances.every
    if not len(every):
        raise ValueError("no two neighbours have latent vectors: there is nothing to tell apart")
    every = every[sample(len(every), _SAMPLE)]
    spread = float(median_abs_deviation(every, scale="normal"))
    return max(float(threshold_li(every)), float(np.median(every)) + _CLEAR_OF_NOISE * spread)


def kernel_spread(distances: NeighbourDistances, limit: float) -> NDArray[np.float32]:
    """Mean distance of each position to its neighbours (as the KAM is of misorientations).

    Parameters
    ----------
    distances
        Between neighbours.
    limit
        Neighbours that are farther away do not count: they belong to another domain.

    Returns
    -------
    numpy.ndarray
        Of shape (rows, columns), in the unit of the distances; NaN where no neighbour counts.
    """
    total = np.zeros(distances.map_shape, np.float32)
    count = np.zeros(distances.map_shape, np.uint8)
    for apart, (one, other) in zip((distances.down, distances.right), _ENDS, strict=True):
        counted = apart <= limit  # Not a NaN.
        for end in (one, other):
            total[end] += np.where(counted, apart, 0)
            count[end] += counted
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)


def _angle(products: NDArray[np.float32], squares: NDArray[np.float32]) -> NDArray[np.float32]:
    """Angle in degrees from a dot product and the product of the two squared lengths."""
    lengths = np.sqrt(squares)
    # A vector that is the mean of the scan has no direction, and is at no angle to others.
    cosine = np.divide(products, lengths, out=np.ones_like(products), where=lengths != 0)
    return np.rad2deg(np.arccos(np.clip(cosine, -1, 1)))
