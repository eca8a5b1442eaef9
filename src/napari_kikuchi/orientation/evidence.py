"""What speaks for and against a hypothesis: each reflection, as it is expected and as it is seen.

It tells nothing of which crystal it is: what is learned from it holds for all.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

#: Of each piece of evidence: the amplitude that is expected and the one that is seen, how near the
#: spot lies to where it should (from 0 to 1), and the distance from the direct beam in 1/Å.
PARTS = 4
#: Reflections that are expected or seen, and spots that are none of them, the strongest of each.
REFLECTIONS, UNEXPLAINED = 40, 8


def evidence_of(
    expected: Tensor, seen: Tensor, nearness: Tensor, radius: Tensor, unexplained: Tensor
) -> Tensor:
    """Gather the evidence on hypotheses.

    Parameters
    ----------
    expected, seen
        Amplitudes of the reflections of each hypothesis, of shape (n, hypotheses, reflections).
    nearness, radius
        Of each reflection, of the same shape.
    unexplained
        Amplitudes and radii of spots that are no reflections, of shape
        (n, hypotheses, spots, 2); 0 where a spot is one.

    Returns
    -------
    torch.Tensor
        Of shape (n, hypotheses, REFLECTIONS + UNEXPLAINED, PARTS); rows without amplitudes are
        no evidence.
    """
    most = min(REFLECTIONS, expected.shape[-1])
    chosen = torch.maximum(expected, seen).topk(most, dim=-1).indices
    reflections = torch.stack(
        [part.gather(2, chosen) for part in (expected, seen, nearness, radius)], dim=-1
    )
    most = min(UNEXPLAINED, unexplained.shape[2])
    amplitude, chosen = unexplained[..., 0].topk(most, dim=-1)
    nothing = torch.zeros_like(amplitude)
    spots = torch.stack(
        [nothing, amplitude, nothing, unexplained[..., 1].gather(2, chosen)], dim=-1
    )
    return torch.cat([_filled(reflections, REFLECTIONS), _filled(spots, UNEXPLAINED)], dim=2)


def _filled(rows: Tensor, count: int) -> Tensor:
    return pad(rows, (0, 0, 0, count - rows.shape[2]))
