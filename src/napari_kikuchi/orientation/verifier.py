"""How likely hypotheses are, learned from simulated patterns whose orientation is known.

What a score cannot weigh: a reflection that should be there and is not speaks otherwise than one
that is too weak. A small network learns what each piece of evidence says, adds that up, and weighs
the hypotheses of a pattern against each other and against that none is right. It knows nothing of
crystals, so that it serves for all of them, and for several phases at once.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding_bag

from napari_kikuchi.io.network_files import weights_of, with_weights
from napari_kikuchi.io.weights import read_tensors, write_tensors
from napari_kikuchi.orientation.evidence import PARTS

#: Orientations within so many degrees of the truth are right.
RIGHT = 2.0

_CONTENT = "verifier of orientations"
_SHIPPED = "verifier.safetensors"
_WIDTH, _SUMS = 32, 48
# Sums over as many pieces of evidence as patterns often have are then near 1.
_USUAL_PIECES = 8
# What scores say of themselves, which the network corrects.
_SHARPNESS = 40.0
# Of a hypothesis that there is not.
_NEVER = -30.0


class Verifier(nn.Module):
    """Weighs hypotheses."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces = nn.Sequential(
            nn.Linear(PARTS + 3, _WIDTH),
            nn.GELU(),
            nn.Linear(_WIDTH, _WIDTH),
            nn.GELU(),
            nn.Linear(_WIDTH, _SUMS),
        )
        self.whole = nn.Sequential(
            nn.Linear(2 * _SUMS + 3, 2 * _WIDTH),
            nn.GELU(),
            nn.Linear(2 * _WIDTH, 2 * _WIDTH),
            nn.GELU(),
            nn.Linear(2 * _WIDTH, 1),
        )
        self.none = nn.Parameter(torch.zeros(1))

    def forward(self, evidence: Tensor, scores: Tensor) -> Tensor:
        """Logarithms of probabilities.

        Parameters
        ----------
        evidence
            As :func:`~napari_kikuchi.orientation.evidence.evidence_of` gives it, of shape
            (n, hypotheses, pieces, PARTS).
        scores
            Of the hypotheses, of shape (n, hypotheses); 0 where there is none.

        Returns
        -------
        torch.Tensor
            Of shape (n, hypotheses + 1): that a hypothesis is right, and last, that none is.
        """
        there = (evidence[..., :2] > 0).any(-1)
        count = there.sum(-1, keepdim=True)
        sums = self._sums(evidence[there], count) / _USUAL_PIECES
        count = count / (2 * _USUAL_PIECES)
        others = sums - sums.mean(1, keepdim=True)
        behind = (scores - scores.amax(1, keepdim=True))[..., None]
        known = torch.cat([sums, others, scores[..., None], 10 * behind, count], dim=-1)
        logits = (self.whole(known) + _SHARPNESS * behind)[..., 0]
        logits = torch.where(scores > 0, logits, _NEVER)
        return torch.cat([logits, self.none.expand(len(logits), 1)], dim=1).log_softmax(1)

    def _sums(self, evidence: Tensor, count: Tensor) -> Tensor:
        """What the pieces say, added up, of shape (n, hypotheses, sums).

        Parameters
        ----------
        evidence
            Of those that are there, one after another, of shape (pieces, PARTS).
        count
            How many each hypothesis has, of shape (n, hypotheses, 1).
        """
        expected, seen, nearness, radius = evidence.unbind(-1)
        apart = expected - seen
        parts = [expected, seen, nearness, radius / 2, expected * seen, apart.abs(), apart**2]
        *first, last = self.pieces
        said = torch.stack(parts, dim=-1)
        for layer in first:
            said = layer(said)
        each = torch.arange(len(said), device=said.device)
        ends = count.flatten().cumsum(0)
        summed = embedding_bag(each, said, ends - count.flatten(), mode="sum")
        # The last layer is linear: once for the mean of the pieces does for each of them.
        return last(summed.unflatten(0, count.shape[:2]) / count.clamp(min=1)) * count

    def save(self, path: Path | str, provenance: dict | None = None) -> None:
        """Write the weights to a file that :meth:`load` reads."""
        header = {"content": _CONTENT, "provenance": provenance or {}}
        write_tensors(path, weights_of(self), header)

    @classmethod
    def load(cls, path: Path | str) -> Verifier:
        """Read what :meth:`save` wrote.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ModelFileError
            If it is damaged, holds something else or was written by a newer version.
        """
        tensors, _ = read_tensors(path, _CONTENT)
        return with_weights(cls, tensors, path, "verifying")


@cache
def shipped_verifier() -> Verifier:
    """The one that comes with this package, for all crystals."""
    with as_file(files(__package__) / _SHIPPED) as path:
        return Verifier.load(path)


def verifier_loss(log_probabilities: Tensor, angles: Tensor) -> Tensor:
    """What the probabilities miss of the truth, in nats: the mean over the patterns.

    Parameters
    ----------
    log_probabilities
        As a :class:`Verifier` gives them, of shape (n, hypotheses + 1).
    angles
        From the truth, in degrees, of shape (n, hypotheses); infinite for another phase.
    """
    right = angles < RIGHT
    right = torch.cat([right, ~right.any(1, keepdim=True)], dim=1)
    return -torch.where(right, log_probabilities, -torch.inf).logsumexp(1).mean()
