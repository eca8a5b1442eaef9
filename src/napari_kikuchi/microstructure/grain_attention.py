"""Attention within a grain: each pixel becomes a mean of those around that belong with it.

Grains are even and their borders sharp. Convolutions learn that slowly, and blur: here each pixel
looks at a window around it and takes over what those pixels hold that hold much the same, which is
the mean shift of Comaniciu and Meer (IEEE TPAMI 24, 603, 2002), and of whose learned features are
alike, which are the non-local means of Buades, Coll and Morel (CVPR 2005) with features that are
learned instead of patches.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

# Pixels along the sides of the squares that look at one window together, and how far this goes
# beyond them: a window for each pixel would take many times as long.
_SQUARE, _REACH = 4, 2
_WINDOW = _SQUARE + 2 * _REACH
# Rows of pixels that are looked at in one go: windows take a hundred times the memory of a map.
_BAND = 128
# To begin with: how fast likeness falls with the square of the distance of two values, as the
# exponent of e; with that of two places, as the deviation in pixels; and how much features count.
_STEEPNESS, _DEVIATION, _FEATURES = 1.5, 3.0, 0.3


class GrainAttention(nn.Module):
    """Means of pixels that belong together.

    Attributes
    ----------
    padding_mode
        What lies beyond the edges, as for convolutions.
    """

    _places: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.padding_mode = "replicate"
        self.steepness = nn.Parameter(torch.tensor([_STEEPNESS]))
        self.features = nn.Parameter(torch.tensor([_FEATURES]))
        # No pixel of a window is farther from any of its square.
        farthest = _SQUARE + _REACH - 1
        away = torch.arange(-farthest, farthest + 1)
        distances = (away[:, None] ** 2 + away**2).float()
        # A list: it is no matrix, which optimizers may treat otherwise.
        self.nearness = nn.Parameter(-distances.flatten() / (2 * _DEVIATION**2))
        # Of each pixel of a square and each of its window: where their nearness stands.
        apart = torch.arange(_WINDOW) - torch.arange(_REACH, _REACH + _SQUARE)[:, None]
        apart = apart + farthest
        places = apart[:, None, :, None] * len(away) + apart[None, :, None, :]
        self.register_buffer("_places", places.reshape(_SQUARE**2, -1), persistent=False)

    def forward(self, values: Tensor, features: Tensor) -> Tensor:
        """Means of values.

        Parameters
        ----------
        values
            Of each pixel, of shape (n, channels, rows, columns).
        features
            Of each pixel, by which those are found that belong together.

        Returns
        -------
        torch.Tensor
            Of the shape of ``values``.
        """
        channels, (rows, cols) = values.shape[1], values.shape[2:]
        # Whole squares, each with a window.
        beyond = _REACH, _REACH + -cols % _SQUARE, _REACH, _REACH + -rows % _SQUARE
        padded = torch.cat([values, features], dim=1)
        padded = functional.pad(padded, beyond, mode=self.padding_mode)
        bands = [
            self._means(padded[:, :, first : first + _BAND + 2 * _REACH], channels)
            for first in range(0, rows, _BAND)
        ]
        return torch.cat(bands, dim=2)[..., :rows, :cols]

    def _means(self, padded: Tensor, channels: int) -> Tensor:
        """Of the first channels, within the margin that windows reach into."""
        windows, squares = _windows(padded), _squares(padded[..., _REACH:-_REACH, _REACH:-_REACH])
        held = windows[..., :channels]
        steepness = self.steepness.exp()
        # The square of the distance, but for what is the same for a whole window.
        near = self.nearness[self._places] - steepness * (held**2).sum(dim=2)[:, None]
        counts = (2 * steepness).expand(channels), self.features.expand(squares.shape[2] - channels)
        likeness = torch.baddbmm(near, torch.cat(counts) * squares, windows.mT)
        means = likeness.softmax(dim=2) @ held
        high, wide = ((side - 2 * _REACH) // _SQUARE for side in padded.shape[2:])
        means = means.reshape(-1, high, wide, _SQUARE, _SQUARE, channels)
        return means.permute(0, 5, 1, 3, 2, 4).reshape(-1, channels, high * _SQUARE, wide * _SQUARE)


def _squares(pixels: Tensor) -> Tensor:
    """Pixels of shape (n, channels, rows, columns) as (squares, pixels of one, channels)."""
    count, channels, rows, cols = pixels.shape
    parts = pixels.reshape(count, channels, rows // _SQUARE, _SQUARE, cols // _SQUARE, _SQUARE)
    return parts.permute(0, 2, 4, 3, 5, 1).reshape(-1, _SQUARE**2, channels)


def _windows(padded: Tensor) -> Tensor:
    """The window around each square, of shape (squares, pixels of one, channels)."""
    count, channels = padded.shape[:2]
    windows = functional.unfold(padded, _WINDOW, stride=_SQUARE)
    windows = windows.reshape(count, channels, _WINDOW**2, -1)
    return windows.permute(0, 3, 2, 1).reshape(-1, _WINDOW**2, channels)
