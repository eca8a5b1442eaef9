"""The variational autoencoder, and the encoder it leaves when trained."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import nn

from napari_kikuchi.devices import DeviceMemoryError, memory_told, pick_device
from napari_kikuchi.io.network_files import weights_of, with_weights
from napari_kikuchi.io.weights import StoredModel, damage_told, write_model
from napari_kikuchi.latent.batch import Batch
from napari_kikuchi.latent.networks import build_networks
from napari_kikuchi.latent.presets import Architecture
from napari_kikuchi.latent.principal import (
    PrincipalDecoder,
    PrincipalEncoder,
    begin_with_components,
    move_to_components,
)
from napari_kikuchi.latent.tuned import tuned
from napari_kikuchi.recipe import Recipe

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

# Patterns in memory as activations at a time.
_BATCH = 256
# The same times the features, of convolutions: what passes between layers stays in the cache.
_BATCH_FEATURES = 1024
# Where a device has too little memory.
_REMEDY = "take a model of a smaller preset"


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

    def take_components(self, patterns: NDArray, *, trained: bool) -> None:
        """Begin with what prepared patterns (n, height, width) tell without any training.

        Networks of the principal design take their components over, fresh or trained on others;
        the other designs stay as they are.
        """
        if isinstance(self.encoder, PrincipalEncoder):
            assert isinstance(self.decoder, PrincipalDecoder)
            take = move_to_components if trained else begin_with_components
            take(self.encoder, self.decoder, patterns, self.mask.cpu().numpy())

    @property
    def measured(self) -> int:
        """How many features, the first ones, are measured and not learned."""
        return 1 if isinstance(self.encoder, PrincipalEncoder) else 0

    def measure(self, patterns: Tensor) -> Tensor:
        """Features (n, measured) of patterns (n, height, width) that are measured."""
        if isinstance(self.encoder, PrincipalEncoder):
            gain, _ = self.encoder.gain(*self.encoder.project(patterns))
            return gain
        return patterns.new_empty(len(patterns), 0)

    def encode(self, patterns: Tensor) -> tuple[Tensor, Tensor]:
        """Means and log-variances (n, latent) of the features of patterns (n, height, width)."""
        moments = self.encoder(patterns[:, None].contiguous(memory_format=torch.channels_last))
        mean, log_variance = moments.float().chunk(2, dim=1)
        return mean, log_variance

    def decode(self, features: Tensor) -> Tensor:
        """Patterns (n, height, width) of features (n, latent); 0 outside the mask."""
        return self.decoder(features)[:, 0].float() * self.mask

    def tuned(self) -> Vae:
        """The same for inference on a processor, with the weights of now: see :mod:`.tuned`."""
        copy = deepcopy(self)
        if isinstance(copy.encoder, nn.Sequential) and isinstance(copy.decoder, nn.Sequential):
            pattern = torch.zeros(1, 1, *self.architecture.size)
            copy.encoder = tuned(copy.encoder, pattern)
            copy.decoder = tuned(copy.decoder, torch.zeros(1, self.architecture.latent))
        return copy


@dataclass(frozen=True, eq=False)
class VaeEncoder:
    """A trained variational autoencoder. A feature is the mean of its posterior.

    Attributes
    ----------
    vae
        With its weights, on the device where it is to run. They may not change any more once the
        encoder has encoded.
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
    def measured(self) -> int:
        """How many features, the first ones, are measured and not learned."""
        return self.vae.measured

    @property
    def effort(self) -> int:
        """How many times longer a pattern takes than by the quick ones, roughly."""
        return 4 if self.architecture.design == "published" else 1

    @property
    def device(self) -> str:
        """Where the networks are."""
        return str(self.vae.mask.device)

    @property
    def architecture(self) -> Architecture:
        """Of the networks."""
        return self.vae.architecture

    def encode(self, patterns: NDArray) -> NDArray[np.float32]:
        """Features of prepared patterns (n, height, width), of shape (n, latent)."""
        empty = np.empty((0, self.latent), np.float32)
        means = self._in_batches(lambda x: self._running.encode(x)[0], patterns)
        return np.concatenate([empty, *means])

    def decode(self, features: NDArray) -> NDArray[np.float32]:
        """Patterns of given features (n, latent), of shape (n, height, width)."""
        empty = np.empty((0, *self.recipe.size), np.float32)
        return np.concatenate([empty, *self._in_batches(self._running.decode, features)])

    def measure(
        self, patterns: NDArray | Tensor
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Features of prepared patterns (n, height, width), and errors (n,) of these."""
        measured = np.concatenate(
            [
                np.empty((0, self.latent + 1), np.float32),
                *self._in_batches(self._measured, patterns),
            ]
        )
        return measured[:, : self.latent], measured[:, self.latent]

    def stored(self) -> StoredModel:
        """The encoder as a file holds it."""
        return StoredModel(
            self.kind,
            self.architecture.settings(),
            self.recipe,
            weights_of(self.vae),
            self.provenance,
        )

    def save(self, path: Path | str) -> None:
        """Write the encoder to a file that :func:`~.encoder.load_encoder` reads."""
        write_model(path, self.stored())

    @classmethod
    def from_stored(cls, model: StoredModel, path: Path | str, device: str = "auto") -> VaeEncoder:
        """Build the encoder that a file holds."""
        mask = model.recipe.mask
        assert mask is not None  # read_model gives every recipe one
        with damage_told(path):
            architecture = Architecture.from_settings(model.architecture)
            if model.recipe.size != architecture.size:
                raise ValueError(
                    f"expected a recipe that bins patterns to {architecture.size}, as its "
                    f"architecture reads them, found {model.recipe.size}"
                )
        vae = with_weights(lambda: Vae(architecture, mask), model.tensors, path, model.kind)
        device = pick_device(device)
        with memory_told(device, f"for the model {path}", _REMEDY):
            return cls(vae.to(device), model.recipe, model.provenance)

    @cached_property
    def _is_tuned(self) -> bool:
        return self.vae.mask.device.type == "cpu" and self.architecture.design == "published"

    @cached_property
    def _running(self) -> Vae:
        """The networks in the form that is fastest on their device."""
        return self.vae.tuned() if self._is_tuned else self.vae

    def _measured(self, patterns: Tensor) -> Tensor:
        """Features, and behind them the error, of shape (n, latent + 1)."""
        features, _ = self._running.encode(patterns)
        # Both are 0 outside the mask.
        squares = (self._running.decode(features) - patterns).square().sum(dim=(1, 2))
        error = torch.sqrt(squares / self.vae.mask.sum())
        return torch.cat([features, error[:, None]], dim=1)

    @torch.inference_mode()
    def _in_batches(self, function: Any, values: NDArray | Tensor) -> list[NDArray[np.float32]]:
        device, found, start = self.vae.mask.device, [], 0
        while start < len(values):
            batch = self._batch.size
            some = values[start : start + batch]
            try:
                with memory_told(device.type, "for one pattern at a time", _REMEDY):
                    if not isinstance(some, torch.Tensor):
                        # A copy: torch warns of memory that must not be written to.
                        some = torch.tensor(some, dtype=torch.float32, device=device)
                    found.append(function(some).cpu().numpy())
            except DeviceMemoryError:
                if batch == 1:
                    raise
                self._batch.make_smaller(than=batch)
                continue
            start += batch
        return found

    @cached_property
    def _batch(self) -> Batch:
        return Batch(max(1, _BATCH_FEATURES // self.latent) if self._is_tuned else _BATCH)
