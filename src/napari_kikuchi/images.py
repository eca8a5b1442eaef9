"""What is done to a pattern as an image: averaging it down, its signal, its background."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A frame whose border is brighter than this share of its bright level has no dark surround.
_DARK_SURROUND = 0.35
# Patterns binned at a time: what is added up stays in the processor's own memory.
_CACHE_BYTES = 2**20
# Width of the blur as a share of the pattern's height: bands are narrower, the background wider.
_BACKGROUND_WIDTH = 0.1


def bin_to(patterns: NDArray, size: tuple[int, int]) -> NDArray[np.float32]:
    """Average patterns down by area.

    Parameters
    ----------
    patterns
        Of shape (n, height, width).
    size
        Height and width wanted.

    Returns
    -------
    numpy.ndarray
        Of shape (n, *size). Each pixel is the mean over the area it covers; pixels on its edge
        count by the part covered.
    """
    out = np.empty((len(patterns), *size), np.float32)
    few = max(1, _CACHE_BYTES // max(1, patterns[:1].nbytes))
    for start in range(0, len(patterns), few):
        part = slice(start, start + few)
        out[part] = _binned(patterns[part], *size)
    return out


def _binned(patterns: NDArray, rows: int, cols: int) -> NDArray[np.float32]:
    count, height, width = patterns.shape
    # Whole factors are plain sums: several times as fast as a product, and no thread is woken.
    if height % rows == 0:
        tall = height // rows
        binned = _sum(np.moveaxis(patterns.reshape(count, rows, tall, width), 2, 0)) / tall
    else:
        binned = _area_weights(height, rows) @ patterns.astype(np.float32, copy=False)
    if width % cols == 0:
        wide = width // cols
        return _sum(np.moveaxis(binned.reshape(count, rows, cols, wide), 3, 0)) / wide
    return binned @ _area_weights(width, cols).T


def _sum(parts: NDArray) -> NDArray[np.float32]:
    """Sum over the first axis, one part after another: faster than numpy's own for few parts."""
    total = parts[0].astype(np.float32)
    for part in parts[1:]:
        total += part
    return total


@lru_cache(maxsize=32)
def _area_weights(length: int, size: int) -> NDArray[np.float32]:
    edges = np.linspace(0, length, size + 1)
    pixels = np.arange(length)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return (np.clip(overlap, 0, None) * size / length).astype(np.float32)


def find_signal_mask(mean_pattern: NDArray) -> NDArray[np.bool_]:
    """Find where the screen gives a signal.

    A round screen leaves the corners of the frame dark. The mask is what is brighter than a level
    between that dark surround and the screen, in one piece and without holes; the whole frame
    where nothing dark surrounds it.

    Parameters
    ----------
    mean_pattern
        Mean of some patterns, of shape (height, width).

    Returns
    -------
    numpy.ndarray
        True where there is a signal, of the same shape.
    """
    from scipy import ndimage

    border = np.concatenate(
        [mean_pattern[0], mean_pattern[-1], mean_pattern[:, 0], mean_pattern[:, -1]]
    )
    dark, bright = np.percentile(border, 5), np.percentile(mean_pattern, 75)
    if bright <= 0 or dark > _DARK_SURROUND * bright:
        return np.ones(mean_pattern.shape, bool)
    level = dark + 0.25 * (bright - dark)
    smooth = ndimage.gaussian_filter(mean_pattern.astype(np.float64), 1)
    pieces, count = ndimage.label(smooth > level)
    if count == 0:
        return np.ones(mean_pattern.shape, bool)
    largest = 1 + int(np.argmax(np.bincount(pieces.ravel())[1:]))
    return ndimage.binary_fill_holes(pieces == largest)


def smooth_background(pattern: NDArray, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Blur a pattern until it holds no bands.

    What looks for the bands of a pattern needs this background away, and nothing else: the mean
    pattern of a map of few grains shows their bands, and patterns less it lack them.

    Parameters
    ----------
    pattern
        Often the mean of many, of shape (height, width).
    mask
        Where the screen gives a signal; pixels outside do not count.

    Returns
    -------
    numpy.ndarray
        Of the same shape; 0 outside the mask.
    """
    from scipy.ndimage import gaussian_filter

    sigma = _BACKGROUND_WIDTH * len(pattern)
    weight = gaussian_filter(mask.astype(np.float64), sigma)
    blurred = gaussian_filter(np.where(mask, pattern, 0).astype(np.float64), sigma)
    return np.divide(blurred, weight, out=np.zeros_like(blurred), where=mask).astype(np.float32)
