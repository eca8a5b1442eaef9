"""The smooth part of a static background, which holds no bands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Width of the blur as a share of the pattern's height: bands are narrower, the background wider.
_WIDTH = 0.1


def smooth_background(
    background: NDArray[np.float32], mask: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Blur a static background until it holds no bands.

    The mean pattern of a map of few grains shows their bands, and patterns less it lack them:
    measures that look for the bands of each pattern by itself would miss them.

    Parameters
    ----------
    background
        Mean pattern of a map, of shape (height, width).
    mask
        Where the screen gives a signal; pixels outside do not count.

    Returns
    -------
    numpy.ndarray
        Of the same shape; 0 outside the mask.
    """
    from scipy.ndimage import gaussian_filter

    sigma = _WIDTH * len(background)
    weight = gaussian_filter(mask.astype(np.float64), sigma)
    blurred = gaussian_filter(np.where(mask, background, 0).astype(np.float64), sigma)
    return np.divide(blurred, weight, out=np.zeros_like(blurred), where=mask).astype(np.float32)
