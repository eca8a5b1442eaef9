"""What noise alone would give where spots are looked for: more where more is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn.functional import avg_pool2d

if TYPE_CHECKING:
    from torch import Tensor

# Sides of the tiles in which noise is measured, in pixels: of most of them no spot is a part.
_TILE = 8


class NoiseLimit:
    """How high a correlation has to be so that noise does not reach it.

    The variance of a pixel is taken as proportional to what is counted around it, above the darkest
    pixels; by how much, the pattern tells itself by differences of neighbours. So it holds for a
    detector that counts, for one that gives many units for an electron, and with a pedestal.

    Parameters
    ----------
    kernel
        With which patterns are correlated.
    deviations
        Above how many standard deviations noise is none. Where little is counted more is needed,
        as Bernstein's inequality says: a few electrons in a disc are many deviations.
    """

    def __init__(self, kernel: Tensor, deviations: float) -> None:
        self._squares = float(kernel.square().sum())
        self._highest = float(kernel.max())
        self._deviations = deviations

    def __call__(self, patterns: Tensor, around: Tensor) -> Tensor:
        """The limit at each pixel.

        Parameters
        ----------
        patterns
            Of shape (n, height, width).
        around
            Mean of the pixels around each, of the same shape.

        Returns
        -------
        torch.Tensor
            Of shape (n, height, width).
        """
        dark = _darkest(patterns)
        gain, floor = _gain_and_floor(patterns - dark)
        variance = torch.maximum(gain * (around - dark), floor)
        few = self._deviations**2 / 3 * self._highest * gain
        return self._deviations * (self._squares * variance).sqrt() + few


def _darkest(patterns: Tensor) -> Tensor:
    """What few pixels are below, of shape (n, 1, 1)."""
    # Of some of the pixels, which are enough.
    some = patterns[:, ::4, ::4].flatten(1)
    return some.kthvalue(1 + some.shape[1] // 100, dim=1).values[:, None, None]


def _gain_and_floor(patterns: Tensor) -> tuple[Tensor, Tensor]:
    """Variance over mean, and the least variance that there is, of shape (n, 1, 1) each."""
    tile = min(_TILE, patterns.shape[1], patterns.shape[2] - 1)
    differences = (patterns[:, :, 1:] - patterns[:, :, :-1]).square() / 2
    variance = avg_pool2d(differences[:, None], tile).flatten(1)
    mean = avg_pool2d(patterns[:, None, :, :-1], tile).flatten(1)
    ratio = torch.where(mean > 0, variance / mean, torch.nan)
    gain = ratio.nanmedian(dim=1).values.nan_to_num(0.0)
    floor = variance.kthvalue(1 + variance.shape[1] // 4, dim=1).values
    return gain[:, None, None], floor[:, None, None]
