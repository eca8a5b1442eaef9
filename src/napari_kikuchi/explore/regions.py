"""What a region says of a map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.explore.every_map import ask_every_map
from napari_kikuchi.explore.places import box_around, check_place
from napari_kikuchi.jobs import Job
from napari_kikuchi.maps import contrast_limits

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_kikuchi.maps import MapStack

# Percentiles: low, median and high.
_PERCENTILES = (5.0, 50.0, 95.0)
# What lies beyond these percentiles counts in the outermost bins, which it would else move far out.
_SHOWN = (0.1, 99.9)


@dataclass(frozen=True)
class RegionValues:
    """The values of a map in a region. All but the first two are NaN where there is no value.

    Attributes
    ----------
    count
        Positions that have a value.
    area
        Of these positions, in µm².
    mean, median
        Of the values, in the unit of the map.
    deviation
        Standard deviation of the values; 0 for one alone.
    low, high
        5th and 95th percentile.
    """

    count: int
    area: float
    mean: float
    deviation: float
    median: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Histograms:
    """How often values of a map occur in some places and elsewhere, in common bins.

    Attributes
    ----------
    edges
        Of the bins, of shape (bins + 1,). Values beyond are in the outermost bins.
    places
        Positions of each place by bin, of shape (places, bins).
    rest
        Positions of no place by bin, of shape (bins,).
    """

    edges: NDArray[np.float64]
    places: NDArray[np.int64]
    rest: NDArray[np.int64]


def describe(
    values: ArrayLike, positions: NDArray[np.intp], step: tuple[float, float]
) -> RegionValues:
    """Describe the values of a map in a region.

    Parameters
    ----------
    values
        The map, of shape (rows, columns); NaN where it has no value.
    positions
        Of the region, row and column, of shape (n, 2).
    step
        Distance between rows and between columns, in µm.

    Raises
    ------
    PlacesError
        If the region is empty, or reaches beyond the map.
    """
    values = np.asarray(values)
    check_place(positions, values.shape)
    return _describe(values[tuple(positions.T)], step)


def describe_every_map(stack: MapStack, positions: NDArray[np.intp]) -> Job[list[RegionValues]]:
    """Describe the values of each map of a stack in a region.

    Parameters
    ----------
    stack
        May be on disk; one map at a time is read, as far as the region reaches.
    positions
        Of the region, row and column, of shape (n, 2).

    Yields
    ------
    Progress
        Maps looked at.

    Returns
    -------
    list of RegionValues
        One for each map.

    Raises
    ------
    PlacesError
        If the region is empty, or reaches beyond the maps.
    """
    check_place(positions, stack.map_shape)
    box = box_around(positions, stack.map_shape)
    inside = tuple((positions - [side.start for side in box]).T)

    def question(channel: int) -> RegionValues:
        return _describe(np.asarray(stack.values[channel, *box])[inside], stack.step)

    return (yield from ask_every_map(stack, question, "Measuring the region"))


def histograms(values: ArrayLike, places: Sequence[NDArray[np.intp]], bins: int) -> Histograms:
    """Count the values of a map in some places, and in what is left of it.

    Parameters
    ----------
    values
        The map, of shape (rows, columns); NaN and infinite values do not count.
    places
        Positions (n, 2) of each, row and column. A position of two places counts in both.
    bins
        How many, all of the same width: from the 0.1th to the 99.9th percentile of the map and of
        each place, whichever lies further out, so that a small place is not lost in a large map.

    Raises
    ------
    PlacesError
        If a place is empty, or reaches beyond the map.
    """
    values = np.asarray(values, np.float64)
    elsewhere = np.ones(values.shape, bool)
    for place in places:
        check_place(place, values.shape)
        elsewhere[tuple(place.T)] = False
    parts = [values[tuple(place.T)] for place in places]
    known = [part for part in (values, *parts) if np.isfinite(part).any()]
    limits = np.array([contrast_limits(part, _SHOWN) for part in known or [values]])
    edges = np.linspace(limits[:, 0].min(), limits[:, 1].max(), bins + 1)

    def count(part: NDArray[np.float64]) -> NDArray[np.int64]:
        inside = np.clip(part[np.isfinite(part)], edges[0], edges[-1])
        return np.histogram(inside, bins, (edges[0], edges[-1]))[0]

    counts = np.array([count(part) for part in parts], np.int64).reshape(len(parts), bins)
    return Histograms(edges, counts, count(values[elsewhere]))


def _describe(values: NDArray, step: tuple[float, float]) -> RegionValues:
    known = values[np.isfinite(values)].astype(np.float64)
    count = len(known)
    area = count * step[0] * step[1]
    if not count:
        return RegionValues(0, area, *[np.nan] * 5)
    low, median, high = map(float, np.percentile(known, _PERCENTILES))
    return RegionValues(count, area, float(known.mean()), float(known.std()), median, low, high)
