"""What the patterns of a crystal say together, and how far it can be trusted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from napari_kikuchi.symmetry.classes import is_m3

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Of the crystals, for how many the true group is in the set.
COVERAGE = 0.9
# A group that a pattern is so sure not to show it may show all the same.
LEAST_PROBABILITY = 1e-9
# Nothing but the bands themselves makes one Laue class likelier by more, in logarithms of the odds.
_SUREST = 6.0
# Logarithm of the slope, the offset and the gain of that, to begin with.
_BEGUN = (3.0, 0.02, 0.3)
# Patterns that vote while it is found how sure a vote may be.
_VOTERS = (1, 4, 20)
# What symmetry repeats, as a share of the signal: of cubic crystals some 1, of hexagonal and
# tetragonal ones about a half.
LEAST_AGREEMENT = 0.76
# Less signal, in parts of the variance of a pattern, is none: for a pattern, and for however many.
_LEAST_SIGNAL = (0.03, 0.01)


@dataclass(frozen=True)
class Trust:
    """How sure the votes of a classifier are, measured on phases that it has not learned from.

    Attributes
    ----------
    sharpness, growth
        The mean of the logarithms of n patterns' probabilities counts ``sharpness * n ** growth``
        times: patterns of one crystal are no independent witnesses.
    least
        Groups that are at least so probable are compatible: for :data:`COVERAGE` of the crystals
        the true one is.
    slope, offset, gain
        A crystal of which m-3 repeats more than m-3m, by ``difference`` of the signal, has by that
        ``exp(slope * (difference - offset) * n ** gain)`` times the odds of a group of m-3.
    """

    sharpness: float = 1.0
    growth: float = 0.0
    least: float = 0.1
    slope: float = 0.0
    offset: float = 0.0
    gain: float = 0.0

    @classmethod
    def measured(
        cls,
        logarithms: NDArray[np.floating],
        repeated: NDArray[np.floating],
        signal: NDArray[np.floating],
        labels: NDArray[np.integer],
        groups: Sequence[int],
    ) -> Trust:
        """Find it on phases whose groups are known.

        Parameters
        ----------
        logarithms
            Of the probabilities by single patterns, of shape (phases, patterns, groups).
        repeated, signal
            As :class:`~napari_kikuchi.symmetry.reader.Readings` has them, of shapes (phases,
            patterns, 3) and (phases, patterns).
        labels
            Place of the true group, of shape (phases,).
        groups
            Classes, in the order of the probabilities.
        """
        from scipy.optimize import minimize

        available = logarithms.shape[1]
        counts = sorted({min(n, available) for n in _VOTERS})
        patterns = np.repeat(counts, len(labels))
        true = np.tile(labels, len(counts))
        lower = _without_fourfold(groups)

        def of_counts(values: NDArray[np.floating]) -> NDArray[np.floating]:
            return np.concatenate([values[:, :n].mean(axis=1) for n in counts])

        means = of_counts(logarithms)
        differences = _difference(of_counts(repeated), of_counts(signal), patterns)

        def trust(parameters: NDArray[np.float64]) -> Trust:
            sharpness, growth, slope, offset, gain = parameters.tolist()
            # A difference can speak for the lower class alone.
            of_class = (math.exp(slope), offset, gain) if lower.any() else ()
            return cls(math.exp(sharpness), growth, 0.0, *of_class)

        def of_true(parameters: NDArray[np.float64]) -> NDArray[np.float64]:
            found = trust(parameters)
            shifts = found.evidence(differences, patterns)[:, None] * lower
            return found.probabilities(means, patterns, shifts)[np.arange(len(true)), true]

        def surprise(parameters: NDArray[np.float64]) -> float:
            # Votes of one pattern, or of none but equal numbers, tell nothing of their growth.
            return -float(np.log(np.maximum(of_true(parameters), 1e-12)).mean()) + 1e-6 * float(
                parameters @ parameters
            )

        begun = np.array([0, 0, *_BEGUN])
        best = minimize(surprise, begun, method="Nelder-Mead", options={"maxiter": 1000}).x
        # With finitely many crystals the share is reached on average.
        rank = max(int(np.floor((1 - COVERAGE) * (len(true) + 1))), 1)
        least = np.sort(of_true(best))[rank - 1]
        return replace(trust(best), least=float(least))

    def evidence(
        self, differences: NDArray[np.floating], patterns: NDArray[np.integer]
    ) -> NDArray[np.float64]:
        """Logarithms of how much likelier groups of m-3 are by what repeats, of shape (n,).

        Parameters
        ----------
        differences
            Between what m-3 and m-3m repeat, in shares of the signal, of shape (n,).
        patterns
            How many voted, of shape (n,).
        """
        counted = np.minimum(patterns, _VOTERS[-1]) ** self.gain
        found = self.slope * (np.asarray(differences, np.float64) - self.offset) * counted
        return np.clip(found, -_SUREST, _SUREST)

    def probabilities(
        self,
        means: NDArray[np.floating],
        patterns: NDArray[np.integer],
        shifts: NDArray[np.floating] | float = 0.0,
    ) -> NDArray[np.float64]:
        """Probabilities of the groups by votes.

        Parameters
        ----------
        means
            Of the logarithms of the probabilities by single patterns, of shape (n, groups).
        patterns
            How many voted, of shape (n,).
        shifts
            Logarithms of what else makes groups likelier, of shape (n, groups).
        """
        weights = self.sharpness * np.minimum(patterns, _VOTERS[-1]) ** self.growth
        logarithms = np.asarray(means, np.float64) * weights[:, None] + shifts
        logarithms -= logarithms.max(axis=1, keepdims=True)
        shares = np.exp(logarithms)
        return shares / shares.sum(axis=1, keepdims=True)

    def compatible(self, probabilities: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Which groups go with what was seen, of shape (n, groups); always one at least."""
        best = probabilities == probabilities.max(axis=1, keepdims=True)
        return (probabilities >= self.least) | best


class TellsGroups(Protocol):
    """A classifier, as far as votes are concerned."""

    @property
    def groups(self) -> tuple[int, ...]:
        """Classes, in the order of the probabilities."""

    @property
    def trust(self) -> Trust:
        """How sure its votes are."""


@dataclass(frozen=True, eq=False)
class Votes:
    """What the patterns of each crystal say together.

    Attributes
    ----------
    patterns
        How many there are, of shape (crystals,).
    probabilities
        Of the groups, of shape (crystals, groups).
    compatible
        Which groups go with what was seen, of that shape.
    agreement
        What the Laue class of the likeliest group repeats, as a share of the signal, of shape
        (crystals,). In m-3 its threefold axes have to do so alone: mirrors at right angles other
        crystals have as well.
    """

    patterns: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    compatible: NDArray[np.bool_]
    agreement: NDArray[np.float64]

    @property
    def cubic(self) -> NDArray[np.bool_]:
        """Which crystals are like those that the classifier knows."""
        return self.agreement >= LEAST_AGREEMENT


def vote(
    crystals: NDArray[np.integer],
    logarithms: NDArray[np.floating],
    repeated: NDArray[np.floating],
    signal: NDArray[np.floating],
    classifier: TellsGroups,
) -> Votes:
    """Let the patterns of each crystal vote.

    Parameters
    ----------
    crystals
        Number of the crystal of each pattern, from 0 without gaps, of shape (n,).
    logarithms
        Of the probabilities by single patterns, of shape (n, groups).
    repeated
        As :class:`~napari_kikuchi.symmetry.reader.Readings` has it, of shape (n, 3).
    signal
        Likewise, of shape (n,).
    classifier
        That gave the probabilities.
    """
    patterns = np.bincount(crystals)

    def mean(values: NDArray[np.floating]) -> NDArray[np.float64]:
        return np.bincount(crystals, values) / patterns

    means, alike = (
        np.stack([mean(values) for values in given.T], axis=1) for given in (logarithms, repeated)
    )
    signals, trust = mean(signal), classifier.trust
    lower = _without_fourfold(classifier.groups)
    evidence = trust.evidence(_difference(alike, signals, patterns), patterns)
    probabilities = trust.probabilities(means, patterns, evidence[:, None] * lower)
    # What is told has to be repeated.
    shares = alike / np.maximum(signals, _least_signal(patterns))[:, None]
    told = lower[probabilities.argmax(axis=1)]
    agreement = np.where(told, shares[:, 1:].min(axis=1), shares[:, 0])
    return Votes(patterns, probabilities, trust.compatible(probabilities), agreement)


def _without_fourfold(groups: Sequence[int]) -> NDArray[np.bool_]:
    return np.array([is_m3(group) for group in groups], bool)


def _difference(
    repeated: NDArray[np.floating], signal: NDArray[np.floating], patterns: NDArray[np.integer]
) -> NDArray[np.floating]:
    """Between what m-3 and m-3m repeat, in shares of the signal, of shape (n,)."""
    return (repeated[:, 1] - repeated[:, 0]) / np.maximum(signal, _least_signal(patterns))


def _least_signal(patterns: NDArray[np.integer]) -> NDArray[np.float64]:
    alone, together = _LEAST_SIGNAL
    return np.maximum(alone / np.sqrt(patterns), together)
