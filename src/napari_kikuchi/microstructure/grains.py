"""Grains of pictures: one orientation and one phase each, instead of colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.explore.inverse_pole_figures import Axis, ipf_colours
from napari_kikuchi.explore.orientations import OrientationMap
from napari_kikuchi.microstructure.pictures import PHASE
from napari_kikuchi.microstructure.regions import even_regions

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Orientations at random among which those of colours are looked up.
_CANDIDATES = 20_000
# A new grain takes an orientation of the scan whose colour is no further away than this: its
# texture goes on.
_OF_SCAN = 0.1
_SEED = 0


def picture_of(orientations: OrientationMap, along: Axis = "z") -> NDArray[np.float32]:
    """The picture of a map of orientations.

    Parameters
    ----------
    orientations
        Of one or two phases.
    along
        Direction of the sample whose inverse pole figure gives the colours.

    Returns
    -------
    numpy.ndarray
        Red, green, blue and phase, 0 to 1, of shape (4, rows, columns); NaN where there is no
        orientation.

    Raises
    ------
    ValueError
        If there are more phases.
    """
    check_phases(orientations)
    numbers = orientations.numbers
    phase = np.where(numbers > 0, numbers - 1.0, np.nan)
    return np.concatenate([ipf_colours(orientations, along), phase[None]]).astype(np.float32)


def check_phases(orientations: OrientationMap) -> None:
    """Check that a generator knows as many phases.

    Raises
    ------
    ValueError
        If there are more than two.
    """
    if len(orientations.symmetries) > 2:
        raise ValueError(
            f"expected maps of one or two phases, found {len(orientations.symmetries)}: generators "
            "know two. Index again with two of them"
        )


def oriented(
    picture: NDArray[np.floating],
    known: OrientationMap,
    along: Axis = "z",
    *,
    tiled: bool = False,
) -> OrientationMap:
    """Orientations of a picture that was filled in around what is known.

    What is known stays as it is. A filled-in region that is even with a known one goes on with the
    orientation of its known pixel that is nearest, counted in pixels. Any other is one grain, with
    an orientation that occurs in the map if there is one of its colour, and else with one of those
    that have its colour.

    Parameters
    ----------
    picture
        Without anything unknown, see :func:`picture_of`.
    known
        Orientations of one or two phases; none where the picture was filled in.
    along
        As for :func:`picture_of`.
    tiled
        Whether grains go on beyond an edge at the opposite one.

    Returns
    -------
    OrientationMap
        With an orientation everywhere.
    """
    from scipy.spatial import cKDTree

    there = known.numbers > 0
    if len(known.symmetries) == 1:
        # Who draws two phases may draw the second where there is none.
        picture = np.where(np.arange(len(picture))[:, None, None] == PHASE, 0, picture)
    regions = even_regions(picture, tiled=tiled)
    rows, cols = np.indices(there.shape)
    # Regions lie so far apart that none is nearest to another.
    places = np.stack([rows, cols, 2 * sum(there.shape) * regions], axis=-1).astype(np.float64)
    quaternions = np.where(there[..., None], known.quaternions, np.nan)
    numbers = known.numbers.copy()
    reached = np.zeros_like(there)
    if there.any():
        distance, nearest = cKDTree(places[there]).query(
            places[~there], distance_upper_bound=sum(there.shape)
        )
        found = np.isfinite(distance)
        reached[~there] = found
        quaternions[reached] = known.quaternions[there][nearest[found]]
        numbers[reached] = known.numbers[there][nearest[found]]
    new = ~there & ~reached
    _, region = np.unique(regions[new], return_inverse=True)
    if region.size:
        counts = np.bincount(region)
        means = np.stack([np.bincount(region, weights=one[new]) / counts for one in picture])
        of_regions = np.where(means[PHASE] > 0.5, len(known.symmetries), 1)
        chosen = _of_colours(means[:3].T, of_regions, known, along)
        quaternions[new], numbers[new] = chosen[region], of_regions[region]
    return OrientationMap(quaternions, known.symmetries, numbers)


def _of_colours(
    colours: NDArray[np.floating],
    phases: NDArray[np.integer],
    known: OrientationMap,
    along: Axis,
) -> NDArray[np.float64]:
    """Quaternions of shape (n, 4) whose colours are those, or the nearest that there are."""
    from scipy.spatial import cKDTree

    out = np.empty((len(colours), 4))
    for number, symmetry in enumerate(known.symmetries, 1):
        wanted = phases == number
        if not wanted.any():
            continue
        missing = np.ones(int(wanted.sum()), bool)
        found = np.empty((len(missing), 4))
        measured = known.quaternions[known.numbers == number]
        for candidates, limit in ((measured, _OF_SCAN), (_any_orientations(), np.inf)):
            if not len(candidates) or not missing.any():
                continue
            their = ipf_colours(OrientationMap(candidates[None], [symmetry]), along)[:, 0].T
            distances, nearest = cKDTree(their).query(
                colours[wanted][missing], distance_upper_bound=limit
            )
            near = np.isfinite(distances)
            taken = np.flatnonzero(missing)[near]
            found[taken] = candidates[nearest[near]]
            missing[taken] = False
        out[wanted] = found
    return out


def _any_orientations() -> NDArray[np.float64]:
    from scipy.spatial.transform import Rotation

    rng = np.random.default_rng(_SEED)
    return Rotation.random(_CANDIDATES, rng).as_quat(scalar_first=True)


def no_orientations(shape: tuple[int, int], symmetries: Sequence[Any]) -> OrientationMap:
    """A map of which nothing is known.

    Parameters
    ----------
    shape
        Rows and columns.
    symmetries
        Point groups of its phases.
    """
    return OrientationMap(np.full((*shape, 4), np.nan), symmetries)
