"""How patterns without labels compare with those that a classifier has learned from."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from napari_kikuchi.symmetry.network import SymmetryNetwork

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.symmetry.lessons import SymmetryLessons

# Phases and crystals that are compared.
_MOST = 2000
# Profiles that are closer than this share of the median distance between phases are of one phase:
# single patterns of a phase come to 0.4 of it.
_ALIKE = 0.5


class Comparison(NamedTuple):
    """What can be said of a target without labels.

    Attributes
    ----------
    strangeness
        Rank of the distance from its crystals to the nearest phase of the source: about 0.5 if
        they lie among the phases as these lie among each other, 1 if each is farther from all than
        any phase is from its nearest. Crystals of one phase share a rank, which may be anything.
    variety
        Of how many phases its crystals seem to be, if there were as many of each.
    """

    strangeness: float
    variety: float


@torch.inference_mode()
def compare(
    network: SymmetryNetwork, source: SymmetryLessons, target: SymmetryLessons
) -> Comparison:
    """Compare patterns by their profiles.

    Parameters
    ----------
    network
        That makes the profiles.
    source, target
        Patterns of at least two phases, and of at least one crystal.
    """
    rng = np.random.default_rng(0)
    phases = rng.permutation(len(source.totals))[:_MOST]
    crystals = rng.permutation(len(target.totals))[:_MOST]
    # As many patterns of each phase as see as much as those of a crystal of the target.
    wanted = np.median(target.counts[crystals].sum(axis=(1, 2), dtype=np.float64))
    of_one = np.median(source.counts[phases].sum(axis=2, dtype=np.float64))
    patterns = int(np.clip(round(wanted / max(of_one, 1e-9)), 1, source.totals.shape[1]))
    known = _profiles(network, source, phases, patterns)
    found = _profiles(network, target, crystals, target.totals.shape[1])
    between = torch.pdist(known)
    nearest = torch.cdist(known, known).fill_diagonal_(torch.inf).amin(dim=1).sort().values
    ranks = torch.searchsorted(nearest, torch.cdist(found, known).amin(dim=1)) / len(known)
    # The chance that two crystals are of one phase is one in the number of phases.
    alike = torch.cdist(found, found) < _ALIKE * between.median()
    return Comparison(float(ranks.mean()), 1 / float(alike.double().mean()))


def _profiles(
    network: SymmetryNetwork, lessons: SymmetryLessons, which: NDArray[np.intp], patterns: int
) -> torch.Tensor:
    device = next(network.parameters()).device
    totals, counts = (
        torch.from_numpy(one[which, :patterns].sum(axis=1, dtype=np.float32)).to(device)
        for one in (lessons.totals, lessons.counts)
    )
    return network.profiles(totals, counts).flatten(1)
