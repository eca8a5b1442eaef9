"""The gain of a pattern: a feature that is measured, and multiplies what all others decode to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from napari_kikuchi.latent.overlap import Overlap

if TYPE_CHECKING:
    from torch import Tensor

# Norms are told apart where they are more than so many of their deviations.
_FLOOR = 3.0
# The least floor, relative to the norm of most patterns: where all of them have the same.
_LEAST_FLOOR = 0.01
# And the least spread of the logarithm.
_LEAST_SPREAD = 0.01


class Gain(nn.Module):
    """From a pattern to its gain, and to the strengths of its components at median gain.

    The gain is the norm of the pattern, without what noise adds to it and what the overlap of
    neighbouring patterns takes of it. All pixels tell of it: how much of a pattern lies in some
    components differs from grain to grain. Its feature is its logarithm, and counts in deviations
    from the median.

    On a map of many grains all patterns lie about as far from their mean, and the norm is their
    contrast. On a map of one it is how far a pattern is turned from the mean, and nothing to divide
    by. So the gain levels off at a floor, which is some deviations of the norm.

    Parameters
    ----------
    components
        How many strengths a pattern has.
    """

    median: Tensor
    spread: Tensor
    floor: Tensor

    def __init__(self, components: int) -> None:
        super().__init__()
        self.overlap = Overlap(components)
        self.register_buffer("median", torch.zeros(1))
        self.register_buffer("spread", torch.ones(1))
        self.register_buffer("floor", torch.ones(1))

    def forward(self, strengths: Tensor, power: Tensor) -> tuple[Tensor, Tensor]:
        """Feature (n, 1) and strengths at median gain (n, components) of patterns.

        Parameters
        ----------
        strengths
            Of their components, of shape (n, components).
        power
            Squared norm of each, less that of noise, of shape (n, 1).
        """
        log_gain = self._log_gain(self._pure_norm(strengths, power))
        feature = (log_gain - self.median) / self.spread
        return feature, strengths * torch.exp(self.median - log_gain)

    @torch.no_grad()
    def scale_to(self, strengths: Tensor, power: Tensor) -> None:
        """Set floor, median and spread to those of some patterns, given as for :meth:`forward`."""
        norm = self._pure_norm(strengths, power)
        middle, deviation = _middle_and_deviation(norm)
        if middle == 0:  # Patterns that are all alike have no gain.
            return
        self.floor.copy_(torch.maximum(_FLOOR * deviation, _LEAST_FLOOR * middle))
        median, spread = _middle_and_deviation(self._log_gain(norm))
        self.median.copy_(median)
        self.spread.copy_(spread.clamp_min(_LEAST_SPREAD))

    def _pure_norm(self, strengths: Tensor, power: Tensor) -> Tensor:
        """Norm without what overlap takes of it, of shape (n, 1)."""
        return power.clamp_min(0).sqrt() * torch.exp(-self.overlap(strengths))

    def _log_gain(self, norm: Tensor) -> Tensor:
        return 0.5 * torch.log(norm.square() + self.floor.square())


def _middle_and_deviation(values: Tensor) -> tuple[Tensor, Tensor]:
    """Median, and half of what lies between 16 and 84 %: some pores change neither."""
    low, middle, high = torch.quantile(values, values.new_tensor([0.16, 0.5, 0.84]))
    return middle, (high - low) / 2
