"""Which latent features to look at first, told without supervision."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

LOCAL_SIZE = 9


def rank_features(maps: Iterable[ArrayLike]) -> NDArray[np.float64]:
    """Score of each map by :func:`feature_score`; the higher, the more there is to see.

    Parameters
    ----------
    maps
        Maps of shape (rows, columns), one after another: an array of shape (features, rows,
        columns) or whatever yields them, so that one map at a time need be in memory.

    Returns
    -------
    numpy.ndarray
        Of shape (features,).
    """
    return np.array([feature_score(values) for values in maps], dtype=np.float64)


def feature_score(values: ArrayLike) -> float:
    """How much fine structure a map has that neighbours share: from 0, none, to 1."""
    residual = local_difference(values)
    return max(0.0, _shared_with_neighbours(residual))


def local_difference(values: ArrayLike, size: int = LOCAL_SIZE) -> NDArray[np.float32]:
    """A map less its local median: what is finer than grains, such as cell walls.

    Parameters
    ----------
    values
        Of shape (rows, columns); NaN where there is no value.
    size
        Side of the square over which the median is taken, in positions.

    Returns
    -------
    numpy.ndarray
        Of the same shape, NaN where the map has no value.
    """
    from scipy import ndimage

    values = np.asarray(values, np.float32)
    filled = _fill(values)
    return values - ndimage.median_filter(filled, size, mode="nearest")


def _fill(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The map with each missing value replaced by the nearest that there is."""
    from scipy import ndimage

    missing = ~np.isfinite(values)
    if not missing.any() or missing.all():
        return values
    nearest = ndimage.distance_transform_edt(missing, return_distances=False, return_indices=True)
    return values[tuple(nearest)]


def _shared_with_neighbours(values: NDArray[np.floating]) -> float:
    """Correlation of a map with itself one position further, down and to the right."""
    finite = values[np.isfinite(values)].astype(np.float64)
    if finite.size < 2 or finite.var() == 0:
        return 0.0
    centred = values.astype(np.float64) - finite.mean()
    products = [centred[1:] * centred[:-1], centred[:, 1:] * centred[:, :-1]]
    both = np.concatenate([product[np.isfinite(product)] for product in products])
    return float(both.mean() / finite.var()) if both.size else 0.0
