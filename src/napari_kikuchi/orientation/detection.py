"""Finding diffraction spots in patterns, in torch: in batches, on any device.

Patterns are correlated with a disc as large as a spot, less a ring around it: what is evenly bright
gives nothing, a disc of that size most. Where the correlation is highest there is a spot.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch

from napari_kikuchi.not_finite import with_replaced
from napari_kikuchi.orientation.detection_settings import Detection
from napari_kikuchi.orientation.noise import NoiseLimit

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

# Width of the edge of a disc in pixels: none is sharper than the detector.
_EDGE = 0.7
# Radius of the ring's outer edge, in radii of the disc.
_RING = 1.6
# In which noise is told by what is counted: half the side of a square, in radii of the disc.
_AROUND = 2.5
# Pixels of patterns at a time: what the steps below pass on to each other then stays in a core's
# cache, and on a GPU fills the device.
_BATCH = {"cpu": 2**17}
_BATCH_DEVICE = 2**24


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
        self._noise = NoiseLimit(kernel, detection.least_noise)
        around = torch.from_numpy(_surroundings(detection.radius, self._padded)).to(device)
        self._around = torch.fft.rfft2(around)
        self._spacing = 2 * detection.radius if detection.spacing is None else detection.spacing
        # A square within the circle around a spot in which there is no other.
        self._window = 2 * max(1, math.floor(self._spacing / math.sqrt(2))) + 1

    @torch.inference_mode()
    def __call__(self, patterns: NDArray | Tensor) -> Tensor:
        """Find the spots of patterns.

        Parameters
        ----------
        patterns
            Of shape (n, height, width). Pixels of an array that are not finite are replaced, see
            :func:`~napari_kikuchi.not_finite.with_replaced`; a tensor has none.

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
            self._found(torch.as_tensor(part, device=device).float())
            for part in _pieces(patterns, _BATCH.get(device.type, _BATCH_DEVICE))
        ]
        return torch.cat(parts) if parts else torch.zeros(0, self.detection.most, 3)

    def _found(self, patterns: Tensor) -> Tensor:
        n, height, width = patterns.shape
        # Of some of the pixels, which are enough.
        level = patterns[:, ::2, ::2].flatten(1).median(dim=1).values[:, None, None]
        transformed = torch.fft.rfft2(patterns - level, s=self._padded)
        correlation, around = (
            torch.fft.irfft2(transformed * kernel, s=self._padded)[:, :height, :width]
            for kernel in (self._kernel, self._around)
        )
        highest = _highest(correlation, self._window)
        flat = correlation.flatten(1)
        least = torch.maximum(
            self.detection.least * flat.amax(1, keepdim=True),
            self._noise(patterns, around + level).flatten(1),
        )
        seen = (correlation == highest).flatten(1) & (flat > least)
        # A maximum on the edge is that of a spot beyond it.
        seen.view(n, height, width)[:, [0, -1]] = False
        seen.view(n, height, width)[:, :, [0, -1]] = False
        count = min(self.detection.most, flat.shape[1])
        intensity, places = torch.where(seen, flat, 0).topk(count, dim=1)
        found = _refined(correlation, places)
        kept = (intensity > 0) & ~self._beside_stronger(found[..., :2])
        found = found * kept[..., None]
        order = found[..., 2].argsort(dim=1, descending=True, stable=True)
        found = found.gather(1, order[..., None].expand(-1, -1, 3))
        return torch.nn.functional.pad(found, (0, 0, 0, self.detection.most - count))

    def _beside_stronger(self, places: Tensor) -> Tensor:
        """Which spots are too near to one that comes before them, of shape (n, spots)."""
        apart = places[:, :, None] - places[:, None]
        near = apart.square().sum(-1) < self._spacing**2
        return near.tril(-1).any(-1)


def _pieces(patterns: NDArray | Tensor, pixels: int) -> list[NDArray | Tensor]:
    if isinstance(patterns, np.ndarray):
        # Not every device knows unsigned numbers of two bytes.
        patterns = with_replaced(patterns).astype(np.float32)
    few = max(1, pixels // math.prod(patterns.shape[1:]))
    return [patterns[start : start + few] for start in range(0, len(patterns), few)]


def _highest(values: Tensor, window: int) -> Tensor:
    """Of the square around each pixel; several times as fast as max_pool2d on a processor."""
    for dim in (1, 2):
        edge = [0, 0] * (2 - dim) + [window // 2] * 2
        values, reach = torch.nn.functional.pad(values, edge, value=-torch.inf), 1
        while reach < window:
            # Each is the highest of so many from there on; twice as many, or all that are wanted.
            step = min(reach, window - reach)
            size = values.shape[dim] - step
            values = values.narrow(dim, 0, size).maximum(values.narrow(dim, step, size))
            reach += step
    return values


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


def _surroundings(radius: float, shape: list[int]) -> NDArray[np.float32]:
    """An even square about the corner, whose pixels add up to 1."""
    half = math.ceil(_AROUND * radius)
    inside = [np.abs(np.fft.fftfreq(side, 1 / side)) <= half for side in shape]
    square = np.outer(*inside).astype(np.float32)
    return square / square.sum()


def _fast(length: int) -> int:
    from scipy.fft import next_fast_len

    return next_fast_len(length, real=True)
