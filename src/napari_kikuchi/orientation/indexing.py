"""From lists of spots to orientations and phases: what patterns may be, and how likely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from napari_kikuchi.orientation.matching import Hypotheses, Matcher
from napari_kikuchi.orientation.refinement import Refiner
from napari_kikuchi.orientation.spots import Spots
from napari_kikuchi.orientation.template_library import Library

# Solutions count by the exponential of their score times this.
_SHARPNESS = 40.0


@dataclass(frozen=True, eq=False)
class Solutions:
    """What patterns may be, likeliest first.

    Attributes
    ----------
    probabilities
        That the phase is right and the orientation within 2°, float32 of shape
        (patterns, solutions); 0 where there is none. What they lack of 1 is that none is right.
    phases
        Numbers of the phases, int64 of shape (patterns, solutions); -1 where there is none.
    rotations
        From the sample's frame into the crystal's, float64 of shape (patterns, solutions, 3, 3);
        NaN where there is none.
    """

    probabilities: Tensor
    phases: Tensor
    rotations: Tensor

    def __len__(self) -> int:
        """Number of patterns."""
        return len(self.probabilities)


class Indexer:
    """Finds the orientation and the phase of patterns, each by itself.

    Parameters
    ----------
    libraries
        Templates of each phase.
    hypotheses
        How many are kept of each pattern and phase.
    device
        Where to compute.
    """

    def __init__(
        self,
        libraries: Sequence[Library],
        *,
        hypotheses: int = 8,
        device: torch.device | str = "cpu",
    ) -> None:
        self._phases = [
            (
                Matcher(library, hypotheses=hypotheses, device=device),
                Refiner(library, device=device),
            )
            for library in libraries
        ]

    def __call__(self, spots: Spots) -> Solutions:
        """Index patterns.

        Parameters
        ----------
        spots
            Of n patterns.

        Returns
        -------
        Solutions
            Of n patterns.
        """
        found = [refiner(spots, matcher(spots)) for matcher, refiner in self._phases]
        scores = torch.cat([one.scores for one in found], dim=1)
        rotations = torch.cat([one.rotations for one in found], dim=1)
        phases = torch.cat([_numbers(one, phase) for phase, one in enumerate(found)], dim=1)
        order = scores.argsort(dim=1, descending=True, stable=True)
        scores, phases = scores.gather(1, order), phases.gather(1, order)
        rotations = rotations.gather(1, order[..., None, None].expand_as(rotations))
        weights = torch.where(scores > 0, scores * _SHARPNESS, -torch.inf).softmax(1).nan_to_num(0)
        return Solutions(weights, phases, rotations)


def _numbers(hypotheses: Hypotheses, phase: int) -> Tensor:
    return torch.where(hypotheses.scores > 0, phase, -1)
