"""What an encoder and a decoder are trained for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from torch import nn
from torch.nn import functional

from napari_kikuchi.latent.augment import augment, draw
from napari_kikuchi.latent.vae import Vae

if TYPE_CHECKING:
    from torch import Tensor

Likelihood = Literal["calibrated", "unit"]
ObjectiveName = Literal["vae", "contrastive"]

# Keeps the logarithm finite should a network ever reproduce its patterns exactly.
_LEAST_VARIANCE = 1e-8
# Of the space in which the two views of a pattern are compared.
_PROJECTED = 64


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
        return self.loss(evidence.squared_error, self._share(step) * evidence.kl.sum())

    def _share(self, step: int) -> float:
        """How much of the divergence counts."""
        return min(1.0, (step + 1) / self.kl_warm_up) if self.kl_warm_up else 1.0

    def evidence(
        self, patterns: Tensor, generator: torch.Generator, target: Tensor | None = None
    ) -> Evidence:
        """How well patterns are reproduced from sampled features, and what the features cost.

        Parameters
        ----------
        patterns
            Encoded, of shape (n, height, width); 0 outside the mask.
        generator
            Of the noise of the features.
        target
            What is to be reproduced; None: ``patterns``.
        """
        mean, log_variance = self.vae.encode(patterns)
        if target is not None:
            # What is measured cannot learn to be that of the target.
            learned = mean[:, self.vae.measured :]
            mean = torch.cat([self.vae.measure(target), learned], dim=1)
        noise = draw(torch.randn, mean, generator)
        decoded = self.vae.decode(mean + noise * torch.exp(0.5 * log_variance))
        target = patterns if target is None else target
        # Both are 0 outside the mask.
        squared_error = (decoded - target).square().sum() / (len(target) * self.pixels)
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean(dim=0)
        return Evidence(squared_error, kl, mean)

    def loss(self, squared_error: Tensor, kl: Tensor) -> Tensor:
        """Loss, given the mean squared error of a pixel and the divergence of a pattern."""
        cost = self.beta * kl / self.pixels
        if self.likelihood == "unit":
            return 0.5 * squared_error + cost
        # Negative log-likelihood at the best variance, which is the mean squared error.
        return 0.5 * torch.log(2 * torch.pi * torch.e * (squared_error + _LEAST_VARIANCE)) + cost


class ContrastiveObjective(VaeObjective):
    """What a contrastive variational autoencoder minimises (Calvat et al. 2025, Fig. 3B).

    Two augmented views of each pattern go through the one network. To the negative evidence lower
    bound, in which each view has to reproduce the pattern before augmentation, comes
    :func:`contrastive_loss` of the projected features: what a camera adds shall not move a pattern
    in latent space. In nats per pixel, as :class:`VaeObjective`.

    Parameters
    ----------
    vae, likelihood, beta, kl_warm_up
        See :class:`VaeObjective`.
    weight
        Of the contrastive loss.
    temperature
        See :func:`contrastive_loss`.
    """

    def __init__(
        self,
        vae: Vae,
        likelihood: Likelihood = "calibrated",
        beta: float = 1.0,
        kl_warm_up: int = 0,
        weight: float = 1.0,
        temperature: float = 0.5,
    ) -> None:
        super().__init__(vae, likelihood, beta, kl_warm_up)
        self.weight = weight
        self.temperature = temperature
        latent = vae.architecture.latent - vae.measured
        # Only the training needs it: the encoder that is saved does without.
        self.projection = nn.Sequential(
            nn.Linear(latent, latent), nn.ReLU(), nn.Linear(latent, _PROJECTED)
        )

    def forward(self, patterns: Tensor, generator: torch.Generator, step: int) -> Tensor:
        """Loss of a batch of patterns (n, height, width), its noise drawn from a generator."""
        views = [augment(patterns, self.vae.mask, generator) for _ in range(2)]
        evidence = self.evidence(torch.cat(views), generator, torch.cat([patterns, patterns]))
        bound = self.loss(evidence.squared_error, self._share(step) * evidence.kl.sum())
        learned = evidence.means[:, self.vae.measured :]
        one, other = self.projection(learned).float().chunk(2)
        contrast = contrastive_loss(one, other, self.temperature)
        return bound + self.weight * contrast / self.pixels


def contrastive_loss(one: Tensor, other: Tensor, temperature: float) -> Tensor:
    """Normalised temperature-scaled cross-entropy of pairs (NT-Xent, Chen et al. 2020, eq. 1).

    Each vector has to find its partner among all others by the cosine of their angle.

    Parameters
    ----------
    one, other
        Of shape (n, features); vectors of the same row are partners.
    temperature
        Divides the cosines: the lower, the more the nearest of the others count.

    Returns
    -------
    torch.Tensor
        In nats, mean over the 2n vectors.
    """
    vectors = functional.normalize(torch.cat([one, other]), dim=1)
    cosines = vectors @ vectors.T / temperature
    itself = torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)
    partners = torch.arange(len(vectors), device=vectors.device).roll(len(one))
    return functional.cross_entropy(cosines.masked_fill(itself, -torch.inf), partners)


def make_objective(
    name: ObjectiveName, vae: Vae, likelihood: Likelihood, beta: float, kl_warm_up: int
) -> VaeObjective:
    """The objective of a name.

    Raises
    ------
    ValueError
        If there is none.
    """
    objectives = {"vae": VaeObjective, "contrastive": ContrastiveObjective}
    if name not in objectives:
        raise ValueError(f"objective {name!r}: choose {' or '.join(objectives)}")
    return objectives[name](vae, likelihood, beta, kl_warm_up)
