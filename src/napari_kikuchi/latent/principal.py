"""Networks that begin as principal components and learn what is curved about the patterns.

Nearly all that a convolution could find in prepared patterns lies in a few hundred principal
components of them. Behind these, fully connected layers are enough: a step costs a fraction of one
through convolutions. Encoder and decoder are each a linear map plus a correction that is nothing at
first, and the linear maps start as probabilistic principal components: the best a linear
autoencoder can become, so training begins where a plain one would end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import nn

from napari_kikuchi.latent.layers import residual_block
from napari_kikuchi.latent.linear import principal_components

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

# Components that are kept. Of 12,800 patterns of forty grains, noise is all that is beyond them.
COMPONENTS = 256
# Of the connected layers.
_WIDTH = 512
# Patterns whose components are found, spread evenly over those given.
_SAMPLE = 8192


class _Components(nn.Module):
    """Mean pattern and components, scaled for their use, which no training changes."""

    mean: Tensor
    components: Tensor

    def __init__(self, pixels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(pixels))
        self.register_buffer("components", torch.zeros(COMPONENTS, pixels))


class PrincipalEncoder(_Components):
    """From patterns (n, 1, height, width) to means and log-variances (n, 2 x latent)."""

    def __init__(self, latent: int, size: tuple[int, int]) -> None:
        super().__init__(size[0] * size[1])
        self.linear = nn.Linear(COMPONENTS, 2 * latent)
        self.correction = _correction(COMPONENTS, 2 * latent)

    def forward(self, patterns: Tensor) -> Tensor:
        """Means and log-variances of the features of patterns."""
        strengths = (patterns.flatten(1) - self.mean) @ self.components.T
        return self.linear(strengths) + self.correction(strengths)


class PrincipalDecoder(_Components):
    """From features (n, latent) to patterns (n, 1, height, width)."""

    def __init__(self, latent: int, size: tuple[int, int]) -> None:
        super().__init__(size[0] * size[1])
        self.linear = nn.Linear(latent, COMPONENTS)
        self.correction = _correction(latent, COMPONENTS)
        self.size = size

    def forward(self, features: Tensor) -> Tensor:
        """Patterns of features."""
        strengths = self.linear(features) + self.correction(features)
        patterns = strengths @ self.components + self.mean
        return patterns.unflatten(1, (1, *self.size))


def _correction(inputs: int, outputs: int) -> nn.Sequential:
    last = nn.Linear(_WIDTH, outputs)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(
        nn.Linear(inputs, _WIDTH), nn.GELU(), residual_block(_WIDTH), nn.LayerNorm(_WIDTH), last
    )


class _Basis(NamedTuple):
    """Principal components of some patterns, of the pixels inside their mask."""

    mean: NDArray[np.float32]
    components: NDArray[np.float32]
    variances: NDArray[np.float32]
    noise: float
    """Variance of a pixel that no component explains."""

    @property
    def unit(self) -> float:
        """Scale by which strengths that pass into and out of the layers are of the order of one."""
        return float(np.sqrt(self.variances.mean()))


@torch.no_grad()
def begin_with_components(
    encoder: PrincipalEncoder, decoder: PrincipalDecoder, patterns: NDArray, mask: NDArray[np.bool_]
) -> None:
    """Make two networks the probabilistic principal components of some patterns.

    Parameters
    ----------
    encoder, decoder
        Fresh.
    patterns
        Prepared, of shape (n, height, width); where all are alike, nothing is changed.
    mask
        Signal mask, of shape (height, width).

    Notes
    -----
    Tipping & Bishop 1999. With eigenvalues λ of the patterns' covariance and the noise σ², the mean
    of all that no component explains, a feature is decoded to sqrt(λ - σ²) times its component, and
    its posterior has the mean sqrt(λ - σ²) / λ times the strength of the component and the variance
    σ² / λ.
    """
    basis = _basis(patterns, mask)
    if basis is None:  # What is fresh can be trained all the same.
        return
    _set_components(encoder, decoder, basis, mask)
    for network in (encoder, decoder):
        nn.init.zeros_(network.linear.weight)
        nn.init.zeros_(network.linear.bias)
    noise, unit = basis.noise, basis.unit
    signal = np.sqrt(np.maximum(basis.variances - noise, 0), dtype=np.float32)
    latent = decoder.linear.in_features
    each = torch.arange(min(latent, len(signal)))
    explained = signal**2 + noise
    decoder.linear.weight[each, each] = torch.from_numpy(signal / unit)[each]
    encoder.linear.weight[each, each] = torch.from_numpy(unit * signal / explained)[each]
    encoder.linear.bias[latent + each] = torch.from_numpy(np.log(noise / explained))[each]


@torch.no_grad()
def move_to_components(
    encoder: PrincipalEncoder, decoder: PrincipalDecoder, patterns: NDArray, mask: NDArray[np.bool_]
) -> None:
    """Give two trained networks the principal components of other patterns, to learn these.

    Their layers are rewritten for the new components: they do what they did with all that lies in
    these, and nothing yet with what is new.

    Parameters
    ----------
    encoder, decoder
        Trained.
    patterns, mask
        As in :func:`begin_with_components`.
    """
    basis = _basis(patterns, mask)
    if basis is None:
        return
    old_in, old_out = encoder.components.clone(), decoder.components.clone()
    old_mean = encoder.mean.clone()
    for buffer in (*encoder.buffers(recurse=False), *decoder.buffers(recurse=False)):
        buffer.zero_()
    _set_components(encoder, decoder, basis, mask)
    shift = old_mean - encoder.mean
    # Old strengths from the new ones; components of unit norm are those of the decoder over unit.
    new = decoder.components / basis.unit
    inward = basis.unit * old_in @ new.T
    for layer in (encoder.linear, encoder.correction[0]):
        assert isinstance(layer, nn.Linear)
        layer.bias.sub_(layer.weight @ (old_in @ shift))
        layer.weight.copy_(layer.weight @ inward)
    # And new strengths from the old ones.
    outward = new @ old_out.T / basis.unit
    for layer in (decoder.linear, decoder.correction[-1]):
        assert isinstance(layer, nn.Linear)
        layer.weight.copy_(outward @ layer.weight)
        layer.bias.copy_(outward @ layer.bias)
    decoder.linear.bias.add_(new @ shift / basis.unit)


def _basis(patterns: NDArray, mask: NDArray[np.bool_]) -> _Basis | None:
    """Principal components of patterns (n, height, width); None where all are alike."""
    drawn = np.linspace(0, len(patterns) - 1, min(_SAMPLE, len(patterns))).astype(int)
    inside = patterns[drawn][:, mask].astype(np.float32)
    mean = inside.mean(axis=0)
    inside -= mean
    count = min(COMPONENTS, min(inside.shape) - 1)
    if count < 1 or not inside.any():
        return None
    components, variances = principal_components(inside, count)
    total = float(inside.var(axis=0, dtype=np.float64).sum())
    # No noise at all would leave nothing to be uncertain of.
    floor = 1e-6 * total / inside.shape[1]
    noise = max((total - float(variances.sum())) / (inside.shape[1] - count), floor)
    return _Basis(mean, components, variances, noise)


def _set_components(
    encoder: PrincipalEncoder, decoder: PrincipalDecoder, basis: _Basis, mask: NDArray[np.bool_]
) -> None:
    where = torch.from_numpy(np.flatnonzero(mask))
    components, unit = basis.components, basis.unit
    for network, scaled in ((encoder, components / unit), (decoder, components * unit)):
        network.mean[where] = torch.from_numpy(basis.mean)
        network.components[: len(scaled), where] = torch.from_numpy(scaled)
