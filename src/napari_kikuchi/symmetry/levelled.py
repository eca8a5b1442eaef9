"""Patterns without what is not of their bands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Width of the Gaussian that no band is as wide as, as a share of a pattern's height.
_WIDTH = 0.15
# Of the polynomial that a background's logarithm is: that of a Gaussian is one of degree 2.
_DEGREE = 3
# Pixels darker than this share of the mean say nothing.
_DARK = 0.02
# Below this spread, relative to the intensity, there is no contrast but by rounding.
_NONE = 1e-5


class Levelling:
    """Takes the background from patterns.

    The mean pattern of a map, which is subtracted elsewhere, holds the bands of its largest grain
    where grains are few. Here each pattern is levelled by itself: in the logarithm of its
    intensity the background is a polynomial, and whatever else is smooth.

    Parameters
    ----------
    mask
        Where patterns have a signal, of their shape.
    """

    def __init__(self, mask: NDArray[np.bool_]) -> None:
        self.mask = mask
        height, width = mask.shape
        self._down, self._right = (_gaussian(side, _WIDTH * height) for side in (height, width))
        inside = self._down @ mask.astype(np.float32) @ self._right
        self._inside = np.maximum(inside, 1e-6)
        self._pixels = max(int(mask.sum()), 1)
        self._polynomials = _polynomials(mask)

    def __call__(self, patterns: NDArray) -> NDArray[np.float32]:
        """Level patterns.

        Parameters
        ----------
        patterns
            Of shape (n, height, width).

        Returns
        -------
        numpy.ndarray
            Of the same shape, inside the mask with mean 0 and standard deviation 1; 0 outside it
            and for a pattern without contrast.
        """
        values = self.relative(patterns)
        spread = np.sqrt((values**2).sum(axis=(1, 2), keepdims=True) / self._pixels)
        return np.divide(values, spread, out=np.zeros_like(values), where=spread > _NONE)

    def relative(self, patterns: NDArray) -> NDArray[np.float32]:
        """The same as the logarithm of how much brighter than its background each pixel is."""
        recorded = np.asarray(patterns, np.float32)
        bright = np.where(self.mask, recorded, 0).sum(axis=(1, 2), keepdims=True) / self._pixels
        dark = np.maximum(_DARK * bright, np.finfo(np.float32).tiny)
        values = np.where(self.mask, np.log(np.maximum(recorded, dark) / dark), np.float32(0))
        flat = values.reshape(len(values), self.mask.size)
        flat -= flat @ self._polynomials @ self._polynomials.T
        values -= self._down @ values @ self._right / self._inside
        values *= self.mask
        values -= self.mask * (values.sum(axis=(1, 2), keepdims=True) / self._pixels)
        return values

    def shared(self, levelled: NDArray[np.float32]) -> NDArray[np.float32]:
        """Mean product of neighbouring pixels, of shape (n,): that of their noise is none.

        Parameters
        ----------
        levelled
            Patterns, of shape (n, height, width).
        """
        below = np.einsum("nij,nij->n", levelled[:, 1:], levelled[:, :-1])
        beside = np.einsum("nij,nij->n", levelled[:, :, 1:], levelled[:, :, :-1])
        mask = self.mask
        pairs = (mask[1:] & mask[:-1]).sum() + (mask[:, 1:] & mask[:, :-1]).sum()
        return (below + beside) / np.float32(max(pairs, 1))


def _gaussian(side: int, sigma: float) -> NDArray[np.float32]:
    places = np.arange(side)
    weights = np.exp(-((places[:, None] - places) ** 2) / (2 * sigma**2))
    return weights.astype(np.float32)


def _polynomials(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """An orthonormal basis inside the mask, of shape (pixels, polynomials)."""
    down, right = (np.linspace(-1, 1, side) for side in mask.shape)
    powers = [
        np.outer(down**i, right**j) * mask
        for i in range(_DEGREE + 1)
        for j in range(_DEGREE + 1 - i)
    ]
    return np.linalg.qr(np.stack(powers, axis=-1).reshape(mask.size, -1))[0].astype(np.float32)
