"""Which maps tell two places apart: strokes on what is seen, or two regions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.explore.every_map import ask_every_map
from napari_kikuchi.explore.places import box_around, check_place
from napari_kikuchi.explore.sampling import sample
from napari_kikuchi.explore.surroundings import LOCAL_SIZE, NEIGHBOURS
from napari_kikuchi.jobs import Job

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.maps import MapStack

# Values whose differences tell the noise of a map.
_NOISE_SAMPLE = 100_000


def separations(
    stack: MapStack, one: NDArray[np.intp], other: NDArray[np.intp], *, fine: bool = True
) -> Job[NDArray[np.float64]]:
    """How far each map of a stack sets two places apart.

    Parameters
    ----------
    stack
        May be on disk; one map at a time is read, as far as the places reach.
    one, other
        Positions (n, 2) of the two places, row and column.
    fine
        Whether the places differ from their surroundings, as a wall does, and not only from each
        other. A few positions on and beside a wall are told apart by every map that happens to
        change from one grain to the next; a map that shows the wall shows it less the surroundings,
        too.

    Yields
    ------
    Progress
        Maps looked at.

    Returns
    -------
    numpy.ndarray
        Difference of the two means in standard deviations, of shape (maps,): positive where the
        first place is brighter. The deviation is that of the values within a place together with
        the noise of the map, which a few values would underrate. Where ``fine``, the smaller of
        what the map and the map less its surroundings give. 0 where a map has no values to say.

    Raises
    ------
    PlacesError
        If a place is empty, or lies outside the maps.
    """
    for place in (one, other):
        check_place(place, stack.map_shape)
    box = box_around(np.concatenate([one, other]), stack.map_shape, reach=LOCAL_SIZE // 2)
    low = [side.start for side in box]

    def separation(channel: int) -> float:
        part = np.asarray(stack.values[channel, *box], np.float64)
        return _separation(part, one - low, other - low, fine)

    return np.array((yield from ask_every_map(stack, separation, "Comparing places")))


def _separation(
    values: NDArray[np.float64], one: NDArray[np.intp], other: NDArray[np.intp], fine: bool
) -> float:
    noise = _noise(values)
    views = [[values[tuple(place.T)] for place in (one, other)]]
    if fine:
        views.append([_less_surroundings(values, place) for place in (one, other)])
    found = []
    for view in views:
        known = [place[np.isfinite(place)] for place in view]
        if not all(map(len, known)):
            return 0.0
        variance = np.mean([place.var() for place in known]) + noise**2
        apart = float(known[0].mean() - known[1].mean())
        if apart == 0:
            return 0.0
        found.append(apart / np.sqrt(variance) if variance > 0 else np.copysign(np.inf, apart))
    if len({np.sign(one) for one in found}) > 1:  # What the map shows is not the places.
        return 0.0
    return float(min(found, key=abs))


def _less_surroundings(values: NDArray[np.float64], place: NDArray[np.intp]) -> NDArray[np.float64]:
    """Values at a place less the medians of the squares around.

    As the local difference of a map, but worked out at the place alone: of a large map that takes
    seconds.
    """
    reach = LOCAL_SIZE // 2
    padded = np.pad(values, reach, constant_values=np.nan)
    around = np.lib.stride_tricks.sliding_window_view(padded, (LOCAL_SIZE, LOCAL_SIZE))
    here = values[tuple(place.T)]
    known = np.isfinite(here)
    less = np.full(len(here), np.nan)
    if known.any():
        squares = around[tuple(place[known].T)].reshape(int(known.sum()), -1)
        less[known] = here[known] - np.nanmedian(squares, axis=1)
    return less


def _noise(values: NDArray[np.float64]) -> float:
    """Standard deviation of what neighbours do not share."""
    from scipy.stats import median_abs_deviation

    differences = np.concatenate([(values[a] - values[b]).ravel() for a, b in NEIGHBOURS])
    differences = differences[sample(len(differences), _NOISE_SAMPLE)]
    differences = differences[np.isfinite(differences)]
    if not len(differences):
        return 0.0
    from_zero = median_abs_deviation(differences, center=lambda values, axis: 0.0, scale="normal")
    return float(from_zero) / np.sqrt(2)
