"""How latents are noised, and by which steps noise becomes latents again.

Two processes: the rectified flow (Liu, Gong and Liu, ICLR 2023), straight from noise to latents,
which keeps its quality with few steps; and the denoising diffusion of Ho, Jain and Abbeel (NeurIPS
2020), with the deterministic steps of Song, Meng and Ermon (ICLR 2021), as published for
microstructures. Times run from 0, latents as they are, to 1, noise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
            Steps from the time 1; from an earlier one there are fewer.
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
        taken = max(1, round(count * start))
        scheduler.set_timesteps(
            sigmas=torch.linspace(start, 0, taken + 1)[:-1].tolist(), device=noised.device
        )
        for time in scheduler.timesteps:
            found = told(noised, float(time) / _TIMES)
            noised = scheduler.step(found, time, noised).prev_sample
            yield noised


class Diffusion:
    """Denoising diffusion: of noised latents the noise is told."""

    def __init__(self) -> None:
        from diffusers import DDIMScheduler

        self._scheduler: Any = DDIMScheduler(_TIMES, clip_sample=False)

    def times(self, count: int, generator: torch.Generator) -> Tensor:
        """All alike."""
        return torch.rand(count, generator=generator, device=generator.device)

    def noised(self, latents: Tensor, noise: Tensor, times: Tensor) -> Tensor:
        """Latents at times."""
        return self._scheduler.add_noise(latents, noise, _numbers(times))

    def target(self, latents: Tensor, noise: Tensor) -> Tensor:
        """What a network is to tell."""
        return noise

    def steps(
        self, noised: Tensor, told: Callable[[Tensor, float], Tensor], count: int, start: float
    ) -> Iterator[Tensor]:
        """The way back."""
        self._scheduler.set_timesteps(count, device=noised.device)
        # From the time at which they are noised, not from the next one of the scheduler's own.
        for time in range(int(_numbers(torch.tensor(start))), 0, -(_TIMES // count)):
            found = told(noised, time / (_TIMES - 1))
            noised = self._scheduler.step(found, time, noised).prev_sample
            yield noised


#: By the names that files have of them.
PROCESSES: dict[str, Callable[[], Process]] = {"flow": Flow, "diffusion": Diffusion}


def _along(times: Tensor, latents: Tensor) -> Tensor:
    return times.reshape(-1, *(1,) * (latents.ndim - 1))


def _numbers(times: Tensor) -> Tensor:
    return (times * (_TIMES - 1)).round().long()
