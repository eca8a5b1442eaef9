"""The variational autoencoder: its objective, and the encoder it leaves when trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import torch
from torch import nn

from napari_kikuchi.devices import pick_device
from napari_kikuchi.io.weights import ModelFileError, StoredModel, require_tensors, write_model
from napari_kikuchi.latent.networks import build_networks
from napari_kikuchi.latent.presets import Architecture
from napari_kikuchi.preprocess import Recipe

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

Likelihood = Literal["calibrated", "unit"]

# Patterns in memory as activations at a time.
_BATCH = 256
# Keeps the logarithm finite should a network ever reproduce its patterns exactly.
_LEAST_VARIANCE = 1e-8


class Vae(nn.Module):
    """Encoder and decoder of a variational autoencoder.

    Parameters
    ----------
    architecture
        Of both networks.
    mask
        Signal mask, of shape ``architecture.size``.
    """

    mask: Tensor

    def __init__(self, architecture: Architecture, mask: NDArray[np.bool_]) -> None:
        super().__init__()
        self.architecture = architecture
        self.encoder, self.decoder = build_networks(architecture)
        # The mask belongs to the recipe and is saved with it.
        self.register_buffer("mask", torch.from_numpy(np.array(mask, bool)), persistent=False)
        # Convolutions on processors are several times faster with the channels last.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def encode(self, patterns: Tensor) -> tuple[Tensor, Tensor]:
        """Means and log-variances (n, latent) of the features of patterns (n, height, width)."""
        moments = self.encoder(patterns[:, None].contiguous(memory_format=torch.channels_last))
        mean, log_variance = moments.float().chunk(2, dim=1)
        return mean, log_variance

    def decode(self, features: Tensor) -> Tensor:
        """Patterns (n, height, width) of features (n, latent); 0 outside the mask."""
        return self.decoder(features)[:, 0].float() * self.mask


@dataclass(frozen=True)
class Evidence:
    """The two parts of the evidence lower bound of a batch.

    Attributes
    ----------
    squared_error
        Mean over patterns and pixels inside the mask.
    kl
        Divergence of each feature's posterior from the unit normal, mean over patterns, in nats;
        of shape (latent,).
    means
        Posterior means, of shape (n, latent).
    """

    squared_error: Tensor
    kl: Tensor
    means: Tensor


class VaeObjective(nn.Module):
    """What a variational autoencoder minimises: the negative evidence lower bound.

    In nats per pixel inside the mask, which keeps learning rate and clipping independent of the
    size of the patterns.

    Parameters
    ----------
    vae
        To be trained.
    likelihood
        ``"calibrated"``: a Gaussian whose variance is the one that explains the residuals best,
        their mean square (σ-VAE, Rybkin, Daniilidis & Levine 2021). Patterns in [-1, 1] are
        reproduced far better than to unit variance, so features that explain little of a pattern
        survive. ``"unit"``: unit variance, as published: half the sum of squares, under which
        only the strongest features stay active.
    beta
        Weight of the divergence from the unit normal.
    kl_warm_up
        Steps over which that weight grows from nothing.
    """

    def __init__(
        self,
        vae: Vae,
        likelihood: Likelihood = "calibrated",
        beta: float = 1.0,
        kl_warm_up: int = 0,
    ) -> None:
        super().__init__()
        if likelihood not in ("calibrated", "unit"):
            raise ValueError(f"likelihood {likelihood!r}: choose calibrated or unit")
        self.vae = vae
        self.likelihood = likelihood
        self.beta = beta
        self.kl_warm_up = kl_warm_up
        self.pixels = int(vae.mask.sum())

    def forward(self, patterns: Tensor, generator: torch.Generator, step: int) -> Tensor:
        """Loss of a batch of patterns (n, height, width), its noise drawn from a generator.

        Over the first steps the divergence counts by a growing share: at full weight from the
        start it silences features before the decoder has learned what they are good for.
        """
        evidence = self.evidence(patterns, generator)
        share = min(1.0, (step + 1) / self.kl_warm_up) if self.kl_warm_up else 1.0
        return self.loss(evidence.squared_error, share * evidence.kl.sum())

    def evidence(self, patterns: Tensor, generator: torch.Generator) -> Evidence:
        """How well patterns are reproduced from sampled features, and what the features cost."""
        mean, log_variance = self.vae.encode(patterns)
        # Drawn on the processor: the same noise on every device.
        noise = torch.randn(mean.shape, generator=generator).to(mean.device)
        decoded = self.vae.decode(mean + noise * torch.exp(0.5 * log_variance))
        # Both are 0 outside the mask.
        squared_error = (decoded - patterns).square().sum() / (len(patterns) * self.pixels)
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean(dim=0)
        return Evidence(squared_error, kl, mean)

    def loss(self, squared_error: Tensor, kl: Tensor) -> Tensor:
        """Loss, given the mean squared error of a pixel and the divergence of a pattern."""
        cost = self.beta * kl / self.pixels
        if self.likelihood == "unit":
            return 0.5 * squared_error + cost
        # Negative log-likelihood at the best variance, which is the mean squared error.
        return 0.5 * torch.log(2 * torch.pi * torch.e * (squared_error + _LEAST_VARIANCE)) + cost


@dataclass(frozen=True, eq=False)
class VaeEncoder:
    """A trained variational autoencoder. A feature is the mean of its posterior.

    Attributes
    ----------
    vae
        With its weights, on the device where it is to run.
    recipe
        How patterns are prepared, with the signal mask.
    provenance
        Scans, settings, version, date and metrics.
    """

    kind: ClassVar[str] = "vae"

    vae: Vae
    recipe: Recipe
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def latent(self) -> int:
        """Number of latent features."""
        return self.vae.architecture.latent

    @property
    def architecture(self) -> Architecture:
        """Of the networks."""
        return self.vae.architecture

    def encode(self, patterns: NDArray) -> NDArray[np.float32]:
        """Features of prepared patterns (n, height, width), of shape (n, latent)."""
        empty = np.empty((0, self.latent), np.float32)
        return np.concatenate([empty, *self._in_batches(lambda x: self.vae.encode(x)[0], patterns)])

    def decode(self, features: NDArray) -> NDArray[np.float32]:
        """Patterns of given features (n, latent), of shape (n, height, width)."""
        empty = np.empty((0, *self.recipe.size), np.float32)
        return np.concatenate([empty, *self._in_batches(self.vae.decode, features)])

    def save(self, path: Path | str) -> None:
        """Write the encoder to a file that :func:`~.encoder.load_encoder` reads."""
        tensors = {name: value.cpu().numpy() for name, value in self.vae.state_dict().items()}
        model = StoredModel(
            self.kind, self.architecture.settings(), self.recipe, tensors, self.provenance
        )
        write_model(path, model)

    @classmethod
    def from_stored(cls, model: StoredModel, path: Path | str, device: str = "auto") -> VaeEncoder:
        """Build the encoder that a file holds."""
        assert model.recipe.mask is not None  # read_model gives every recipe one
        architecture = Architecture.from_settings(model.architecture)
        try:
            vae = Vae(architecture, model.recipe.mask)
        except ValueError as error:
            raise ModelFileError(f"{path}: {error}. Update napari-kikuchi.") from error
        expected = {name: tuple(value.shape) for name, value in vae.state_dict().items()}
        require_tensors(path, model, expected)
        vae.load_state_dict({name: torch.from_numpy(model.tensors[name]) for name in expected})
        return cls(vae.to(pick_device(device)).eval(), model.recipe, model.provenance)

    @torch.inference_mode()
    def _in_batches(self, function: Any, values: NDArray) -> list[NDArray[np.float32]]:
        device = self.vae.mask.device
        return [
            # A copy: torch warns of memory that must not be written to.
            function(torch.tensor(values[i : i + _BATCH], dtype=torch.float32, device=device))
            .cpu()
            .numpy()
            for i in range(0, len(values), _BATCH)
        ]
