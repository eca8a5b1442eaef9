"""What might be unknown of a map: random holes to learn from."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

# Shares of maps of which all is unknown, and of those with a rectangle; the rest has blots.
_ALL, _RECTANGLES = 0.4, 0.3
# Of the rectangles that are known, and what is around them is not.
_INSIDE_OUT = 0.3
# Half the sides of rectangles, in sides of the map.
_LEAST, _MOST = 0.1, 0.6
# Of blots: how many lie side by side.
_BLOTS = (4, 8, 16, 32)


def random_holes(count: int, size: int, generator: torch.Generator) -> Tensor:
    """Where maps are unknown: everywhere, in or around rectangles, in blots, in single pixels.

    Parameters
    ----------
    count, size
        Of the maps, and of their sides in pixels.
    generator
        Of all that is random, on the device of the result.

    Returns
    -------
    torch.Tensor
        1 where unknown, 0 elsewhere, of shape (count, 1, size, size).
    """
    kinds = _random(generator, count).reshape(-1, 1, 1)
    rectangles = _rectangles(count, size, generator)
    blots = _blots(count, size, generator)
    holes = torch.where(kinds < _ALL + _RECTANGLES, rectangles, blots) | (kinds < _ALL)
    # Where nothing is unknown there is nothing to learn.
    holes |= ~holes.flatten(1).any(dim=1).reshape(-1, 1, 1)
    return holes[:, None].float()


def _rectangles(count: int, size: int, generator: torch.Generator) -> Tensor:
    places = (torch.arange(size, device=generator.device) + 0.5) / size
    centres = _random(generator, count, 2, 1)
    halves = _LEAST + (_MOST - _LEAST) * _random(generator, count, 2, 1)
    down, right = ((places - centres).abs() < halves).unbind(dim=1)
    inside_out = _random(generator, count, 1, 1) < _INSIDE_OUT
    return (down[:, :, None] & right[:, None]) ^ inside_out


def _blots(count: int, size: int, generator: torch.Generator) -> Tensor:
    sides = (*(side for side in _BLOTS if side < size), size)
    heights = torch.empty(count, size, size, device=generator.device)
    chosen = torch.randint(len(sides), (count,), generator=generator, device=generator.device)
    for number, side in enumerate(sides):
        those = chosen == number
        noise = torch.randn(
            int(those.sum()), 1, side, side, generator=generator, device=generator.device
        )
        if len(noise):
            heights[those] = functional.interpolate(noise, size=(size, size), mode="bilinear")[:, 0]
    # Of any share of the map, all alike.
    ranks = heights.flatten(1).argsort(dim=1).argsort(dim=1).reshape(heights.shape)
    return ranks < size**2 * (0.05 + 0.9 * _random(generator, count, 1, 1))


def _random(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.rand(*shape, generator=generator, device=generator.device)
