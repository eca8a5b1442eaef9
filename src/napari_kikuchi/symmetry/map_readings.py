"""What maps of symmetry tell of each position: its group, and which others may be there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.symmetry.votes import LEAST_PROBABILITY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.maps import MapStack

#: Name of the map of the groups' numbers.
SYMMETRY = "symmetry"
#: Name of the map of how probable the group is.
CONFIDENCE = "confidence"
#: Names of maps of the groups' probabilities begin so; their numbers follow.
PROBABILITY = "probability "
#: Stands for a position without a pattern, as 0 does for one that is unlike cubic crystals.
NOTHING = -1
_MOST = 230


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
            probabilities = np.stack([read(name)[known] for name in numbers])
            compatible = _compatible(
                grains[known],
                probabilities,
                read("compatible groups")[known],
                np.array(list(numbers.values())),
            )
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
    grains: NDArray[np.int32], probabilities: NDArray, counts: NDArray, groups: NDArray[np.intp]
) -> dict[int, tuple[int, ...]]:
    """The most probable groups of each grain, as many as are compatible.

    Votes keep the order of the mean logarithms of the patterns' probabilities.
    """
    votes = np.bincount(grains)
    logarithms = np.log(np.clip(np.nan_to_num(probabilities), LEAST_PROBABILITY, 1))
    sums = np.stack([np.bincount(grains, values) for values in logarithms])
    order = groups[np.argsort(-sums, axis=0, kind="stable")]
    told = np.clip(np.nan_to_num(counts), 0, len(groups))
    wanted = np.rint(np.bincount(grains, told) / np.maximum(votes, 1)).astype(int)
    return {
        int(grain): tuple(order[: wanted[grain], grain].tolist()) for grain in np.flatnonzero(votes)
    }
