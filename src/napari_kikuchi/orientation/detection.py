"""Finding diffraction spots in patterns, in torch: in batches, on any device.

Patterns are correlated with a disc as large as a spot, less a ring around it: what is evenly bright
gives nothing, a disc of that size most. Where the correlation is highest there is a spot.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn.functional import max_pool2d

from napari_kikuchi.orientation.detection_settings import Detection

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

# Width of the edge of a disc in pixels: none is sharper than the detector.
_EDGE = 0.7
# Radius of the ring's outer edge, in radii of the disc.
_RING = 1.6
# Patterns whose transforms are in memory at a time.
_BATCH = 64


class SpotDetector:
    """Finds spots in patterns of one size.

    Parameters
    ----------
    shape
        Height and width of a pattern in pixels.
    detection
        How.
    device
        Where to compute.
    """

    def __init__(
        self, shape: tuple[int, int], detection: Detection, device: torch.device | str = "cpu"
    ) -> None:
        self.detection = detection
        # What runs out of one side comes in at the other: room for a ring keeps them apart.
        room = math.ceil(2 * _RING * detection.radius)
        self._padded = [_fast(side + room) for side in shape]
        kernel = torch.from_numpy(_kernel(detection.radius, self._padded)).to(device)
        self._kernel = torch.fft.rfft2(kernel).conj()
        spacing = 2 * detection.radius if detection.spacing is None else detection.spacing
        self._window = 2 * max(1, math.ceil(spacing) - 1) + 1

    @torch.inference_mode()
    def __call__(self, patterns: NDArray | Tensor) -> Tensor:
        """Find the spots of patterns.

        Parameters
        ----------
        patterns
            Of shape (n, height, width).

        Returns
        -------
        torch.Tensor
            Column, row and intensity of each spot, strongest first, float32 of shape
            (n, most, 3): to a part of a pixel, and in the counts of a disc above its
            surroundings, of which up to a tenth is missed between pixels. Rows of intensity 0 are
            no spots.
        """
        device = self._kernel.device
        parts = [
            self._found(torch.as_tensor(part, device=device).float()) for part in _pieces(patterns)
        ]
        return torch.cat(parts) if parts else torch.zeros(0, self.detection.most, 3)

    def _found(self, patterns: Tensor) -> Tensor:
        n, height, width = patterns.shape
        level = patterns.flatten(1).median(dim=1).values[:, None, None]
        transformed = torch.fft.rfft2(patterns - level, s=self._padded)
        correlation = torch.fft.irfft2(transformed * self._kernel, s=self._padded)
        correlation = correlation[:, :height, :width]
        highest = max_pool2d(correlation[:, None], self._window, 1, self._window // 2)[:, 0]
        flat = correlation.flatten(1)
        strongest = flat.amax(1, keepdim=True)
        # Of most pixels, which show no spot; 1.48 makes it a standard deviation.
        noise = 1.4826 * flat.abs().median(dim=1, keepdim=True).values
        least = torch.maximum(self.detection.least * strongest, self.detection.least_noise * noise)
        seen = (correlation == highest).flatten(1) & (flat > least)
        # A maximum on the edge is that of a spot beyond it.
        seen.view(n, height, width)[:, [0, -1]] = False
        seen.view(n, height, width)[:, :, [0, -1]] = False
        count = min(self.detection.most, flat.shape[1])
        intensity, places = torch.where(seen, flat, 0).topk(count, dim=1)
        found = _refined(correlation, places) * (intensity > 0)[..., None]
        return torch.nn.functional.pad(found, (0, 0, 0, self.detection.most - count))


def _pieces(patterns: NDArray | Tensor) -> list[NDArray | Tensor]:
    if isinstance(patterns, np.ndarray):
        # Not every device knows unsigned numbers of two bytes.
        patterns = patterns.astype(np.float32)
    return [patterns[start : start + _BATCH] for start in range(0, len(patterns), _BATCH)]


def _refined(correlation: Tensor, places: Tensor) -> Tensor:
    """Column, row and height of maxima, of the parabolas through them and their neighbours."""
    width = correlation.shape[2]
    flat = correlation.flatten(1)
    height, moved = flat.gather(1, places), []
    at = height
    for step, place in ((1, places % width), (width, places // width)):
        before, after = (
            flat.gather(1, (places + shift).clamp(0, flat.shape[1] - 1)) for shift in (-step, step)
        )
        bend = before - 2 * at + after
        shift = torch.where(bend < 0, (before - after) / (2 * bend), 0).clamp(-0.5, 0.5)
        moved.append(place + shift)
        height = height - (before - after) * shift / 4
    return torch.stack([*moved, height], dim=-1)


def _kernel(radius: float, shape: list[int]) -> NDArray[np.float32]:
    """A disc less a ring around it, about the corner: what is even gives 0, a spot its counts."""
    row, col = (np.fft.fftfreq(side, 1 / side) for side in shape)
    distance = np.hypot(row[:, None], col)

    def disc(of: float) -> NDArray[np.float64]:
        return np.clip((of - distance) / _EDGE + 0.5, 0, 1)

    inner = disc(radius)
    ring = disc(_RING * radius) - inner
    difference = inner - ring * inner.sum() / ring.sum()
    return (difference * inner.sum() / np.square(inner).sum()).astype(np.float32)


def _fast(length: int) -> int:
    from scipy.fft import next_fast_len

    return next_fast_len(length, real=True)
