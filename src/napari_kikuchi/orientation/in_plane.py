"""Patterns turned and mirrored in their plane: the spots of other orientations at no cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


def turned(spots: Tensor, rotations: Tensor, angles: Tensor) -> tuple[Tensor, Tensor]:
    """Turn patterns about the beam, from x towards y.

    Parameters
    ----------
    spots
        As :class:`Spots` has them, of shape (n, spots, 3).
    rotations
        Orientations of the crystals, from the sample's frame into theirs, of shape (n, 3, 3).
    angles
        In radians, of shape (n,).

    Returns
    -------
    spots, rotations
        Of the turned crystals, of the same shapes.
    """
    cosine, sine = angles.cos(), angles.sin()
    zero, one = torch.zeros_like(angles), torch.ones_like(angles)
    # Its transpose turns a row from x towards y, and the sample's frame back.
    turn = torch.stack([cosine, sine, zero, -sine, cosine, zero, zero, zero, one], dim=-1)
    turn = turn.reshape(-1, 3, 3)
    return _moved(spots, turn), rotations @ turn.to(rotations.dtype)


def mirrored(spots: Tensor, rotations: Tensor) -> tuple[Tensor, Tensor]:
    """Mirror patterns: y becomes -y.

    They are then patterns of the same crystal seen from the other side, if it has a centre of
    inversion or scatters kinematically.

    Parameters
    ----------
    spots, rotations
        As those of :func:`turned`.

    Returns
    -------
    spots, rotations
        Of the mirrored crystals, of the same shapes.
    """
    mirror = torch.diag(torch.tensor([1.0, -1.0, 1.0], device=spots.device))
    return _moved(spots, mirror.to(spots)), -rotations @ mirror.to(rotations)


def _moved(spots: Tensor, rows: Tensor) -> Tensor:
    moved = spots[..., :2] @ rows[..., :2, :2].to(spots)
    return torch.cat([moved, spots[..., 2:]], dim=-1)
