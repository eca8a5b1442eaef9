"""Adapting a classifier of space groups to patterns whose groups nobody knows: those of a scan."""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from numpy.typing import ArrayLike

from napari_kikuchi.devices import torch_threads
from napari_kikuchi.jobs import Job
from napari_kikuchi.symmetry.adaptation_methods import (
    Domains,
    by_discrepancy,
    by_source,
    by_statistics,
    by_teacher,
)
from napari_kikuchi.symmetry.adapting_method import UNADAPTED, AdaptingMethod
from napari_kikuchi.symmetry.classifier import SymmetryClassifier
from napari_kikuchi.symmetry.comparison import compare
from napari_kikuchi.symmetry.lessons import SymmetryLessons
from napari_kikuchi.symmetry.network import SymmetryNetwork
from napari_kikuchi.symmetry.train import SymmetryObjective

#: By maximum classifier discrepancy; by a teacher, for a target that has about as many phases of
#: each group; by the statistics of normalisation; not at all.
METHODS = (*(one.value for one in AdaptingMethod), UNADAPTED)
# Rate of learning anew, and of a network that has learned.
_RATE, _LOWER_RATE, _RATE_OF_DISCREPANCY = 2e-3, 1e-3, 3e-4
# Of a network that reads edges.
_DROPOUT = 0.5


@dataclass(frozen=True)
class AdaptationSettings:
    """How a classifier is adapted.

    Attributes
    ----------
    method
        One of :data:`METHODS`.
    edges
        Begin with a network that reads where bands end, learned from the source anew unless the
        classifier is such a one.
    strange
        Least strangeness of the target at which anything is done; 0: always. See
        :class:`~napari_kikuchi.symmetry.comparison.Comparison`.
    various
        Least variety of the target at which the method is used, at least 2. The statistics of few
        phases are those of their symmetry: who takes them away takes the symmetry. From fewer only
        ``edges`` helps, which asks nothing of the target.
    steps
        Of learning from the source anew, and as many of the method.
    batch
        Phases and crystals that are looked at in a step.
    seed
        Of all that is random.
    threads
        Of torch on a processor; None leaves the caller's choice alone.
    """

    method: str = AdaptingMethod.DISCREPANCY.value
    edges: bool = True
    strange: float = 0.85
    various: float = 12.0
    steps: int = 300
    batch: int = 64
    seed: int = 0
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"method must be one of {METHODS}, not {self.method!r}")
        for name in ("various", "steps", "batch"):
            if getattr(self, name) < 2:
                raise ValueError(f"{name} must be at least 2, not {getattr(self, name)}")


def adapt(
    classifier: SymmetryClassifier,
    source: SymmetryLessons,
    shown: ArrayLike,
    target: SymmetryLessons,
    settings: AdaptationSettings | None = None,
) -> Job[SymmetryClassifier]:
    """Adapt a classifier to patterns without labels.

    A target that is no stranger to the source than its phases are to each other needs nothing: the
    classifier comes back as it is. One of few phases is read by its edges, learned from the source;
    one of many is learned from itself. How sure votes may be is kept: nobody can measure it without
    labels.

    Parameters
    ----------
    classifier
        Trained on the source. It is left as it is.
    source
        Patterns of phases whose groups are known.
    shown
        Number of the space group that patterns of each phase show, of shape (phases,).
    target
        Patterns of crystals: of shape (crystals, 1, nodes) where those of a crystal are summed.
    settings
        How; None: as :class:`AdaptationSettings` has it.

    Yields
    ------
    Progress
        In steps.

    Returns
    -------
    SymmetryClassifier
        Its provenance tells what was done.

    Raises
    ------
    ValueError
        If there are too few phases or crystals, or groups that the classifier does not know.
    """
    settings = settings or AdaptationSettings()
    shown = np.asarray(shown)
    _check(classifier, source, shown, target)
    found = compare(classifier.network, source, target)
    needed = found.strangeness >= settings.strange
    edges = needed and settings.edges and classifier.network.architecture.reads != "edges"
    method = settings.method if needed and found.variety >= settings.various else UNADAPTED
    network = yield from _adapted(
        classifier, source, shown, target, replace(settings, edges=edges, method=method)
    )
    told = {**asdict(settings), **found._asdict(), "edges": edges, "method": method}
    # Of the machine: what was done is the same.
    del told["threads"]
    provenance = {**classifier.provenance, "adapted": told}
    return replace(classifier, network=network, provenance=provenance)


def _adapted(
    classifier: SymmetryClassifier,
    source: SymmetryLessons,
    shown: np.ndarray,
    target: SymmetryLessons,
    settings: AdaptationSettings,
) -> Job[SymmetryNetwork]:
    """Do what the settings say."""
    before = classifier.network
    device = next(before.parameters()).device
    with torch_threads(settings.threads):
        torch.manual_seed(settings.seed)
        network = _edge_reader(before) if settings.edges else copy.deepcopy(before)
        domains = Domains(
            SymmetryObjective(network, source).to(device),
            SymmetryObjective(network, target).to(device),
            torch.from_numpy(np.searchsorted(before.architecture.groups, shown)).to(device),
            settings.batch,
            torch.Generator(device).manual_seed(settings.seed),
        )
        if settings.edges:
            yield from by_source(network, domains, settings.steps, _RATE)
        if settings.method == AdaptingMethod.STATISTICS:
            yield from by_statistics(network, domains)
        elif settings.method == AdaptingMethod.DISCREPANCY:
            yield from by_discrepancy(network, domains, settings.steps, _RATE_OF_DISCREPANCY)
        elif settings.method == AdaptingMethod.TEACHER:
            yield from by_teacher(network, domains, settings.steps, _LOWER_RATE)
    return network


def _check(
    classifier: SymmetryClassifier,
    source: SymmetryLessons,
    shown: np.ndarray,
    target: SymmetryLessons,
) -> None:
    if len(shown) != len(source.totals) or len(shown) < 2:
        raise ValueError(
            f"expected a group for each of at least 2 phases of the source, found {len(shown)} for "
            f"{len(source.totals)}"
        )
    known = classifier.network.architecture.groups
    unknown = sorted(set(shown.tolist()) - set(known))
    if unknown:
        raise ValueError(
            f"expected phases of the groups {known}, found {unknown}. Leave them out, "
            "or train a classifier of these groups"
        )
    if not len(target.totals):
        raise ValueError("expected patterns of at least one crystal to adapt to, found none")


def _edge_reader(before: SymmetryNetwork) -> SymmetryNetwork:
    """A fresh network that reads edges, with all else of another."""
    architecture = replace(before.architecture, reads="edges", dropout=_DROPOUT)
    network = SymmetryNetwork(architecture)
    for name in ("coarse_modes", "fine_modes", "trust", "shown_as"):
        getattr(network, name).copy_(getattr(before, name))
    return network.to(next(before.parameters()).device)
