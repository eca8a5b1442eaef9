"""The loss of a network that proposes several orientations of a pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from napari_kikuchi.orientation.symmetry import disorientation_angles

if TYPE_CHECKING:
    from torch import Tensor

# Part of the loss that all hypotheses share: without it, those that never win never learn.
_SHARED = 0.05
# Of the scores' part of the loss, for angles in radians.
_SCORES = 0.1


class Judged(NamedTuple):
    """Proposed orientations held against the true ones.

    Attributes
    ----------
    loss
        Mean over the patterns.
    angles
        Disorientation of each hypothesis in radians, of shape (n, hypotheses).
    """

    loss: Tensor
    angles: Tensor


def judge(rotations: Tensor, scores: Tensor, truth: Tensor, operators: Tensor) -> Judged:
    """Relaxed winner-takes-all: the best hypothesis of a pattern learns, the others hardly.

    Parameters
    ----------
    rotations, scores
        As :class:`~napari_kikuchi.orientation.network.SpotTransformer` gives them, of shape
        (n, hypotheses, 3, 3) and (n, hypotheses).
    truth
        Of shape (n, 3, 3).
    operators
        Of the crystal, see :func:`~napari_kikuchi.orientation.symmetry.proper_operators`.

    Notes
    -----
    Rupprecht et al. 2017, ICCV: Learning in an uncertain world. The scores learn by cross entropy
    which hypothesis wins.
    """
    angles = disorientation_angles(rotations, truth[:, None], operators)
    best, winner = angles.min(dim=1)
    shared = (1 - _SHARED) * best + _SHARED * angles.mean(dim=1)
    told = torch.nn.functional.cross_entropy(scores, winner)
    return Judged(shared.mean() + _SCORES * told, angles)
