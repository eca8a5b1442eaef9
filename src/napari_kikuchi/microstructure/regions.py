"""Even regions of pictures: grains as a generator draws them, with borders not quite sharp."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.graphs import connected

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Distances of colours below which neighbouring regions are one: first those that are most alike.
_ALIKE = (0.02, 0.04, 0.06, 0.09, 0.12)
# How often pixels at borders may go over to the region whose colour they have.
_SETTLINGS = 2
# Regions of fewer pixels belong to the neighbour that is most alike.
_LEAST = 3


def even_regions(picture: NDArray[np.floating], *, tiled: bool = False) -> NDArray[np.int32]:
    """Divide a picture into regions of one colour and one phase each.

    Basins of how steeply colours change; those whose mean colours are alike are joined.

    Parameters
    ----------
    picture
        Of shape (channels, rows, columns), 0 to 1.
    tiled
        Whether regions go on beyond an edge at the opposite one.

    Returns
    -------
    numpy.ndarray
        Number of the region of each pixel, from 0 without gaps, of shape (rows, columns).
    """
    from skimage.segmentation import watershed

    labels: NDArray[np.integer]
    _, labels = np.unique(watershed(_steepness(picture)), return_inverse=True)
    colours = picture.reshape(len(picture), -1).astype(np.float64)
    for alike in _ALIKE:
        labels = _joined(labels, colours, alike, tiled)
    for _ in range(_SETTLINGS):
        labels = _settled(labels, colours)
    return _without_scraps(labels, colours, tiled)


def _steepness(picture: NDArray[np.floating]) -> NDArray[np.float64]:
    """Largest distance of each pixel's colour to its four neighbours'."""
    out = np.zeros(picture.shape[1:])
    for axis in (0, 1):
        distances = np.linalg.norm(np.diff(picture, axis=1 + axis), axis=0)
        for side in ((0, 1), (1, 0)):
            widths = [(0, 0), (0, 0)]
            widths[axis] = side
            out = np.maximum(out, np.pad(distances, widths))
    return out


def _joined(
    labels: NDArray[np.integer], colours: NDArray[np.float64], alike: float, tiled: bool
) -> NDArray[np.int32]:
    one, other = _borders(labels, tiled)
    means, _ = _means(labels, colours)
    near = np.linalg.norm(means[:, one] - means[:, other], axis=0) < alike
    return connected(one[near], other[near], means.shape[1])[labels]


def _settled(labels: NDArray[np.integer], colours: NDArray[np.float64]) -> NDArray[np.integer]:
    """Each pixel in that region of its neighbours and its own whose mean is nearest."""
    means, _ = _means(labels, colours)
    padded = np.pad(labels, 1, mode="edge")
    around = [labels, padded[2:, 1:-1], padded[:-2, 1:-1], padded[1:-1, 2:], padded[1:-1, :-2]]
    choices = np.stack(around).reshape(len(around), -1)
    distances = ((means[:, choices] - colours[:, None]) ** 2).sum(axis=0)
    chosen = np.take_along_axis(choices, distances.argmin(axis=0)[None], axis=0)
    return np.unique(chosen, return_inverse=True)[1].reshape(labels.shape)


def _without_scraps(
    labels: NDArray[np.integer], colours: NDArray[np.float64], tiled: bool
) -> NDArray[np.int32]:
    """Labels after regions of few pixels have gone to their neighbours, the smallest first."""
    while True:
        one, other = _borders(labels, tiled)
        means, areas = _means(labels, colours)
        # Each border from both sides.
        one, other = np.concatenate([one, other]), np.concatenate([other, one])
        small = (areas[one] < _LEAST) & (areas[one] <= areas[other])
        if not small.any():
            return labels.astype(np.int32)
        one, other = one[small], other[small]
        distances = np.linalg.norm(means[:, one] - means[:, other], axis=0)
        order = np.lexsort([distances, one])
        _, first = np.unique(one[order], return_index=True)
        chosen = order[first]
        labels = connected(one[chosen], other[chosen], len(areas))[labels]


def _borders(labels: NDArray[np.integer], tiled: bool) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs of regions that meet."""
    around = np.pad(labels, ((0, 1), (0, 1)), mode="wrap") if tiled else labels
    pairs = [
        np.stack([first.ravel(), second.ravel()])
        for first, second in ((around[1:], around[:-1]), (around[:, 1:], around[:, :-1]))
    ]
    both = np.sort(np.concatenate(pairs, axis=1), axis=0)
    one, other = np.unique(both[:, both[0] != both[1]], axis=1)
    return one, other


def _means(
    labels: NDArray[np.integer], colours: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Mean colour and number of pixels of each region."""
    flat = labels.ravel()
    areas = np.bincount(flat)
    sums = np.stack([np.bincount(flat, weights=one) for one in colours])
    return sums / areas, areas
