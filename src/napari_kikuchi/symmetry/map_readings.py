"""What maps of symmetry tell of each position: its group, and which others may be there."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_kikuchi.symmetry.votes import LEAST_PROBABILITY, TellsGroups, Trust, vote
from napari_kikuchi.untrusted import number, sequence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.maps import MapStack

#: Name of the map of the groups' numbers.
SYMMETRY = "symmetry"
#: Name of the map of how probable the group is.
CONFIDENCE = "confidence"
#: Names of maps of the groups' probabilities begin so; their numbers follow.
PROBABILITY = "probability "
#: Names of the maps of what symmetries repeat of a pattern, and of its signal.
REPEATED = ("repeated", "repeated in m-3", "repeated by threefold axes")
SIGNAL = "signal"
#: Stands for a position without a pattern, as 0 does for one that is unlike cubic crystals.
NOTHING = -1
_MOST = 230
_FAR = 1e6


def has_symmetry(stack: MapStack) -> bool:
    """Whether maps tell the symmetry of patterns."""
    return isinstance(stack.provenance.get("symmetry"), Mapping) and SYMMETRY in stack.names


def group_numbers(values: NDArray) -> NDArray[np.int16]:
    """A map of groups as whole numbers; :data:`NOTHING` where there is no group's number."""
    known = np.isfinite(values) & (values >= 0) & (values <= _MOST)
    return np.where(known, values, NOTHING).astype(np.int16)


def group_shares(groups: NDArray[np.integer]) -> list[tuple[int, float]]:
    """Groups of a map of :func:`group_numbers` and their shares of it, the most frequent first."""
    numbers, counts = np.unique(groups[groups != NOTHING], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    total = max(int(counts.sum()), 1)
    return [(int(numbers[i]), float(counts[i] / total)) for i in order]


class _Voters(NamedTuple):
    """Of what votes were taken, and how they were counted."""

    groups: tuple[int, ...]
    trust: Trust


@dataclass(frozen=True)
class SymmetryReading:
    """What is known of a position.

    Attributes
    ----------
    group
        Number of the space group; 0: unlike cubic crystals.
    confidence
        Probability of the group, by the patterns of its grain together.
    compatible
        All groups that go with what was seen, the most probable first; empty where that is not
        known, or where the group is 0.
    grain
        Number of its grain, from 1; 0: none.
    """

    group: int
    confidence: float
    compatible: tuple[int, ...]
    grain: int


@dataclass(frozen=True, eq=False)
class SymmetryReadings:
    """What maps tell, position by position; read with :meth:`of`.

    Attributes
    ----------
    groups
        As :func:`group_numbers` gives them, of shape (rows, columns).
    confidence
        Of shape (rows, columns); NaN where it is not known.
    grains
        Numbers of the grains, of shape (rows, columns); 0 where there is none.
    compatible
        By the numbers of the grains.
    """

    groups: NDArray[np.int16]
    confidence: NDArray[np.floating]
    grains: NDArray[np.int32]
    compatible: Mapping[int, tuple[int, ...]]

    @classmethod
    def of(cls, stack: MapStack) -> SymmetryReadings:
        """Read them from maps of which :func:`has_symmetry` holds; some may be missing."""
        names = stack.names

        def read(name: str) -> NDArray:
            missing = np.full(stack.map_shape, np.nan, np.float32)
            return stack.map(names.index(name)) if name in names else missing

        groups = group_numbers(read(SYMMETRY))
        grain = read("grain")
        known = np.isfinite(grain) & (grain > 0) & (grain <= grain.size) & (groups > 0)
        grains = np.where(known, grain, 0).astype(np.int32)
        numbers = {
            name: int(name.removeprefix(PROBABILITY))
            for name in names
            if name.startswith(PROBABILITY) and name.removeprefix(PROBABILITY).isdecimal()
        }
        compatible: dict[int, tuple[int, ...]] = {}
        if known.any() and numbers:
            voters = _Voters(tuple(numbers.values()), _trust(stack))
            probabilities, alike = (
                np.nan_to_num(np.stack([read(name)[known] for name in each], axis=1))
                for each in (numbers, REPEATED)
            )
            signal = np.nan_to_num(read(SIGNAL)[known])
            counts = np.nan_to_num(read("compatible groups")[known])
            compatible = _compatible(grains[known], probabilities, alike, signal, counts, voters)
        return cls(groups, read(CONFIDENCE), grains, compatible)

    def at(self, row: int, col: int) -> SymmetryReading | None:
        """What they tell of a position; None where there is no pattern."""
        group = int(self.groups[row, col])
        if group == NOTHING:
            return None
        grain = int(self.grains[row, col])
        return SymmetryReading(
            group, float(self.confidence[row, col]), self.compatible.get(grain, ()), grain
        )

    def positions(self, grain: int) -> NDArray[np.intp]:
        """Rows and columns of a grain, of shape (n, 2)."""
        return np.argwhere(self.grains == grain)


def _compatible(
    grains: NDArray[np.int32],
    probabilities: NDArray,
    alike: NDArray,
    signal: NDArray,
    counts: NDArray,
    voters: TellsGroups,
) -> dict[int, tuple[int, ...]]:
    """The most probable groups of each grain by its vote, as many as are compatible."""
    numbers, first, crystals = np.unique(grains, return_index=True, return_inverse=True)
    logarithms = np.log(np.clip(probabilities, LEAST_PROBABILITY, 1))
    votes = vote(crystals, logarithms, alike, signal, voters)
    order = np.array(voters.groups)[np.argsort(-votes.probabilities, axis=1, kind="stable")]
    wanted = np.rint(np.clip(counts[first], 0, len(voters.groups))).astype(int)
    return {
        int(grain): tuple(of_grain[:count].tolist())
        for grain, of_grain, count in zip(numbers, order, wanted, strict=True)
    }


def _trust(stack: MapStack) -> Trust:
    """How votes were counted; as the patterns say by themselves where maps do not tell."""
    told = stack.provenance["symmetry"].get("trust")
    # Others may have written the maps.
    with suppress(ValueError):
        listed = sequence(told, "how far votes are trusted", len(fields(Trust)))
        return Trust(*(number(one, "a measure of trust", -_FAR, _FAR) for one in listed))
    return Trust()
