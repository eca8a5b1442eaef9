"""From lists of spots to orientations and phases: what patterns may be, and how likely."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from napari_kikuchi.orientation.matching import Hypotheses, Matcher
from napari_kikuchi.orientation.refinement import Refiner
from napari_kikuchi.orientation.spots import Spots
from napari_kikuchi.orientation.symmetry import disorientation_angles
from napari_kikuchi.orientation.template_library import Library
from napari_kikuchi.orientation.verifier import RIGHT, Verifier, shipped_verifier
from napari_kikuchi.orientation.window import Window

# Patterns at a time: those of one cell are compared with its templates at once.
_BATCH = 512


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
        Templates of each phase. Spots beyond their ``k_max`` do not count.
    hypotheses
        How many of each pattern and phase are weighed against each other: of a proposer that gives
        more, those with the highest scores.
    proposers
        What proposes hypotheses of each phase, in the order of the libraries, such as a
        :class:`~napari_kikuchi.orientation.placing.Proposer`; None: a :class:`Matcher`, of all
        phases or of one.
    window
        What the detector shows: reflections beside it are not missing. None: all of the libraries.
    solutions
        How many are kept of each pattern.
    verifier
        That weighs hypotheses; None: the one that comes with this package.
    device
        Where to compute.
    """

    def __init__(
        self,
        libraries: Sequence[Library],
        *,
        hypotheses: int = 8,
        proposers: Sequence[Callable[[Spots], Hypotheses] | None] | None = None,
        window: Window | None = None,
        solutions: int = 4,
        verifier: Verifier | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self.solutions = solutions
        self._hypotheses = hypotheses
        self.k_max = min(library.k_max for library in libraries)
        self.device = torch.device(device)
        if window and window.nearest >= self.k_max:
            window = None
        found_by: list[Callable[[Spots], Hypotheses]] = [
            proposer or Matcher(library, hypotheses=hypotheses, window=window, device=device)
            for proposer, library in zip(
                proposers or [None] * len(libraries), libraries, strict=True
            )
        ]
        refiners = [Refiner(library, window=window, device=device) for library in libraries]
        self._phases = list(zip(found_by, refiners, strict=True))
        self._verifier = (verifier or shipped_verifier()).to(device)

    def __call__(self, spots: Spots) -> Solutions:
        """Index patterns.

        Parameters
        ----------
        spots
            Of n patterns.

        Returns
        -------
        Solutions
            Of n patterns, likeliest first.
        """
        spots = spots.within(self.k_max)
        starts = range(0, max(1, len(spots)), _BATCH)
        parts = [self._index(spots[start : start + _BATCH]) for start in starts]
        return Solutions(
            *map(torch.cat, zip(*(vars(part).values() for part in parts), strict=True))
        )

    @torch.inference_mode()
    def _index(self, spots: Spots) -> Solutions:
        refined = [
            refiner.refine(spots, propose(spots)).best(self._hypotheses)
            for propose, refiner in self._phases
        ]
        scores = torch.cat([found.scores for found, _ in refined], dim=1)
        evidence = torch.cat([evidence for _, evidence in refined], dim=1)
        weighed = self._verifier(evidence, scores.to(self.device)).exp()[:, :-1].cpu()
        weighed = torch.where(scores > 0, weighed, 0)
        phases = torch.cat(
            [torch.full_like(found.cells, phase) for phase, (found, _) in enumerate(refined)], dim=1
        )
        rotations = torch.cat([found.rotations for found, _ in refined], dim=1)
        operators = [refiner.templates.operators for _, refiner in self._phases]
        alike = _alike([found.rotations for found, _ in refined], operators)
        return _likeliest(weighed, phases, rotations, alike, self.solutions)


def _alike(rotations: Sequence[Tensor], operators: Sequence[Tensor]) -> Tensor:
    """Which hypotheses are one orientation, of shape (n, hypotheses, hypotheses)."""
    blocks = []
    for of_phase, symmetry in zip(rotations, operators, strict=True):
        angles = disorientation_angles(of_phase[:, :, None], of_phase[:, None], symmetry)
        blocks.append(angles < math.radians(RIGHT))
    n, sizes = len(blocks[0]), [block.shape[1] for block in blocks]
    alike = torch.zeros(n, sum(sizes), sum(sizes), dtype=torch.bool)
    start = 0
    for block, size in zip(blocks, sizes, strict=True):
        alike[:, start : start + size, start : start + size] = block
        start += size
    return alike


def _likeliest(
    weighed: Tensor, phases: Tensor, rotations: Tensor, alike: Tensor, count: int
) -> Solutions:
    """Take hypotheses that are one orientation together, and the likeliest of these."""
    n = torch.arange(len(weighed))
    found = []
    for _ in range(count):
        together = (alike & (weighed > 0)[:, :, None]).float() @ weighed[..., None]
        probability, best = together[..., 0].max(dim=1)
        # The likeliest of those that are one, and not what lies between them.
        one = alike[n, best]
        best = torch.where(one, weighed, 0).argmax(dim=1)
        there = probability > 0
        found.append(
            (
                probability,
                torch.where(there, phases[n, best], -1),
                torch.where(there[:, None, None], rotations[n, best], torch.nan),
            )
        )
        weighed = torch.where(one | alike[n, best], 0, weighed)
    probabilities, phases, rotations = (
        torch.stack(part, dim=1) for part in zip(*found, strict=True)
    )
    order = probabilities.argsort(dim=1, descending=True, stable=True)
    return Solutions(
        probabilities.gather(1, order), phases.gather(1, order), rotations[n[:, None], order]
    )
