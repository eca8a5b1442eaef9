"""What overlap takes of the contrast of a pattern, told from the pattern alone.

Where two grains meet, their patterns mix and take each other's contrast, as a dislocation wall
takes it. The neighbours of a position tell how much (:mod:`~napari_kikuchi.latent.neighbours`). A
small network learns it from them, and from further mixtures of patterns that lie near each other.
After that it needs no neighbours: what the contrast would be without overlap is a feature of a
single pattern.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn

from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.latent.lessons import Lessons

if TYPE_CHECKING:
    from torch import Tensor

_WIDTH = 256
# Over the lessons, and the fewest batches; more teach nothing.
_PASSES = 48
_LEAST_STEPS = 500
_BATCH = 128
_LEARNING_RATE = 1e-3
_WARM_UP = 100
# Norm of what is added to shapes, whose own is 1.
_NOISE = 0.1
# Opposite patterns leave nothing.
_LEAST_LEFT = 1e-3
# Errors of the logarithm beyond this pull no harder: neighbours may be wrong beside a wall.
_ROBUST = 0.025
_STEPS_SHOWN = 50
# Noise is taken for so many times what it is: in a mixture of many it adds up to an overlap.
_SUSPICION = 20.0


class Overlap(nn.Module):
    """From strengths of components to what overlap leaves of the contrast.

    Untaught, it takes all patterns for pure.

    Parameters
    ----------
    components
        How many strengths a pattern has.
    """

    clarity: Tensor

    def __init__(self, components: int) -> None:
        super().__init__()
        self.scale = math.sqrt(components)
        self.register_buffer("clarity", torch.ones(components))
        self.layers = nn.Sequential(
            nn.Linear(components, _WIDTH),
            nn.GELU(),
            nn.Linear(_WIDTH, _WIDTH),
            nn.GELU(),
            nn.Linear(_WIDTH, 1),
        )
        self.forget()
        # It is taught by itself, not by what reconstructions are worth.
        self.requires_grad_(False)

    def forget(self) -> None:
        """Take all patterns for pure again."""
        last = self.layers[-1]
        assert isinstance(last, nn.Linear)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, strengths: Tensor) -> Tensor:
        """Logarithm of the part that is left, of shape (n, 1), of strengths (n, components)."""
        return self.tell(self.shapes(strengths)).clamp_max(0)

    def shapes(self, strengths: Tensor) -> Tensor:
        """Strengths (n, components), as far as they are clear of noise, of unit norm."""
        clear = self.clarity * strengths.float()
        norm = torch.linalg.vector_norm(clear, dim=1, keepdim=True)
        return clear / norm.clamp_min(torch.finfo(norm.dtype).tiny)

    def tell(self, shapes: Tensor) -> Tensor:
        """Logarithm of the part that is left, of shape (n, 1), of shapes (n, components)."""
        return self.layers(self.scale * shapes).float()

    def clear_of(self, noise: float, variances: Tensor) -> None:
        """Set which strengths are clear of noise.

        Parameters
        ----------
        noise
            Its variance in any strength.
        variances
            Of the strengths, noise included, of shape (components,) or less; further ones have
            none.
        """
        self.clarity.zero_()
        self.clarity[: len(variances)] = variances / (variances + _SUSPICION * noise)


def teach(overlap: Overlap, lessons: Lessons, seed: int = 0) -> Job[None]:
    """Teach a network some lessons.

    Half of each batch are patterns as they are, half mixtures of two that lie near each other:
    patterns of unit contrast, each with the part of it that overlap has left, mix linearly.

    Parameters
    ----------
    overlap
        To be taught.
    lessons
        If there are none, it stays as it is.
    seed
        Of all that is drawn.

    Yields
    ------
    Progress
        Batches learned.
    """
    if not len(lessons):
        return
    steps = max(_LEAST_STEPS, math.ceil(_PASSES * len(lessons) / _BATCH))
    generator = torch.Generator().manual_seed(seed)
    kept = torch.from_numpy(lessons.kept)[:, None]
    pure = kept * torch.from_numpy(lessons.shapes)
    partners = torch.from_numpy(lessons.partners)
    overlap.requires_grad_(True)
    optimizer = torch.optim.Adam(overlap.parameters(), lr=_LEARNING_RATE, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min(1, (step + 1) / _WARM_UP) * 0.5 * (1 + math.cos(math.pi * step / steps)),
    )
    for step in range(steps):
        one = torch.randint(len(lessons), (_BATCH,), generator=generator)
        which = torch.randint(partners.shape[1], (_BATCH,), generator=generator)
        share = torch.rand((_BATCH, 1), generator=generator)
        share[: _BATCH // 2] = 1
        mixed = share * pure[one] + (1 - share) * pure[partners[one, which]]
        left = torch.linalg.vector_norm(mixed, dim=1, keepdim=True).clamp_min(_LEAST_LEFT)
        noise = torch.randn(mixed.shape, generator=generator) / overlap.scale
        optimizer.zero_grad()
        told = overlap.tell(mixed / left + _NOISE * noise)
        nn.functional.huber_loss(told, left.log(), delta=_ROBUST).backward()
        optimizer.step()
        schedule.step()
        if step % _STEPS_SHOWN == 0:
            yield Progress(step, steps, "Learning what overlap takes")
    overlap.requires_grad_(False)
