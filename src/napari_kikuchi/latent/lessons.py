"""Patterns of which their neighbours tell what overlap takes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.latent.neighbours import AROUND, compare_with, unit_vectors
from napari_kikuchi.latent.sample import PatternSample
from napari_kikuchi.preprocess import Preprocessor
from napari_kikuchi.scan import Scan
from napari_kikuchi.unreadable import PatternReading

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Patterns whose neighbours are asked, of which there are eight for each to be read.
_LESSONS = 8_192
# Those that are mixed lie within so many positions, or within twice the distance of those drawn:
# further ones meet nowhere, nearer ones belong to one grain.
_NEAR = 8
# For each pattern.
_PARTNERS = 32


@dataclass(frozen=True, eq=False)
class Lessons:
    """What is to be learned of overlap.

    Attributes
    ----------
    shapes
        Of the patterns, of unit norm, of shape (n, components).
    kept
        Part of its contrast that overlap leaves, of shape (n,).
    partners
        Which of the patterns lie near it, of shape (n, partners).
    """

    shapes: NDArray[np.float32]
    kept: NDArray[np.float32]
    partners: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.kept)


def gather_lessons(
    scans: Sequence[Scan],
    sample: PatternSample,
    shapes: Callable[[NDArray], NDArray[np.float32]],
    seed: int = 0,
) -> Job[Lessons]:
    """Ask the neighbours of drawn patterns what overlap takes.

    Parameters
    ----------
    scans
        In which the neighbours are.
    sample
        Drawn from them.
    shapes
        Of prepared patterns (n, height, width), of unit norm, of shape (n, components); 0 for one
        that has none.
    seed
        Of the choice of patterns and partners.

    Yields
    ------
    Progress
        Neighbours read so far.
    """
    rng = np.random.default_rng(seed)
    share = min(1.0, _LESSONS / len(sample.patterns))
    gathered: list[Lessons] = []
    first = 0
    for scan, preprocess, drawn in zip(scans, sample.preprocessors, sample.positions, strict=True):
        at_hand = _AtHand(scan, preprocess, drawn, sample.patterns[first : first + len(drawn)])
        first += len(drawn)
        chosen = np.sort(rng.permutation(len(drawn))[: math.ceil(share * len(drawn))])
        lessons = yield from _gather(at_hand, chosen, shapes, rng)
        gathered.append(replace(lessons, partners=lessons.partners + sum(map(len, gathered))))
    return Lessons(
        *(
            np.concatenate([getattr(lessons, field.name) for lessons in gathered])
            for field in fields(Lessons)
        )
    )


def _gather(
    at_hand: _AtHand,
    chosen: NDArray[np.intp],
    shapes: Callable[[NDArray], NDArray[np.float32]],
    rng: np.random.Generator,
) -> Job[Lessons]:
    """Lessons of some of the patterns of one scan that are at hand."""
    own = unit_vectors(shapes(at_hand.patterns[chosen]))
    places = at_hand.positions[chosen]
    around, there = _neighbours(at_hand.scan, places)
    beside = np.full((*there.shape, own.shape[1]), np.nan, np.float32)
    beside[there] = unit_vectors((yield from at_hand.each(around[there], shapes)))
    kept, _ = compare_with(beside, own)
    told = np.isfinite(kept)
    partners = _partners(places[told], at_hand.scan.count, rng)
    return Lessons(own[told], kept[told], partners)


@dataclass(frozen=True, eq=False)
class _AtHand:
    """Patterns of a scan, of which some have been read already."""

    scan: Scan
    preprocess: Preprocessor
    positions: NDArray[np.int64]
    patterns: NDArray

    def each(
        self, wanted: NDArray[np.int64], function: Callable[[NDArray], NDArray[np.float32]]
    ) -> Job[NDArray[np.float32]]:
        """Values of a function of the prepared patterns at some positions (n, 2).

        NaN where a pattern cannot be read.
        """
        flat, back = np.unique(self._flat(wanted), return_inverse=True)
        at_hand = self._flat(self.positions)
        here = np.isin(flat, at_hand)
        parts = [function(self.patterns[np.searchsorted(at_hand, flat[here])])]
        missing = np.stack(np.unravel_index(flat[~here], self.scan.map_shape), axis=1)
        reading = PatternReading(self.scan, missing)
        for recorded in reading:
            parts.append(function(self.preprocess(recorded)))
            message = f"Reading neighbours in {self.scan.name}"
            yield Progress(reading.done, len(missing), message)
        reading.warn("what neighbours tell")
        read = np.concatenate([np.flatnonzero(here), np.flatnonzero(~here)[reading.readable]])
        found = np.concatenate(parts)
        values = np.full((len(flat), *found.shape[1:]), np.nan, np.float32)
        values[read] = found
        return values[back]

    def _flat(self, positions: NDArray[np.int64]) -> NDArray[np.intp]:
        return np.ravel_multi_index(tuple(positions.T), self.scan.map_shape)


def _neighbours(
    scan: Scan, places: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The eight positions around each, of shape (n, 8, 2), and where there is a pattern."""
    around = places[:, None] + np.array(AROUND)
    there = ((around >= 0) & (around < scan.map_shape)).all(axis=2)
    if scan.present is not None:
        there[there] = scan.present[tuple(around[there].T)]
    return around, there


def _partners(
    places: NDArray[np.int64], positions: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """For each place the ones nearest to some points around it, of shape (n, partners)."""
    from scipy.spatial import KDTree

    if not len(places):
        return np.empty((0, _PARTNERS), np.intp)
    reach = max(_NEAR, 2 * math.sqrt(positions / len(places)))
    points = places[:, None] + rng.uniform(-reach, reach, (len(places), _PARTNERS, 2))
    return KDTree(places).query(points)[1]
