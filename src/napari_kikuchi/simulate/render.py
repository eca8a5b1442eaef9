"""Patterns from a master pattern, in torch: in batches, on any device."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from napari_kikuchi.simulate.detector import Detector

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_kikuchi.simulate.master import MasterPattern

# Patterns rendered at a time hold about this many pixels: what the steps below pass on to each
# other then stays in a core's cache, and on a GPU fills the device.
_BATCH_PIXELS = {"cpu": 2**15}
_BATCH_PIXELS_DEVICE = 2**23


class Renderer:
    """Looks patterns of one detector up in a master pattern.

    Parameters
    ----------
    master
        Of the phase.
    detector
        Where the screen stands.
    shape
        Height and width of a pattern in pixels.
    device
        A torch device.
    """

    def __init__(
        self,
        master: MasterPattern,
        detector: Detector,
        shape: tuple[int, int],
        device: torch.device | str = "cpu",
    ) -> None:
        self.shape = shape
        self.device = torch.device(device)
        # One below the other, so that one lookup serves both hemispheres.
        self._size = master.hemispheres.shape[-1]
        self._lookup = torch.as_tensor(
            master.hemispheres.reshape(1, 1, 2 * self._size, self._size), device=self.device
        )
        self._directions = torch.as_tensor(
            detector.directions(shape).T, dtype=torch.float32, device=self.device
        ).contiguous()

    @torch.no_grad()
    def __call__(self, orientations: NDArray[np.floating] | torch.Tensor) -> torch.Tensor:
        """Render patterns.

        Parameters
        ----------
        orientations
            Unit quaternions of shape (n, 4), scalar first, that turn the sample's frame into the
            crystal's (orix's and kikuchipy's convention).

        Returns
        -------
        torch.Tensor
            Of shape (n, height, width), float32, in standard deviations of the master pattern.
        """
        if not isinstance(orientations, torch.Tensor):
            orientations = torch.tensor(orientations)  # A copy: read-only maps are welcome.
        quaternions = orientations.to(self.device, torch.float32)
        pixels = self.shape[0] * self.shape[1]
        batch = max(1, _BATCH_PIXELS.get(self.device.type, _BATCH_PIXELS_DEVICE) // pixels)
        out = torch.empty((len(quaternions), pixels), device=self.device)
        for start in range(0, len(quaternions), batch):
            part = slice(start, start + batch)
            out[part] = self._look_up(_rotation_matrices(quaternions[part]))
        return out.reshape(-1, *self.shape)

    def _look_up(self, rotations: torch.Tensor) -> torch.Tensor:
        x, y, z = (rotations @ self._directions).unbind(1)
        # Square Lambert projection (Roşca 2010), scaled to -1 ... 1: with u along the larger of
        # |x| and |y|, u = ±sqrt(1 - |z|) and v = 4/pi atan(smaller / larger) u. The difference
        # is written as a quotient, which keeps its digits near the poles.
        along_x = x.abs() >= y.abs()
        larger, smaller = torch.where(along_x, x, y), torch.where(along_x, y, x)
        radius = ((x * x + y * y) / (1 + z.abs())).sqrt_()
        u = torch.copysign(radius, larger)
        v = radius * torch.atan(smaller / larger.abs().clamp_min_(1e-30)).mul_(4 / math.pi)
        column, row = torch.where(along_x, u, v), torch.where(along_x, v, u)
        # From -1 ... 1 of one hemisphere to -1 ... 1 of both.
        row = ((row + 1) * (self._size - 1) / 2 + self._size * (z < 0)) * (
            2 / (2 * self._size - 1)
        ) - 1
        grid = torch.stack((column, row), dim=-1)[None]
        return torch.nn.functional.grid_sample(
            self._lookup, grid, mode="bilinear", padding_mode="border", align_corners=True
        )[0, 0]


def render(
    orientations: NDArray[np.floating] | torch.Tensor,
    master: MasterPattern,
    detector: Detector | None = None,
    shape: tuple[int, int] = (60, 60),
    device: torch.device | str = "cpu",
) -> torch.Tensor:
    """Render patterns once; a :class:`Renderer` keeps what several calls share."""
    return Renderer(master, detector or Detector(), shape, device)(orientations)


def _rotation_matrices(quaternions: torch.Tensor) -> torch.Tensor:
    a, b, c, d = quaternions.unbind(-1)
    rows = [
        a * a + b * b - c * c - d * d,
        2 * (b * c - a * d),
        2 * (b * d + a * c),
        2 * (b * c + a * d),
        a * a - b * b + c * c - d * d,
        2 * (c * d - a * b),
        2 * (b * d - a * c),
        2 * (c * d + a * b),
        a * a - b * b - c * c + d * d,
    ]
    return torch.stack(rows, dim=-1).reshape(-1, 3, 3)
