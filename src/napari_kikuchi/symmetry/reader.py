"""What patterns say of the symmetry of their crystals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.symmetry.folding import look_up_all, repeated, unfold
from napari_kikuchi.symmetry.frames import Crystals, FrameFinder, Frames
from napari_kikuchi.symmetry.levelled import Levelling
from napari_kikuchi.symmetry.modes import Modes
from napari_kikuchi.symmetry.sector import NODES, SIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray


# Modes that a detector hardly sees are fitted to no noise.
_DAMPING = 1e-3


@dataclass(frozen=True, eq=False)
class Readings:
    """What n patterns say.

    Attributes
    ----------
    rotations
        From the frame of the detector's directions to the crystals', of shape (n, 3, 3).
    explained
        Share of each pattern that modes of cubic crystals explain, of shape (n,).
    repeated
        Variance of what the symmetries of m-3m and of m-3 repeat, and of what the threefold axes
        alone do, in units of the pattern's variance, of shape (n, 3).
    signal
        Variance of what neighbouring pixels share, in that unit, of shape (n,): in patterns of
        crystals of the symmetry both are alike, whatever the noise.
    totals, counts
        As :func:`~napari_kikuchi.symmetry.folding.unfold` sums them, of shape (n, nodes).
    """

    rotations: NDArray[np.float32]
    explained: NDArray[np.float32]
    repeated: NDArray[np.float32]
    signal: NDArray[np.float32]
    totals: NDArray[np.float32]
    counts: NDArray[np.float32]


class PatternReader:
    """Reads patterns of one detector.

    Parameters
    ----------
    modes
        Of patterns of cubic crystals.
    directions
        As :class:`~napari_kikuchi.symmetry.frames.FrameFinder` has it.
    mask
        Where patterns have a signal, of their shape.

    Attributes
    ----------
    levelling, finder
        What it levels patterns with, and finds their crystals.
    """

    def __init__(
        self,
        modes: Modes,
        directions: Callable[[tuple[int, int]], NDArray[np.float64]],
        mask: NDArray[np.bool_],
    ) -> None:
        self._modes = modes.fine
        self.levelling = Levelling(mask)
        self.finder = FrameFinder(modes, directions, mask)
        self._weights = mask.ravel().astype(np.float32)
        self._directions = np.ascontiguousarray(directions(mask.shape).T, np.float32)

    def __call__(self, patterns: NDArray, met: Crystals | None = None) -> Readings:
        """Read patterns of neighbours.

        Parameters
        ----------
        patterns
            As recorded, less what all of them share, of shape (n, height, width); those of a row of
            the scan after each other.
        met
            Crystals of patterns nearby that were read before; those of these are added.
        """
        levelled = self.levelling(patterns)
        return self._read(levelled, self.finder.following(levelled, [] if met is None else met))

    def clear(self, patterns: NDArray) -> Readings:
        """Read patterns from anywhere in a scan, as far as it is clear how their crystals stand.

        Parameters
        ----------
        patterns
            As for a call, in any order; others are left out.
        """
        levelled = self.levelling(patterns)
        frames = self.finder(levelled)
        kept = frames.clear
        clear = Frames(frames.rotations[kept], frames.explained[kept], frames.margin[kept])
        return self._read(levelled[kept], clear)

    def bands(
        self, levelled: NDArray[np.float32], rotation: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """What of a pattern the modes explain, of the shape of both (height, width).

        Parameters
        ----------
        levelled
            The pattern, in any unit.
        rotation
            As :class:`Readings` has them, of shape (3, 3).
        """
        inside = self._weights > 0
        seen = np.empty((len(inside), self._modes.shape[2]), np.float32)
        look_up_all(self._modes, rotation, self._directions, seen)
        seen = seen[inside] - seen[inside].mean(axis=0)
        gram = seen.T @ seen
        gram[np.diag_indices_from(gram)] *= 1 + _DAMPING
        fit = np.zeros(len(inside), np.float32)
        fit[inside] = seen @ np.linalg.solve(gram, seen.T @ levelled.ravel()[inside])
        return fit.reshape(levelled.shape)

    def _read(self, levelled: NDArray[np.float32], frames: Frames) -> Readings:
        """Bring levelled patterns to the square as their crystals stand."""
        n = len(levelled)
        totals, counts = np.empty((2, n, NODES), np.float32)
        alike = np.empty((n, 3), np.float32)
        for k, (pattern, rotation) in enumerate(zip(levelled, frames.rotations, strict=True)):
            seen = pattern.ravel(), self._weights, rotation, self._directions
            total, count = np.zeros((2, SIDE, SIDE), np.float32)
            unfold(*seen, total, count)
            repeated(*seen, alike[k])
            totals[k], counts[k] = total.ravel(), count.ravel()
        signal = self.levelling.shared(levelled)
        return Readings(frames.rotations, frames.explained, alike, signal, totals, counts)
