"""What is done to a pattern as an image: averaging it down, its signal, its background."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A frame whose border is brighter than this share of its bright level has no dark surround.
_DARK_SURROUND = 0.35
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
    (height, width), (rows, cols) = patterns.shape[1:], size
    if height % rows == 0 and width % cols == 0:
        from napari_kikuchi.binning import bin_by_factors

        return bin_by_factors(patterns, size)
    binned = area_weights(height, rows) @ patterns.astype(np.float32, copy=False)
    return binned @ area_weights(width, cols).T


@lru_cache(maxsize=32)
def area_weights(length: int, size: int) -> NDArray[np.float32]:
    """Shares of pixels in each of ``size`` parts of a line of ``length`` pixels: (size, length)."""
    edges = np.linspace(0, length, size + 1)
    pixels = np.arange(length)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return (np.clip(overlap, 0, None) * size / length).astype(np.float32)


def resized_mask(mask: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    """A mask at another size, by the nearest pixel."""
    rows, cols = (
        np.minimum(((np.arange(new) + 0.5) * old / new).astype(int), old - 1)
        for new, old in zip(size, mask.shape, strict=True)
    )
    return mask[np.ix_(rows, cols)]


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
