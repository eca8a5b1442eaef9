"""How good each pattern is, by four classical measures.

Each takes patterns of shape (n, height, width) and a signal mask of shape (height, width), and
gives one float32 for each pattern. What lies outside the mask does not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Patterns transformed at a time: their spectra should not take more memory than the block.
_BATCH = 16
# Frequencies above this share of the strongest count as sharp.
_SHARP = 1 / 2500


def image_quality(patterns: NDArray, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How much of a pattern's spectrum lies at low frequencies, by the Fourier transform.

    1 - J / J_max, where J is the mean of the squared frequency, weighted with the amplitudes of
    the spectrum, and J_max that of a flat spectrum. Background-corrected patterns are expected.

    Parameters
    ----------
    patterns
        Of shape (n, height, width).
    mask
        Where the screen gives a signal.

    Returns
    -------
    numpy.ndarray
        Of shape (n,): 0 for white noise, more for bands; NaN for a pattern without contrast.

    Notes
    -----
    After Krieger Lassen (1994), Automated determination of crystal orientations from electron
    backscattering patterns, with the frequencies of kikuchipy's ``EBSD.get_image_quality``. It is
    another quantity than the quality that Hough indexing gives.
    """
    from kikuchipy.pattern import fft_frequency_vectors
    from scipy.fft import fft2

    weights = fft_frequency_vectors(mask.shape).astype(np.float32).ravel()
    out = np.empty(len(patterns), np.float32)
    for part, filled in _filled_batches(patterns, mask):
        filled -= filled.mean(axis=(1, 2), keepdims=True)
        amplitude = np.abs(fft2(filled)).reshape(len(filled), -1)
        total = amplitude.sum(axis=1)
        with np.errstate(invalid="ignore"):
            out[part] = 1 - (amplitude @ weights) / total / weights.mean()
    return out


def sharpness(patterns: NDArray, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Share of the frequencies at which a pattern is strong: fewer where it is blurred.

    With f the real part of the Fourier transform, it is the mean of ``f > max|f| / 2500``.
    Patterns are expected as recorded: their mean intensity is the maximum, so that a pattern less
    its background would give something else.

    Parameters
    ----------
    patterns
        Of shape (n, height, width).
    mask
        Where the screen gives a signal.

    Returns
    -------
    numpy.ndarray
        Of shape (n,), between 0 and 1.

    Notes
    -----
    After Zhu & De Graef (2020), Ultramicroscopy, 10.1016/j.ultramic.2020.113088, and Wang et al.
    (2023), Materials Characterization 197, 112673. Noise pins it near one half: its f is as often
    above 0 as below, at every frequency, so that blurred patterns come close to sharp ones. What
    differences are left are small; average noisy patterns first, by binning or over neighbours.
    """
    from scipy.fft import fft2

    out = np.empty(len(patterns), np.float32)
    for part, filled in _filled_batches(patterns, mask):
        spectrum = fft2(filled).real
        limit = np.abs(spectrum).max(axis=(1, 2), keepdims=True) * _SHARP
        out[part] = (spectrum > limit).mean(axis=(1, 2))
    return out


def pattern_contrast(patterns: NDArray, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Standard deviation of the intensities; patterns less their background are expected."""
    return patterns[:, mask].std(axis=1).astype(np.float32)


def mean_intensity(patterns: NDArray, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Mean of the intensities; patterns are expected as recorded."""
    return patterns[:, mask].mean(axis=1, dtype=np.float64).astype(np.float32)


def fill_outside(patterns: NDArray, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Patterns with their own mean where there is no signal, so that the screen has no edge.

    Parameters
    ----------
    patterns
        Of shape (n, height, width).
    mask
        Where the screen gives a signal.

    Returns
    -------
    numpy.ndarray
        A copy of the same shape.
    """
    mean = mean_intensity(patterns, mask)
    return np.where(mask, patterns, mean[:, None, None]).astype(np.float32)


def _filled_batches(
    patterns: NDArray, mask: NDArray[np.bool_]
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    for start in range(0, len(patterns), _BATCH):
        part = slice(start, start + _BATCH)
        yield part, fill_outside(patterns[part], mask)
