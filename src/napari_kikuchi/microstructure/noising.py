"""How latents are noised, and by which steps noise becomes latents again.

Two processes: the rectified flow (Liu, Gong and Liu, ICLR 2023), straight from noise to latents,
which keeps its quality with few steps; and the denoising diffusion of Ho, Jain and Abbeel (NeurIPS
2020), with the deterministic steps of Song, Meng and Ermon (ICLR 2021), as published for
microstructures. Times run from 0, latents as they are, to 1, noise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, Protocol

import torch
from torch import Tensor

# Of the diffusion.
_TIMES = 1000


class Process(Protocol):
    """A way from latents to noise, and back."""

    def times(self, count: int, generator: torch.Generator) -> Tensor:
        """Random times to learn at, of shape (count,)."""
        ...

    def noised(self, latents: Tensor, noise: Tensor, times: Tensor) -> Tensor:
        """Latents of shape (n, …) at times of shape (n,)."""
        ...

    def target(self, latents: Tensor, noise: Tensor) -> Tensor:
        """What a network is to tell of noised latents."""
        ...

    def steps(
        self, noised: Tensor, told: Callable[[Tensor, float], Tensor], count: int, start: float
    ) -> Iterator[Tensor]:
        """The way back, step by step; the last are the latents.

        Parameters
        ----------
        noised
            Latents at the time ``start``.
        told
            What a network tells of noised latents at a time.
        count
            Steps from the time 1; from an earlier one there are fewer, see :func:`steps_from`.
        start
            More than 0, at most 1.
        """
        ...


class Flow:
    """Rectified flow: of noised latents the difference of noise and latents is told."""

    def times(self, count: int, generator: torch.Generator) -> Tensor:
        """Most between the ends, where it is hardest to tell (Esser et al., ICML 2024)."""
        return torch.randn(count, generator=generator, device=generator.device).sigmoid()

    def noised(self, latents: Tensor, noise: Tensor, times: Tensor) -> Tensor:
        """Latents at times."""
        return latents.lerp(noise, _along(times, latents))

    def target(self, latents: Tensor, noise: Tensor) -> Tensor:
        """What a network is to tell."""
        return noise - latents

    def steps(
        self, noised: Tensor, told: Callable[[Tensor, float], Tensor], count: int, start: float
    ) -> Iterator[Tensor]:
        """The way back."""
        from diffusers import FlowMatchEulerDiscreteScheduler

        scheduler: Any = FlowMatchEulerDiscreteScheduler(_TIMES)
        sigmas = torch.linspace(start, 0, steps_from(start, count) + 1)[:-1]
        scheduler.set_timesteps(sigmas=sigmas.tolist(), device=noised.device)
        for time in scheduler.timesteps:
            found = told(noised, float(time) / _TIMES)
            noised = scheduler.step(found, time, noised).prev_sample
            yield noised


class Diffusion:
    """Denoising diffusion: of noised latents the noise is told."""

    def __init__(self) -> None:
        # Shares of what was there before, and of noise, squared, along the published way.
        kept = torch.cumprod(1 - torch.linspace(1e-4, 0.02, _TIMES, dtype=torch.float64), dim=0)
        self._kept = torch.cat([torch.ones(1, dtype=torch.float64), kept])

    def times(self, count: int, generator: torch.Generator) -> Tensor:
        """All alike."""
        return torch.rand(count, generator=generator, device=generator.device)

    def noised(self, latents: Tensor, noise: Tensor, times: Tensor) -> Tensor:
        """Latents at times."""
        kept = _along(self._at(times), latents)
        return kept.sqrt() * latents + (1 - kept).sqrt() * noise

    def target(self, latents: Tensor, noise: Tensor) -> Tensor:
        """What a network is to tell."""
        return noise

    def steps(
        self, noised: Tensor, told: Callable[[Tensor, float], Tensor], count: int, start: float
    ) -> Iterator[Tensor]:
        """The way back."""
        times = torch.linspace(start, 0, steps_from(start, count) + 1, dtype=torch.float64)
        for time, (before, after) in zip(times, pairwise(self._at(times)), strict=False):
            noise = told(noised, float(time))
            latents = (noised - (1 - before).sqrt() * noise) / before.sqrt()
            noised = after.sqrt() * latents + (1 - after).sqrt() * noise
            yield noised

    def _at(self, times: Tensor) -> Tensor:
        places = (times.double() * _TIMES).round().long()
        return self._kept.to(times.device)[places].float()


#: By the names that files have of them.
PROCESSES: dict[str, Callable[[], Process]] = {"flow": Flow, "diffusion": Diffusion}


def steps_from(start: float, count: int) -> int:
    """Steps from a time, if there are so many from the time 1."""
    return max(1, round(count * start))


def _along(times: Tensor, latents: Tensor) -> Tensor:
    return times.reshape(-1, *(1,) * (latents.ndim - 1))
