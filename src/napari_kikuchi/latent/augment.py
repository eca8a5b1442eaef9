"""Patterns as another acquisition might have recorded them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

# Each kind of noise is met with this probability, whatever the others do.
_PROBABILITY = 0.5
# Strongest of each: exponent of gamma, standard deviation of noise in patterns within [-1, 1], part
# of the pixels that become black or white.
_MOST_GAMMA = 1.5
_MOST_NOISE = 0.2
_MOST_SALT = 0.05


def augment(patterns: Tensor, mask: Tensor, generator: torch.Generator) -> Tensor:
    """Change patterns as a camera might, and in nothing that tells of the crystal.

    Gamma, Gaussian noise, salt and pepper, each with half a chance and of a strength drawn for
    each pattern; they may come together. Nothing moves, turns or blurs a pattern: that would change
    orientation or sharpness (Calvat et al. 2025).

    Parameters
    ----------
    patterns
        Of shape (n, height, width), within [-1, 1].
    mask
        Signal mask, of shape (height, width).
    generator
        Of all that is drawn.

    Returns
    -------
    torch.Tensor
        Of the same shape, within [-1, 1]; 0 outside the mask.
    """
    strengths = draw(torch.rand, patterns.new_empty(3, len(patterns), 1, 1), generator)
    met = draw(torch.rand, strengths, generator) < _PROBABILITY
    gamma, noise, salt = strengths * met
    # From 1 / most to most, evenly in its logarithm; 1 where it is not met.
    exponent = _MOST_GAMMA ** torch.where(met[0], 2 * gamma - 1, 0)
    changed = 2 * ((patterns.clamp(-1, 1) + 1) / 2) ** exponent - 1
    changed = changed + _MOST_NOISE * noise * draw(torch.randn, patterns, generator)
    chance = draw(torch.rand, patterns, generator)
    share = _MOST_SALT * salt / 2
    changed = torch.where(chance < share, -1, torch.where(chance > 1 - share, 1, changed))
    return changed.clamp(-1, 1) * mask


def draw(distribution: Callable[..., Tensor], like: Tensor, generator: torch.Generator) -> Tensor:
    """Random numbers of the shape and on the device of a tensor.

    They are drawn on the generator's device: the same on every other if that is the processor.
    """
    return distribution(like.shape, generator=generator, device=generator.device).to(like.device)
