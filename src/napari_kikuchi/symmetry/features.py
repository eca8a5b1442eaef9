"""What is read of the profiles of bands: all of them, or where they end.

Once scattered, electrons make a band as bright as its plane reflects; scattered many times, they
sharpen its edges, turn its middle dark and change how bright bands are beside each other. Where a
profile falls is Bragg's angle all the same. Falls count by their square root: how deep one is, is
the square of a structure factor in one description and nearer to the factor itself in the other.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_kikuchi.symmetry.bands import FAMILIES, STEPS, TWINS

# Standard deviation of the Gaussian that profiles are smoothed by, in steps, and its reach.
_SMOOTH, _REACH = 0.7, 2
# Brings falls to about 1.
_SCALE = 5.0
# Falls below this are noise: the square root would make much of them.
_NOISE = 0.01
# Share of the falls that are left out while training, relative to that of the features.
_LEFT_OUT = 0.6


class FallingEdges(nn.Module):
    """How steeply profiles fall."""

    _kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        places = torch.arange(-_REACH, _REACH + 1)
        smooth = torch.exp(-(places**2) / (2 * _SMOOTH**2))
        smooth = functional.pad(smooth / smooth.sum(), (2, 2))
        kernel = _SCALE * (smooth[2:] - smooth[:-2]) / 2
        self.register_buffer("_kernel", kernel[None, None], persistent=False)

    def forward(self, profiles: Tensor) -> Tensor:
        """The square root of the fall at each angle, 0 where profiles rise, of their shape.

        Parameters
        ----------
        profiles
            Of shape (n, families, steps).
        """
        rows = profiles.reshape(-1, 1, profiles.shape[-1])
        # Beyond their ends profiles go on as they are there.
        rows = functional.pad(rows, (_REACH + 1, _REACH + 1), mode="replicate")
        falls = functional.conv1d(rows, self._kernel).clamp(min=0).reshape(profiles.shape)
        return (falls + _NOISE).sqrt() - _NOISE**0.5


def band_features(width: int, dropout: float) -> nn.Sequential:
    """Layers from profiles, of shape (n, families, steps), to features, of shape (n, width).

    Convolutions run along the logarithm of the angle over the profiles of all band families at
    once: which bands there are, and how their widths relate, is told alike for cells of any length.

    Parameters
    ----------
    width
        How many features, an even number.
    dropout
        Share of them that is left out while training.
    """
    half = width // 2
    return nn.Sequential(
        *_convolution(len(FAMILIES), half),
        *_convolution(half, half),
        *_convolution(half, width, stride=2),
        *_convolution(width, width, stride=2),
        LargestAndMean(),
        nn.Linear(2 * width, width),
        nn.GELU(),
        nn.Dropout(dropout),
    )


class LargestAndMean(nn.Module):
    """Of each channel, wherever it is."""

    def forward(self, found: Tensor) -> Tensor:
        """From shape (n, channels, steps) to (n, 2 * channels)."""
        return torch.cat([found.amax(dim=-1), found.mean(dim=-1)], dim=1)


def _convolution(channels: int, out: int, stride: int = 1) -> list[nn.Module]:
    convolution = nn.Conv1d(channels, out, 5, stride=stride, padding=2)
    return [convolution, nn.BatchNorm1d(out), nn.GELU()]


def edge_features(width: int, dropout: float) -> nn.Sequential:
    """Layers from profiles, of shape (n, families, steps), to features, of shape (n, width).

    Each angle of each family is normalised for itself, so that what is new in all patterns of a
    target leaves with its mean.

    Parameters
    ----------
    width
        How many features.
    dropout
        Share of them that is left out while training.
    """
    return _of_edges(len(FAMILIES) * STEPS, width, dropout)


def _of_edges(falls: int, width: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        FallingEdges(),
        nn.Flatten(),
        nn.BatchNorm1d(falls, affine=False),
        nn.Dropout(_LEFT_OUT * dropout),
        nn.Linear(falls, width),
        nn.BatchNorm1d(width),
        nn.GELU(),
        nn.Dropout(dropout),
    )


class TwinFeatures(nn.Module):
    """Of families that are two in Laue class m-3, beside all others.

    Which of the two is which depends on the setting that a pattern happens to be described in:
    both ways are read, and the mean is taken.

    Parameters
    ----------
    width
        How many features.
    dropout
        Share of them that is left out while training.
    """

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        falls = (len(FAMILIES) + 2 * len(TWINS)) * STEPS
        self.layers = _of_edges(falls, width, dropout)

    def forward(self, profiles: Tensor, twins: Tensor) -> Tensor:
        """Of shape (n, width).

        Parameters
        ----------
        profiles
            Of all families, the means over both settings, of shape (n, families, steps).
        twins
            Of those that are two, in each of the settings, of shape (n, 2, twins, steps).
        """
        one, other = twins.unbind(dim=1)
        both = torch.cat(
            [torch.cat([profiles, one, other], dim=1), torch.cat([profiles, other, one], dim=1)]
        )
        first, second = self.layers(both).chunk(2)
        return (first + second) / 2
