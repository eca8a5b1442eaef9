"""Patterns of many phases, brought to the square that symmetry repeats, to learn from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.spatial.transform import Rotation

from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.shared_cores import in_threads
from napari_kikuchi.symmetry.folding import repeated, unfold
from napari_kikuchi.symmetry.levelled import Levelling
from napari_kikuchi.symmetry.recorded import Conditions, record
from napari_kikuchi.symmetry.sector import NODES, SIDE, standardised

if TYPE_CHECKING:
    from numpy.typing import NDArray

# By how much orientations and projection centres are off that are found in patterns, in degrees
# and in fractions of the height.
_TURN, _CENTRE = 0.25, 0.004


@dataclass(frozen=True, eq=False)
class SymmetryLessons:
    """What patterns of phases show of the square, each pattern for itself.

    Attributes
    ----------
    totals, counts
        As :func:`~napari_kikuchi.symmetry.folding.unfold` sums them, float16 of shape (phases,
        patterns, nodes).
    repeated, signal
        As :class:`~napari_kikuchi.symmetry.reader.Readings` has them, of shapes (phases, patterns,
        3) and (phases, patterns).
    """

    totals: NDArray[np.float16]
    counts: NDArray[np.float16]
    repeated: NDArray[np.float32]
    signal: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.totals)

    def part(self, phases: Any) -> SymmetryLessons:
        """Those of some phases, which an index of an array chooses."""
        every = (self.totals, self.counts, self.repeated, self.signal)
        return SymmetryLessons(*(one[phases] for one in every))


def symmetry_lessons(
    masters: NDArray[np.float32],
    patterns: int,
    *,
    conditions: Conditions | None = None,
    seed: int = 0,
    workers: int | None = None,
) -> Job[SymmetryLessons]:
    """Record patterns of phases in random orientations, and bring them to the square.

    Orientations are those of the simulation but for errors as they are made in finding them.

    Parameters
    ----------
    masters
        Intensities of the phases at the nodes, of shape (phases, nodes).
    patterns
        Of each phase.
    conditions
        How patterns are recorded; None: as :class:`Conditions` has it.
    seed
        Of all that is random.
    workers
        Threads; None: as many as this machine has cores.

    Yields
    ------
    Progress
        In phases.
    """
    conditions = conditions or Conditions()
    levelling = Levelling(np.ones(conditions.size, bool))
    totals = np.empty((len(masters), patterns, NODES), np.float16)
    counts = np.empty_like(totals)
    alike = np.empty((len(masters), patterns, 3), np.float32)
    signal = np.empty((len(masters), patterns), np.float32)

    def of_phase(number: int) -> None:
        rng = np.random.default_rng([seed, number])
        master = standardised(masters[number])
        recorded = record(master, patterns, conditions, rng)
        turns = rng.normal(size=(patterns, 3)) * np.deg2rad(_TURN) / np.sqrt(3)
        errors = Rotation.from_rotvec(turns).as_matrix().astype(np.float32)
        levelled = levelling(recorded.patterns)
        signal[number] = levelling.shared(levelled)
        for k, pattern in enumerate(levelled):
            detector = recorded.detectors[k]
            centre = detector.pc + rng.normal(size=3) * _CENTRE
            directions = replace(detector, pc=tuple(centre)).directions(conditions.size).T
            total, count = np.zeros((2, SIDE, SIDE), np.float32)
            seen = (
                pattern.ravel(),
                np.ones(pattern.size, np.float32),
                errors[k] @ recorded.rotations[k],
                np.ascontiguousarray(directions, np.float32),
            )
            unfold(*seen, total, count)
            repeated(*seen, alike[number, k])
            totals[number, k], counts[number, k] = total.ravel(), count.ravel()

    def told(done: int) -> Progress:
        return Progress(done, len(masters), "Recording patterns")

    yield from in_threads(of_phase, range(len(masters)), told, name="lessons", workers=workers)
    return SymmetryLessons(totals, counts, alike, signal)
