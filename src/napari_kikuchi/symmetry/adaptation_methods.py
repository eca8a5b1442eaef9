"""Ways to bring a network from labelled patterns to others without labels.

Each is a job that changes a network in place. None looks at a label of the target, nor at anything
that would tell when to stop: all take as many steps as they are told.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.symmetry.network import SymmetryNetwork
from napari_kikuchi.symmetry.train import SMOOTHING, SymmetryObjective

_CLIP = 1.0
_DECAY = 0.1
_WARM_UP = 30
# Batches of which statistics are the mean.
_BATCHES = 10
# Of the teacher: the share of it that a step leaves, how much its probabilities are sharpened, the
# weight of what it says once it has learned for a share of the steps, and the share of the mean
# of its probabilities that a step leaves.
_KEPT, _SHARPENED, _WEIGHT, _GROWING, _REMEMBERED = 0.97, 2.0, 3.0, 0.3, 0.95
# Steps of the features against the discrepancy for each of the classifiers for it.
_AGAINST = 4


@dataclass(frozen=True, eq=False)
class Domains:
    """Patterns with labels, and others without.

    Attributes
    ----------
    source, target
        Patterns of phases, and of crystals of unknown phases.
    labels
        Place of the group of each phase of the source, of shape (phases,).
    batch
        Phases, and at most as many crystals, that are looked at in a step.
    generator
        Of all that is random but the dropout.
    """

    source: SymmetryObjective
    target: SymmetryObjective
    labels: Tensor
    batch: int
    generator: torch.Generator

    @property
    def crystals(self) -> int:
        """How many the target has."""
        return len(self.target._totals)

    def of_source(self) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """Totals and counts of some phases, and their labels."""
        phases = self._some(len(self.labels))
        return self.source.drawn(phases, self.generator), self.labels[phases]

    def of_target(self) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """Totals and counts of some crystals, and the crystals' numbers."""
        crystals = self._some(self.crystals)
        return self.target.drawn(crystals, self.generator), crystals

    def whole(self, crystals: Tensor) -> tuple[Tensor, Tensor]:
        """Totals and counts of all patterns of crystals."""
        every = torch.arange(self.target._totals.shape[1], device=crystals.device)
        return self.target.summed(crystals, every.expand(len(crystals), -1))

    def _some(self, count: int) -> Tensor:
        device = self.labels.device
        return torch.randperm(count, generator=self.generator, device=device)[: self.batch]


def by_source(network: SymmetryNetwork, domains: Domains, steps: int, rate: float) -> Job[None]:
    """Learn from the source alone.

    Parameters
    ----------
    network
        To be changed; afterwards it is in evaluation mode, as after each of these jobs.
    domains
        Patterns.
    steps
        Batches of each domain.
    rate
        Of the optimizer, at its highest.

    Yields
    ------
    Progress
        In steps.
    """
    network.train()
    descent = _Descent(network.parameters(), steps, rate, decay=_DECAY)
    for number in range(steps):
        yield Progress(number, steps, "Learning from the source")
        given, labels = domains.of_source()
        descent(_cross_entropy(network(*given), labels))
    network.eval()


def by_statistics(network: SymmetryNetwork, domains: Domains) -> Job[None]:
    """Take the statistics of batch normalisation from the target (Li et al. 2016).

    Parameters and progress as of :func:`by_source`.
    """
    layers = _normalising(network)
    usual = [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # The mean of all batches.
    _only_statistics(network)
    with torch.no_grad():
        for number in range(_BATCHES):
            yield Progress(number, _BATCHES, "Taking statistics")
            network(*domains.of_target()[0])
    for layer, momentum in zip(layers, usual, strict=True):
        layer.momentum = momentum
    network.eval()


def by_discrepancy(
    network: SymmetryNetwork, domains: Domains, steps: int, rate: float
) -> Job[None]:
    """Maximum classifier discrepancy (Saito et al. 2018).

    Two last layers agree on the source and disagree on what lies outside it; features are moved to
    where they agree on the target too. The sum of their logits is that of one layer with the sum
    of their weights. Parameters and progress as of :func:`by_source`.
    """
    first = network.head
    second = copy.deepcopy(first)
    second.reset_parameters()
    features = [*network.features.parameters(), *network.twins.parameters()]
    both = [*first.parameters(), *second.parameters()]
    moving, telling = torch.optim.Adam(features, rate), torch.optim.Adam(both, 3 * rate)

    def supervised(read: Tensor, labels: Tensor) -> Tensor:
        return _cross_entropy(first(read), labels) + _cross_entropy(second(read), labels)

    def discrepancy(read: Tensor) -> Tensor:
        return (first(read).softmax(dim=1) - second(read).softmax(dim=1)).abs().mean()

    network.train()
    for number in range(steps):
        yield Progress(number, steps, "Lessening the discrepancy")
        (given, labels), (unlabelled, _) = domains.of_source(), domains.of_target()
        _descend(supervised(network.read(*given), labels), moving, telling)
        with torch.no_grad():
            read, read_of_target = network.read(*given), network.read(*unlabelled)
        _descend(supervised(read, labels) - discrepancy(read_of_target), telling)
        for _ in range(_AGAINST):
            _descend(discrepancy(network.read(*unlabelled)), moving)
    with torch.no_grad():
        first.weight.add_(second.weight)
        first.bias.add_(second.bias)
    network.eval()


def by_teacher(network: SymmetryNetwork, domains: Domains, steps: int, rate: float) -> Job[None]:
    """Learn from the source, and of the target what a mean of the network's past says of it.

    The teacher sees all patterns of a crystal, the network some of them. The target must have many
    phases, and of each group about as many: statistics of normalisation are its own, and what the
    teacher says is brought to even shares of the groups. Parameters and progress as of
    :func:`by_source`.
    """
    teacher = copy.deepcopy(network).requires_grad_(False)
    _only_statistics(teacher)
    network.train()
    descent = _Descent(network.parameters(), steps, rate)
    groups = len(network.architecture.groups)
    shares = torch.full((groups,), 1 / groups, device=domains.labels.device)
    for number in range(steps):
        yield Progress(number, steps, "Learning from the target")
        (given, labels), (unlabelled, crystals) = domains.of_source(), domains.of_target()
        said = teacher(*domains.whole(crystals)).softmax(dim=1)
        shares = shares.lerp(said.mean(dim=0), 1 - _REMEMBERED)
        said = (said / shares) ** _SHARPENED
        said = said / said.sum(dim=1, keepdim=True)
        weight = _WEIGHT * min(1.0, number / (_GROWING * steps))
        of_target = functional.cross_entropy(network(*unlabelled), said)
        descent(_cross_entropy(network(*given), labels) + weight * of_target)
        with torch.no_grad():
            for of_teacher, learned in zip(teacher.parameters(), network.parameters(), strict=True):
                of_teacher.lerp_(learned, 1 - _KEPT)
            for kept, counted in zip(teacher.buffers(), network.buffers(), strict=True):
                kept.copy_(counted)
    network.load_state_dict(teacher.state_dict())
    yield from by_statistics(network, domains)


class _Descent:
    """Steps of Adam whose rate rises, and falls along half a cosine."""

    def __init__(
        self, parameters: Iterable[nn.Parameter], steps: int, rate: float, decay: float = 0.01
    ) -> None:
        self._parameters = list(parameters)
        self._optimiser = torch.optim.AdamW(self._parameters, rate, weight_decay=decay)
        self._schedule = torch.optim.lr_scheduler.LambdaLR(
            self._optimiser,
            lambda step: min(1, (step + 1) / _WARM_UP) * (1 + math.cos(math.pi * step / steps)) / 2,
        )

    def __call__(self, loss: Tensor) -> None:
        self._optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self._parameters, _CLIP)
        self._optimiser.step()
        self._schedule.step()


def _descend(loss: Tensor, *optimisers: torch.optim.Optimizer) -> None:
    for one in optimisers:
        one.zero_grad()
    loss.backward()
    for one in optimisers:
        one.step()


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    return functional.cross_entropy(logits, labels, label_smoothing=SMOOTHING)


def _normalising(network: SymmetryNetwork) -> list[nn.BatchNorm1d]:
    return [one for one in network.modules() if isinstance(one, nn.BatchNorm1d)]


def _only_statistics(network: SymmetryNetwork) -> None:
    """Normalise by each batch, but leave nothing out."""
    network.eval()
    for layer in _normalising(network):
        layer.train()
