"""Networks that begin as principal components and learn what is curved about the patterns.

Nearly all that a convolution could find in prepared patterns lies in a few hundred principal
components of them. Behind these, fully connected layers are enough: a step costs a fraction of one
through convolutions. Encoder and decoder are each a linear map plus a correction that is nothing at
first, and the linear maps start as probabilistic principal components: the best a linear
autoencoder can become, so training begins where a plain one would end.

The first feature is not learned but measured: the gain (:mod:`~napari_kikuchi.latent.gain`), which
multiplies what all others decode to. These are of the pattern at median gain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import nn

from napari_kikuchi.latent.gain import Gain
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
# Patterns whose strengths are worked out at a time.
_BATCH = 1024


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

    noise: Tensor

    def __init__(self, latent: int, size: tuple[int, int]) -> None:
        super().__init__(size[0] * size[1])
        self.gain = Gain(COMPONENTS)
        # Squared norm of what is noise in a pattern.
        self.register_buffer("noise", torch.zeros(1))
        # Of the gain no mean is learned, only how sure it is.
        self.linear = nn.Linear(COMPONENTS, 2 * latent - 1)
        self.correction = _correction(COMPONENTS, 2 * latent - 1)

    def forward(self, patterns: Tensor) -> Tensor:
        """Means and log-variances of the features of patterns."""
        gain, strengths = self.gain(*self.project(patterns))
        return torch.cat([gain, self.linear(strengths) + self.correction(strengths)], dim=1)

    def project(self, patterns: Tensor) -> tuple[Tensor, Tensor]:
        """Strengths (n, components) and power (n, 1) of patterns, as :class:`Gain` takes them."""
        # In half precision norms would be too coarse to tell a wall.
        varied = patterns.flatten(1).float() - self.mean
        power = varied.square().sum(dim=1, keepdim=True) - self.noise
        return varied @ self.components.T, power


class PrincipalDecoder(_Components):
    """From features (n, latent) to patterns (n, 1, height, width)."""

    gain_spread: Tensor

    def __init__(self, latent: int, size: tuple[int, int]) -> None:
        super().__init__(size[0] * size[1])
        self.register_buffer("gain_spread", torch.ones(1))
        self.linear = nn.Linear(latent - 1, COMPONENTS)
        self.correction = _correction(latent - 1, COMPONENTS)
        self.size = size

    def forward(self, features: Tensor) -> Tensor:
        """Patterns of features."""
        gain, shape = features[:, :1], features[:, 1:]
        strengths = self.linear(shape) + self.correction(shape)
        strengths = torch.exp(self.gain_spread * gain) * strengths
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
    σ² / λ. Here the strength is that at median gain.
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
    shape = decoder.linear.in_features
    each = torch.arange(min(shape, len(signal)))
    explained = signal**2 + noise
    decoder.linear.weight[each, each] = torch.from_numpy(signal / unit)[each]
    encoder.linear.weight[each, each] = torch.from_numpy(unit * signal / explained)[each]
    # Behind the means of the shape come the log-variances, that of the gain first.
    encoder.linear.bias[shape + 1 + each] = torch.from_numpy(np.log(noise / explained))[each]
    scale_gain(encoder, decoder, patterns)
    uncertainty = noise / (encoder.gain.median.exp() * encoder.gain.spread).square()
    encoder.linear.bias[shape] = torch.log(uncertainty.clamp_max(1))


@torch.no_grad()
def move_to_components(
    encoder: PrincipalEncoder, decoder: PrincipalDecoder, patterns: NDArray, mask: NDArray[np.bool_]
) -> None:
    """Give two trained networks the principal components of other patterns, to learn these.

    Their layers are rewritten for the new components: they do what they did with all that lies in
    these, and nothing yet with what is new. What overlap takes has to be learned anew.

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
    for buffer in (encoder.mean, encoder.components, decoder.mean, decoder.components):
        buffer.zero_()
    _set_components(encoder, decoder, basis, mask)
    encoder.gain.overlap.forget()
    scale_gain(encoder, decoder, patterns)
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


@torch.no_grad()
def scale_gain(encoder: PrincipalEncoder, decoder: PrincipalDecoder, patterns: NDArray) -> None:
    """Scale the gain to some prepared patterns (n, height, width).

    It is as sure as it was, whatever it counts in.
    """
    before = encoder.gain.spread.clone()
    encoder.gain.scale_to(*project_all(encoder, _spread_evenly(patterns)))
    decoder.gain_spread.copy_(encoder.gain.spread)
    of_the_gain = decoder.linear.in_features
    encoder.linear.bias[of_the_gain] += 2 * torch.log(before / encoder.gain.spread)[0]


@torch.no_grad()
def project_all(encoder: PrincipalEncoder, patterns: NDArray) -> tuple[Tensor, Tensor]:
    """What :meth:`PrincipalEncoder.project` gives of many prepared patterns (n, height, width)."""
    strengths, power = torch.empty(len(patterns), COMPONENTS), torch.empty(len(patterns), 1)
    for start in range(0, len(patterns), _BATCH):
        part = slice(start, start + _BATCH)
        some = torch.from_numpy(patterns[part].astype(np.float32))
        strengths[part], power[part] = encoder.project(some)
    return strengths, power


@torch.no_grad()
def shapes_of(encoder: PrincipalEncoder, patterns: NDArray) -> NDArray[np.float32]:
    """Shapes (n, components) of prepared patterns (n, height, width), as overlap sees them."""
    return encoder.gain.overlap.shapes(project_all(encoder, patterns)[0]).numpy()


def _spread_evenly(patterns: NDArray) -> NDArray:
    """Enough of the patterns to tell what all are like."""
    return patterns[np.linspace(0, len(patterns) - 1, min(_SAMPLE, len(patterns))).astype(int)]


def _basis(patterns: NDArray, mask: NDArray[np.bool_]) -> _Basis | None:
    """Principal components of patterns (n, height, width); None where all are alike."""
    inside = _spread_evenly(patterns)[:, mask].astype(np.float32)
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
    encoder.noise.fill_(basis.noise * len(where))
    encoder.gain.overlap.clear_of(basis.noise, torch.from_numpy(basis.variances))
