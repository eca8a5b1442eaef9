"""Which latent features to look at first, told without supervision."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

LOCAL_SIZE = 9
# Of a large map the score looks at tiles spread over it: medians take their time.
_TILE = 96
_TILES_ALONG = 3


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
    """How much fine structure there is in a map, apart from noise.

    The covariance of the map's :func:`local_difference` between neighbours, as a standard
    deviation: cell walls, twins and particles extend over neighbouring positions, the noise of
    patterns does not, and grains are gone with the local median. It has the unit of the feature
    and compares features of one encoder. A correlation would not do: it forgets how strong a
    structure is, and finds most in features that hold a little of everything without noise.

    Parameters
    ----------
    values
        Of shape (rows, columns); NaN where there is no value.

    Returns
    -------
    float
        0 for a constant map and for noise.
    """
    values = np.asarray(values)
    sums = np.sum(
        [_neighbour_products(local_difference(values[tile])) for tile in _tiles(values.shape)],
        axis=0,
    )
    total, count = sums
    return float(np.sqrt(max(total, 0.0) / max(count, 1)))


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
    return values - ndimage.median_filter(_filled(values), size, mode="nearest")


def _filled(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The map with each missing value replaced by the nearest that there is."""
    from scipy import ndimage

    missing = ~np.isfinite(values)
    if not missing.any() or missing.all():
        return values
    nearest = ndimage.distance_transform_edt(missing, return_distances=False, return_indices=True)
    return values[tuple(nearest)]


def _tiles(shape: tuple[int, ...]) -> Iterable[tuple[slice, slice]]:
    rows, cols = ([*_spread(length)] for length in shape)
    return ((row, col) for row in rows for col in cols)


def _spread(length: int) -> Iterable[slice]:
    """Ranges spread evenly over an axis, or all of it if it is short."""
    if length <= _TILE * _TILES_ALONG:
        return [slice(0, length)]
    starts = np.linspace(0, length - _TILE, _TILES_ALONG).astype(int)
    return [slice(start, start + _TILE) for start in starts]


def _neighbour_products(values: NDArray[np.float32]) -> tuple[float, int]:
    """Sum and number of the products of values next to each other, about their mean."""
    values = values.astype(np.float64)
    if not np.isfinite(values).any():
        return 0.0, 0
    values -= np.nanmean(np.where(np.isfinite(values), values, np.nan))
    products = [values[1:] * values[:-1], values[:, 1:] * values[:, :-1]]
    finite = [product[np.isfinite(product)] for product in products]
    return sum(float(product.sum()) for product in finite), sum(map(len, finite))
