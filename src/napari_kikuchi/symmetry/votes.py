"""What the patterns of a crystal say together, and how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from napari_kikuchi.symmetry.classes import is_m3

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Of the crystals, for how many the true group is in the set.
COVERAGE = 0.9
# A group that a pattern is so sure not to show it may show all the same.
LEAST_PROBABILITY = 1e-9
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
    """

    sharpness: float = 1.0
    growth: float = 0.0
    least: float = 0.1

    @classmethod
    def measured(cls, logarithms: NDArray[np.floating], labels: NDArray[np.integer]) -> Trust:
        """Find it on phases whose groups are known.

        Parameters
        ----------
        logarithms
            Of the probabilities by single patterns, of shape (phases, patterns, groups).
        labels
            Place of the true group, of shape (phases,).
        """
        from scipy.optimize import minimize

        available = logarithms.shape[1]
        counts = sorted({min(n, available) for n in _VOTERS})
        means = np.concatenate([logarithms[:, :n].mean(axis=1) for n in counts])
        patterns = np.repeat(counts, len(labels))
        true = np.tile(labels, len(counts))

        def of_true(parameters: NDArray[np.float64]) -> NDArray[np.float64]:
            sharpness, growth = parameters
            found = cls(float(np.exp(sharpness)), float(growth)).probabilities(means, patterns)
            return found[np.arange(len(true)), true]

        def surprise(parameters: NDArray[np.float64]) -> float:
            # Votes of one pattern, or of none but equal numbers, tell nothing of their growth.
            return -float(np.log(np.maximum(of_true(parameters), 1e-12)).mean()) + 1e-6 * float(
                parameters @ parameters
            )

        best = minimize(surprise, np.zeros(2), method="Nelder-Mead").x
        # With finitely many crystals the share is reached on average.
        rank = max(int(np.floor((1 - COVERAGE) * (len(true) + 1))), 1)
        least = np.sort(of_true(best))[rank - 1]
        return cls(float(np.exp(best[0])), float(best[1]), float(least))

    def probabilities(
        self, means: NDArray[np.floating], patterns: NDArray[np.integer]
    ) -> NDArray[np.float64]:
        """Probabilities of the groups by votes.

        Parameters
        ----------
        means
            Of the logarithms of the probabilities by single patterns, of shape (n, groups).
        patterns
            How many voted, of shape (n,).
        """
        weights = self.sharpness * np.minimum(patterns, _VOTERS[-1]) ** self.growth
        logarithms = np.asarray(means, np.float64) * weights[:, None]
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
        (crystals,).
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
        As :class:`~napari_kikuchi.symmetry.reader.Readings` has it, of shape (n, 2).
    signal
        Likewise, of shape (n,).
    classifier
        That gave the probabilities.
    """
    patterns = np.bincount(crystals)

    def mean(values: NDArray[np.floating]) -> NDArray[np.float64]:
        return np.bincount(crystals, values) / patterns

    means = np.stack([mean(values) for values in logarithms.T], axis=1)
    trust = classifier.trust
    probabilities = trust.probabilities(means, patterns)
    # What is told has to be repeated.
    without_fourfold = np.array([is_m3(group) for group in classifier.groups])
    lower = without_fourfold[probabilities.argmax(axis=1)]
    alike = np.where(lower, mean(repeated[:, 1]), mean(repeated[:, 0]))
    alone, together = _LEAST_SIGNAL
    least = np.maximum(alone / np.sqrt(patterns), together)
    agreement = alike / np.maximum(mean(signal), least)
    return Votes(patterns, probabilities, trust.compatible(probabilities), agreement)
