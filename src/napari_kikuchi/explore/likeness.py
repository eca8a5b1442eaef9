"""Which maps are alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.explore.every_map import ask_every_map
from napari_kikuchi.explore.sampling import sample
from napari_kikuchi.jobs import Job

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_kikuchi.maps import MapStack

# Positions by which maps are compared: 0.01 is three deviations of the correlation of so many.
_SAMPLE = 90_000


def likenesses(stack: MapStack, reference: ArrayLike, seed: int = 0) -> Job[NDArray[np.float64]]:
    """Rank correlation of each map of a stack with another map.

    Parameters
    ----------
    stack
        May be on disk; one map at a time is read.
    reference
        Of shape (rows, columns); NaN where there is no value.
    seed
        Of the positions by which large maps are compared.

    Yields
    ------
    Progress
        Maps looked at.

    Returns
    -------
    numpy.ndarray
        Spearman's coefficient over the positions at which both maps have a value, of shape
        (maps,): 1 where they rise together in whatever way, -1 where one falls as the other rises,
        0 for maps that are constant.

    Raises
    ------
    ValueError
        If the reference is of another shape.
    """
    from scipy.stats import rankdata

    reference = np.asarray(reference)
    if reference.shape != stack.map_shape:
        raise ValueError(
            f"maps of shape {stack.map_shape} cannot be compared with one of {reference.shape}"
        )
    where = np.flatnonzero(np.isfinite(reference))
    where = where[sample(len(where), _SAMPLE, seed)]
    expected = reference.ravel()[where]

    def likeness(channel: int) -> float:
        values = stack.map(channel).ravel()[where]
        known = np.isfinite(values)
        if not known.any():
            return 0.0
        ranks = rankdata(values[known]), rankdata(expected[known])
        return float(np.corrcoef(*ranks)[0, 1]) if all(map(np.ptp, ranks)) else 0.0

    return np.array((yield from ask_every_map(stack, likeness, "Comparing maps")))
