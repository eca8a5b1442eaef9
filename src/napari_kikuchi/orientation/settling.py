"""Lets neighbours decide between orientations that a pattern alone does not tell apart.

Of a pattern whose spots are all of one zone, two orientations give the same spots. Within a grain
the beam passes other zones' spots here and there, and neighbours mostly have one orientation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

# Neighbours nearer than this, in degrees, agree: errors of both, and what a crystal bends by.
AGREEMENT = 4.0
# Neighbours err together: what misleads one position of a grain misleads the others. So each speaks
# with a part of its weight, and the more of them speak, the less a pattern's own evidence counts,
# which is theirs as well. And a neighbour may be of another grain. With these, nearly, the truth of
# sixty simulated maps was likeliest.
_HEARD, _IN_COMMON, _UNRELATED = 0.3, 0.2, 0.02
# What is told reaches so many positions further. More would count one another's doubts again and
# again, and be surer than the patterns are.
REACH = 3
# Pairs of solutions compared at a time.
_BATCH = 2**18


def settle(
    probabilities: Tensor,
    phases: Tensor,
    quaternions: Tensor,
    symmetries: Sequence[Any],
) -> Tensor:
    """Weigh the solutions of each position by those of its neighbours.

    Each neighbour speaks for a solution by what it believes in solutions of the same phase and
    nearly the same orientation, as in loopy belief propagation, for three rounds.

    Parameters
    ----------
    probabilities
        Of the solutions of each position, of shape (rows, columns, solutions); what they lack of 1
        is that none is right.
    phases
        Numbers of their phases, of shape (rows, columns, solutions); -1 where there is none.
    quaternions
        Scalar first, of shape (rows, columns, solutions, 4), in any order of equivalent ones.
    symmetries
        orix's ``Symmetry`` of each phase, as :attr:`Crystal.laue_group` gives it.

    Returns
    -------
    torch.Tensor
        Probabilities, of the same shape and in the same order.
    """
    none = (1 - probabilities.sum(-1)).clamp(min=0)
    evidence = torch.cat([probabilities, none[..., None]], dim=-1).clamp(min=0).log()
    bonds = [
        (one, other, _alike(phases, quaternions, symmetries, one, other)) for one, other in _SIDES
    ]
    beliefs = evidence.softmax(-1)
    for _ in range(REACH):
        support = torch.zeros_like(evidence)
        sure = 1 - beliefs[..., -1:]
        speaking = torch.zeros_like(sure)
        for one, other, alike in bonds:
            for hearer, speaker, agreed in ((one, other, alike), (other, one, alike.mT)):
                support[hearer] += _HEARD * _told(beliefs[speaker], agreed)
                speaking[hearer] += sure[speaker]
        beliefs = (evidence / (1 + _IN_COMMON * speaking) + support).softmax(-1)
    return beliefs[..., :-1]


# Each position and that to its right; each and that below.
_SIDES = (
    ((slice(None), slice(None, -1)), (slice(None), slice(1, None))),
    ((slice(None, -1), slice(None)), (slice(1, None), slice(None))),
)


def _told(beliefs: Tensor, alike: Tensor) -> Tensor:
    """What a neighbour's beliefs say for each solution, of shape (..., solutions + 1)."""
    agreed = (alike.to(beliefs.dtype) @ beliefs[..., :-1, None])[..., 0]
    # One that believes in nothing says nothing: what is not indexed may be thick, or empty.
    sure = 1 - beliefs[..., -1:]
    agreed = torch.nn.functional.pad(agreed, (0, 1))
    return (_UNRELATED * sure + (1 - _UNRELATED) * agreed + (1 - sure)).log()


def _alike(
    phases: Tensor,
    quaternions: Tensor,
    symmetries: Sequence[Any],
    one: tuple[slice, slice],
    other: tuple[slice, slice],
) -> Tensor:
    """Which solutions of neighbours agree, of shape (rows, columns, solutions, solutions)."""
    same = phases[one][..., :, None] == phases[other][..., None, :]
    found = torch.zeros_like(same)
    cosine = math.cos(math.radians(AGREEMENT) / 2)
    first, second = quaternions[one], quaternions[other]
    for phase, symmetry in enumerate(symmetries):
        operators = torch.as_tensor(symmetry.laue_proper_subgroup.data).to(quaternions)
        where = (same & (phases[one] == phase)[..., None]).nonzero()
        for part in where.split(_BATCH):
            rows, cols, k, other_k = part.unbind(1)
            between = _between(first[rows, cols, k], second[rows, cols, other_k])
            found[rows, cols, k, other_k] = (between @ operators.T).abs().amax(-1) >= cosine
    return found


def _between(first: Tensor, second: Tensor) -> Tensor:
    """Hamilton's product of quaternions with the inverses of others, of shape (n, 4)."""
    a, b, c, d = first.unbind(-1)
    e, f, g, h = second.unbind(-1)
    return torch.stack(
        [
            a * e + b * f + c * g + d * h,
            b * e - a * f - c * h + d * g,
            c * e - a * g - d * f + b * h,
            d * e - a * h - b * g + c * f,
        ],
        dim=-1,
    )
