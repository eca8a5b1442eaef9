"""How latents are noised, and by which steps noise becomes latents again.

Two processes: the rectified flow (Liu, Gong and Liu, ICLR 2023), straight from latents to noise,
which keeps its quality with few steps; and the denoising diffusion of Ho, Jain and Abbeel (NeurIPS
2020), with the deterministic steps of Song, Meng and Ermon (ICLR 2021), as published for
microstructures. Times run from 0, latents as they are, to 1, noise.

Of noised latents a network tells the latents, not the noise: grains are even, and noise is not (Li
and He, arXiv 2511.13720). What it tells amiss counts as if the noise had been told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

# Of the diffusion.
_TIMES = 1000
# Times to learn at are logistic functions of normal numbers with this mean and deviation.
USUAL_MEAN, _DEVIATION = 0.6, 1.0
# The last times are as this one: errors would count without limit.
_LEAST_TIME = 0.1
# Of latents, -1 to 1, of grains and phases.
_VARIANCE = 0.5
# How much longer steps are at the end, where latents hardly change, than in much noise.
_SHIFT = 2.0


class Process(Protocol):
    """A way from latents to noise, and back."""

    def shares(self, times: Tensor) -> tuple[Tensor, Tensor]:
        """Factors of latents and of noise at times; both are added."""
        ...

    def weights(self, times: Tensor) -> Tensor:
        """How much squared errors of latents count that are told at times."""
        ...

    def step(self, noised: Tensor, latents: Tensor, time: float, after: float) -> Tensor:
        """A step back.

        Parameters
        ----------
        noised
            Latents at a time.
        latents
            What a network tells of them.
        time, after
            From where to where; more than 0, and less than that.
        """
        ...


class Flow:
    """Rectified flow: the share of noise is the time."""

    def shares(self, times: Tensor) -> tuple[Tensor, Tensor]:
        """All in all 1."""
        return 1 - times, times

    def weights(self, times: Tensor) -> Tensor:
        """As of the difference between noise and latents."""
        return times.clamp(min=_LEAST_TIME) ** -2

    def step(self, noised: Tensor, latents: Tensor, time: float, after: float) -> Tensor:
        """Straight on."""
        return latents.lerp(noised, after / time)


class Diffusion:
    """Denoising diffusion: variances of the noise grow linearly, as published."""

    def __init__(self) -> None:
        kept = torch.cumprod(1 - torch.linspace(1e-4, 0.02, _TIMES, dtype=torch.float64), dim=0)
        # Squares of the shares of latents.
        self._kept = torch.cat([torch.ones(1, dtype=torch.float64), kept])

    def shares(self, times: Tensor) -> tuple[Tensor, Tensor]:
        """Their squares are 1 all in all."""
        kept = self._at(times)
        return kept.sqrt(), (1 - kept).sqrt()

    def weights(self, times: Tensor) -> Tensor:
        """As of the noise."""
        kept = self._at(times.clamp(min=_LEAST_TIME))
        return kept / (1 - kept)

    def step(self, noised: Tensor, latents: Tensor, time: float, after: float) -> Tensor:
        """To where the same noise leads."""
        before, then = self._at(torch.tensor([time, after], dtype=torch.float64)).tolist()
        noise = (noised - before**0.5 * latents) / (1 - before) ** 0.5
        return then**0.5 * latents + (1 - then) ** 0.5 * noise

    def _at(self, times: Tensor) -> Tensor:
        places = (times * _TIMES).round().long()
        return self._kept.float().to(times.device)[places]


#: By the names that files have of them.
PROCESSES: dict[str, Callable[[], Process]] = {"flow": Flow, "diffusion": Diffusion}


def noised(process: Process, latents: Tensor, noise: Tensor, times: Tensor) -> Tensor:
    """Latents of shape (n, …) at times of shape (n,)."""
    kept, added = (_along(share, latents) for share in process.shares(times))
    return kept * latents + added * noise


def first_guess(process: Process, noised: Tensor, change: Tensor, times: Tensor) -> Tensor:
    """Latents from what is left of them in noise, and a change that a network tells.

    Of latents and noise that are both of normal numbers, the best guess is a multiple of their sum,
    and what it misses is as large as the factor of the change: whatever the time, networks tell
    numbers of about the same size, and where there is little noise they need tell little (Karras et
    al., NeurIPS 2022, equation 7).

    Parameters
    ----------
    process
        By which latents were noised.
    noised
        Latents at times, of shape (n, …).
    change
        Of the same shape.
    times
        Of shape (n,).
    """
    kept, added = (_along(share, noised) for share in process.shares(times))
    total = _VARIANCE * kept**2 + added**2
    return _VARIANCE * kept / total * noised + (_VARIANCE / total).sqrt() * added * change


def random_times(
    count: int, generator: torch.Generator, mean: float | Tensor = USUAL_MEAN
) -> Tensor:
    """Times to learn at: most where structures are decided on (Esser et al., ICML 2024).

    Parameters
    ----------
    count
        How many.
    generator
        Of all that is random, on the device of the result.
    mean
        Of their logits, of all or of each.
    """
    normal = torch.randn(count, generator=generator, device=generator.device)
    return (mean + _DEVIATION * normal).sigmoid()


def way_back(start: float, steps: int) -> list[float]:
    """Times from one to 0, at which steps begin and end.

    Parameters
    ----------
    start
        More than 0, at most 1.
    steps
        From the time 1; from an earlier one there are fewer.
    """
    even = torch.linspace(1, 0, max(1, round(steps * start)) + 1, dtype=torch.float64)
    return (start * _SHIFT * even / (1 + (_SHIFT - 1) * even)).tolist()


def _along(times: Tensor, latents: Tensor) -> Tensor:
    return times.reshape(-1, *(1,) * (latents.ndim - 1))
