"""Spots as a network reads them: one token each, in a frame that turns with the pattern."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

# Octaves of waves along the radius: the finest tells shells of a metal apart, and no more.
_OCTAVES = 6
# Harmonics of the angle: symmetric patterns repeat up to six times in a turn.
_HARMONICS = 8
# Below this share of the strongest spot all are alike.
_FAINT = 1e-4
#: Numbers that describe the radius, the angle and the intensity of a spot.
RADIUS, ANGLE, INTENSITY = 2 * _OCTAVES + 1, 2 * _HARMONICS, 2


def strongest(spots: Tensor, count: int) -> Tensor:
    """The strongest spots of each pattern, strongest first, of shape (n, count, 3).

    Parameters
    ----------
    spots
        As :class:`~napari_kikuchi.orientation.spots.Spots` has them, of shape (n, spots, 3).
    count
        Patterns with fewer are padded.
    """
    missing = count - spots.shape[1]
    if missing > 0:
        spots = torch.nn.functional.pad(spots, (0, 0, 0, missing))
    order = spots[..., 2].topk(count, dim=1).indices
    return spots.gather(1, order[..., None].expand(-1, -1, 3))


def frame_angles(spots: Tensor, frames: int) -> Tensor:
    """Angles of the strongest spots, in radians, of shape (n, frames): one along x in each frame.

    A network that reads a pattern in such frames need not learn that patterns turn.

    Parameters
    ----------
    spots
        Strongest first, of shape (n, spots, 3); 0 for the frame of a spot that is not there.
    frames
        How many.
    """
    return torch.atan2(spots[:, :frames, 1], spots[:, :frames, 0])


def described(spots: Tensor, k_max: float) -> tuple[Tensor, Tensor, Tensor]:
    """What a network is told of each spot.

    Parameters
    ----------
    spots
        Of shape (..., spots, 3).
    k_max
        Radius of the detector in 1/Å.

    Returns
    -------
    radius, angle, intensity
        Of shape (..., spots, RADIUS), (..., spots, ANGLE) and (..., spots, INTENSITY).
    """
    x, y, intensity = spots.unbind(-1)
    radius, angle = torch.hypot(x, y) / k_max, torch.atan2(y, x)
    waves = math.pi * radius[..., None] * 2.0 ** torch.arange(_OCTAVES, device=spots.device)
    turns = angle[..., None] * torch.arange(1, _HARMONICS + 1, device=spots.device)
    share = intensity / intensity.amax(-1, keepdim=True).clamp_min(torch.finfo(spots.dtype).tiny)
    return (
        torch.cat([radius[..., None], waves.sin(), waves.cos()], dim=-1),
        torch.cat([turns.sin(), turns.cos()], dim=-1),
        torch.stack([share.clamp_min(_FAINT).log() / math.log(_FAINT), share**0.25], dim=-1),
    )
