"""What lists of spots suffer when they are measured, in torch: in batches, on any device."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Degradation:
    """How strongly lists of spots are degraded; each effect is off at 0.

    Attributes
    ----------
    weakest
        Spots below this share of the strongest one are not found. For each pattern it is drawn
        between 0 and this, evenly.
    missed
        Share of all spots that are not found, however strong.
    spurious
        Mean number of false spots of a pattern (Poisson), anywhere within ``k_max`` and as
        strong as spots that are found: evenly in the logarithm between the weakest and the
        strongest.
    k_max
        Radius of the detector in 1/Å.
    jitter
        Standard deviation of positions along x and y, in 1/Å.
    scale
        Standard deviation of the relative error of the camera length.
    centre
        Standard deviation of the place of the direct beam along x and y, in 1/Å.
    ellipticity
        Standard deviation of the logarithm of the ratio of the axes of a circle's image, whose
        direction is drawn evenly.
    intensity_noise
        Standard deviation of the logarithm of intensities.
    saturation
        Share of the strongest intensity that is cut off. For each pattern it is drawn between 0
        and this, evenly.
    """

    weakest: float = 0.02
    missed: float = 0.05
    spurious: float = 1.0
    k_max: float = 2.0
    jitter: float = 0.005
    scale: float = 0.01
    centre: float = 0.005
    ellipticity: float = 0.01
    intensity_noise: float = 0.3
    saturation: float = 0.3

    def scaled(self, factor: float) -> Degradation:
        """The same effects, so many times as strong."""
        strengths = asdict(self)
        k_max = strengths.pop("k_max")
        return Degradation(
            k_max=k_max, **{name: factor * value for name, value in strengths.items()}
        )


def degrade(spots: Tensor, degradation: Degradation, generator: torch.Generator) -> Tensor:
    """Degrade lists of spots as a measurement does.

    Parameters
    ----------
    spots
        As :class:`Spots` has them, of shape (n, spots, 3). Padding takes the false spots: lists
        without padding get none.
    degradation
        How strongly.
    generator
        Of all that is drawn, on the device of the spots: the same seed gives the same lists.

    Returns
    -------
    torch.Tensor
        Of the same shape; a spot that is lost leaves a row of zeros.
    """
    position, intensity = spots[..., :2], spots[..., 2]
    random = _Random(spots, generator)
    intensity = _measured(intensity, degradation, random)
    intensity = _lose(intensity, degradation, random)
    position = _distorted(position, degradation, random)
    position, intensity = _add_spurious(position, intensity, degradation, random)
    found = (intensity > 0)[..., None]
    return torch.where(found, torch.cat([position, intensity[..., None]], dim=-1), 0)


class _Random:
    """Draws like a tensor: of its dtype, on its device."""

    def __init__(self, like: Tensor, generator: torch.Generator) -> None:
        self._like, self._generator = like, generator

    def even(self, *shape: int) -> Tensor:
        return self._draw(torch.rand, shape)

    def normal(self, *shape: int) -> Tensor:
        return self._draw(torch.randn, shape)

    def poisson(self, mean: float, *shape: int) -> Tensor:
        return torch.poisson(self._like.new_full(shape, mean), generator=self._generator)

    def _draw(self, distribution: Callable[..., Tensor], shape: tuple[int, ...]) -> Tensor:
        like = self._like
        return distribution(shape, generator=self._generator, dtype=like.dtype, device=like.device)


def _measured(intensity: Tensor, degradation: Degradation, random: _Random) -> Tensor:
    noisy = intensity * (degradation.intensity_noise * random.normal(*intensity.shape)).exp()
    cut = 1 - degradation.saturation * random.even(len(intensity), 1)
    return noisy.minimum(cut * noisy.amax(1, keepdim=True))


def _lose(intensity: Tensor, degradation: Degradation, random: _Random) -> Tensor:
    least = degradation.weakest * random.even(len(intensity), 1)
    found = intensity >= least * intensity.amax(1, keepdim=True)
    found &= random.even(*intensity.shape) >= degradation.missed
    return torch.where(found, intensity, 0)


def _distorted(position: Tensor, degradation: Degradation, random: _Random) -> Tensor:
    n = len(position)
    jittered = position + degradation.jitter * random.normal(*position.shape)
    scale = 1 + degradation.scale * random.normal(n)
    stretch = degradation.ellipticity * random.normal(n) / 2
    angle = math.pi * random.even(n)
    # A stretch by exp(stretch) along the angle and by exp(-stretch) across it.
    along, cosine, sine = stretch.cosh(), (2 * angle).cos(), (2 * angle).sin()
    rows = [
        along + stretch.sinh() * cosine,
        stretch.sinh() * sine,
        stretch.sinh() * sine,
        along - stretch.sinh() * cosine,
    ]
    matrix = scale[:, None, None] * torch.stack(rows, dim=-1).reshape(n, 2, 2)
    return jittered @ matrix + degradation.centre * random.normal(n, 1, 2)


def _add_spurious(
    position: Tensor, intensity: Tensor, degradation: Degradation, random: _Random
) -> tuple[Tensor, Tensor]:
    """Write false spots over the first rows of the padding and of what was lost."""
    n, width = intensity.shape
    free = intensity <= 0
    count = random.poisson(degradation.spurious, n, 1)
    false = free & (free.cumsum(1) <= count)
    radius = degradation.k_max * random.even(n, width).sqrt()
    angle = 2 * math.pi * random.even(n, width)
    somewhere = torch.stack([radius * angle.cos(), radius * angle.sin()], dim=-1)
    strongest = intensity.amax(1, keepdim=True)
    weakest = torch.where(free, torch.inf, intensity).amin(1, keepdim=True).minimum(strongest)
    # Evenly in the logarithm; nothing in a pattern without spots.
    strength = weakest * (strongest / weakest).nan_to_num(1.0) ** random.even(n, width)
    return (
        torch.where(false[..., None], somewhere, position),
        torch.where(false, strength, intensity),
    )
