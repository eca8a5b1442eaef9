"""Which maps to look at first, told without supervision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.explore.surroundings import NEIGHBOURS, filled

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# The score's own, smaller square of positions: noise and thin walls live on this scale.
_SCORE_SIZE = 7
# Of a large map the score looks at tiles spread over it.
_TILE = 128
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
    """How much fine structure a map shows, in comparison with its noise.

    Less its local mean, a map holds cell walls, twins, particles, boundaries, and noise; of these
    only noise is not shared by neighbours. The score is the standard deviation of that difference
    times the square of its correlation between neighbours. The first alone would prefer strong
    features that are mostly noise, the second alone weak ones in which noise is weaker still.

    Parameters
    ----------
    values
        Of shape (rows, columns); NaN where there is no value.

    Returns
    -------
    float
        In the unit of the feature; 0 for a constant map, and near 0 for noise.
    """
    from scipy import ndimage

    values = np.asarray(values, np.float32)
    squares, products = _Mean(), _Mean()
    for tile in _tiles(values.shape):
        part = values[tile]
        local = part - ndimage.uniform_filter(filled(part), _SCORE_SIZE, mode="nearest")
        known = np.isfinite(local)
        local[~known] = 0
        squares.add(local, local, known)
        for one, other in NEIGHBOURS:
            products.add(local[one], local[other], known[one] & known[other])
    if squares.value <= 0:
        return 0.0
    correlation = max(0.0, products.value / squares.value)
    return float(np.sqrt(squares.value) * correlation**2)


@dataclass
class _Mean:
    """Mean of products of which some are not known."""

    total: float = 0.0
    count: int = 0

    def add(self, one: NDArray, other: NDArray, known: NDArray[np.bool_]) -> None:
        """Add products of two arrays, which are 0 where they are not known."""
        self.total += float(np.einsum("ij,ij->", one, other))
        self.count += int(np.count_nonzero(known))

    @property
    def value(self) -> float:
        return self.total / self.count if self.count else 0.0


def _tiles(shape: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    """Rectangles spread evenly over a map, or all of it if it is small."""
    return product(*map(_spread, shape))


def _spread(length: int) -> list[slice]:
    if length <= _TILE * _TILES_ALONG:
        return [slice(0, length)]
    starts = np.linspace(0, length - _TILE, _TILES_ALONG).astype(int)
    return [slice(start, start + _TILE) for start in starts]
