"""How a cubic crystal stands behind a pattern, whatever crystal it is.

Patterns of cubic crystals of Laue group m-3m are sums of a few modes: the main components of many
of them, in the crystal's own axes. The orientation in which the modes explain most of a pattern is
that of its crystal. Coarse patterns are compared with all orientations, the best of these are
turned until they fit, and the best few of these once more, by finer patterns and more modes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.images import bin_to
from napari_kikuchi.symmetry.folding import choose, look_up_all, refine
from napari_kikuchi.symmetry.modes import Modes

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The last one met first: its rotation, and what it explained of a pattern when it was found.
Crystals = list[tuple["NDArray[np.float32]", float]]

# Height in pixels of the patterns that are compared with all orientations, and of those by which
# the best are refined.
_COARSE, _FINE = 16, 32
# Distance of the orientations compared, in degrees. From 5° apart, half of the searches in patterns
# of silicon end at a wrong one, whatever number of the best is refined; from 4°, none.
_STEP = 4.0
# Orientations that are refined, and those that are refined by finer patterns; each differs from
# the others by more than so many degrees.
_MANY, _FEW = 24, 6
_APART = 7.0
_STEPS = (4, 5)
# Compared at a time: 27 MiB of products.
_BATCH = 128
# Orientations whose modes are looked up at a time: what is done to them stays near the processor.
_IN_CACHE = 128
# A pattern is of a crystal of a pattern before if that orientation, refined in so many steps,
# explains this share of what the best of all explained there. Twins share half of their bands.
_SAME_CRYSTAL = 0.85
# Crystals that are tried before all orientations are.
_REMEMBERED = 16
# An orientation is clear that explains more than the next best, by this share, and so much.
_CLEARLY, _LEAST = 0.2, 0.12
_FEW_STEPS = 3
_DAMPING = 1e-4


@dataclass(frozen=True, eq=False)
class Frames:
    """How crystals stand.

    Attributes
    ----------
    rotations
        From the frame of the detector's directions to the crystals', of shape (n, 3, 3).
    explained
        Share of each pattern's sum of squares that the modes explain, of shape (n,).
    margin
        By how much less the next best one explains that differs from it, of shape (n,); NaN where
        the orientation of a pattern before was taken for a start.
    """

    rotations: NDArray[np.float32]
    explained: NDArray[np.float32]
    margin: NDArray[np.float32]

    @property
    def clear(self) -> NDArray[np.bool_]:
        """Which are no chance: noise is explained by many orientations alike."""
        return (self.margin > _CLEARLY * self.explained) & (self.explained > _LEAST)


class FrameFinder:
    """Finds orientations of unknown cubic crystals.

    Parameters
    ----------
    modes
        Of patterns of cubic crystals.
    directions
        Gives unit vectors towards the pixels of a detector of any height and width, of shape
        (pixels, 3), in whatever frame rotations are wanted from.
    mask
        Where patterns have a signal, of their shape.
    many
        Orientations that are refined.
    few
        The best of them, which are refined by finer patterns; at least 2, or no margin is known.
    """

    def __init__(
        self,
        modes: Modes,
        directions: Callable[[tuple[int, int]], NDArray[np.float64]],
        mask: NDArray[np.bool_],
        many: int = _MANY,
        few: int = _FEW,
    ) -> None:
        self._modes = modes
        self._coarse = _Level(_COARSE, directions, mask)
        self._fine = _Level(_FINE, directions, mask)
        self._rotations, self._operators = cubic_rotations(_STEP)
        self._many, self._few = many, few

    def __call__(self, patterns: NDArray[np.float32]) -> Frames:
        """Find how the crystals of some patterns stand, each pattern for itself.

        Parameters
        ----------
        patterns
            Without their background, of shape (n, height, width); the values outside the mask do
            not count.
        """
        found = _nothing(len(patterns))
        for start in range(0, len(patterns), _BATCH):
            part = slice(start, start + _BATCH)
            coarse, fine = self._coarse(patterns[part]), self._fine(patterns[part])
            for number, scores in enumerate(self._scores(coarse)):
                self._search(coarse[number], fine[number], scores, found, start + number)
        return found

    def following(self, patterns: NDArray[np.float32], met: Crystals) -> Frames:
        """The same of patterns of neighbours in a scan, most of which are of a few crystals.

        Parameters
        ----------
        patterns
            As for a call, those of a row of the scan after each other.
        met
            Crystals of patterns nearby; kept up to date with those of these.
        """
        found = _nothing(len(patterns))
        for start in range(0, len(patterns), _BATCH):
            part = slice(start, start + _BATCH)
            coarse, fine = self._coarse(patterns[part]), self._fine(patterns[part])
            for number in range(len(fine)):
                here = start + number
                share = self._recognised(coarse[number], fine[number], met)
                if share is not None:
                    found.rotations[here], found.explained[here] = met[0][0], share
                    continue
                scores = self._scores(coarse[number : number + 1])[0]
                self._search(coarse[number], fine[number], scores, found, here)
                # Noise is not worth following.
                if found.clear[here]:
                    met.insert(0, (found.rotations[here].copy(), found.explained[here]))
                    del met[_REMEMBERED:]
        return found

    def _recognised(
        self,
        coarse: NDArray[np.float32],
        fine: NDArray[np.float32],
        met: Crystals,
    ) -> float | None:
        """What is explained of a pattern if it is of a crystal met before, which then comes first.

        It is the last one, or that of the others that explains most as it stands: at a boundary
        the next crystal is often one that a row before has met.
        """
        if met and (share := self._taken_up(fine, met, 0)) is not None:
            return share
        if len(met) < 2:
            return None
        shares = [self._refine(self._coarse, coarse, one.copy(), 0) for one, _ in met[1:]]
        return self._taken_up(fine, met, 1 + int(np.argmax(shares)))

    def _taken_up(self, fine: NDArray[np.float32], met: Crystals, index: int) -> float | None:
        """What a crystal explains of a pattern after some steps, if that is about what it did."""
        rotation, usual = met[index]
        rotation = rotation.copy()
        share = self._refine(self._fine, fine, rotation, _FEW_STEPS)
        if share < _SAME_CRYSTAL * usual:
            return None
        del met[index]
        met.insert(0, (rotation, usual))
        return share

    def refined(self, patterns: NDArray[np.float32], rotations: NDArray[np.float32]) -> Frames:
        """Refine orientations that are nearly known.

        Parameters
        ----------
        patterns
            As for a call.
        rotations
            Of their crystals, of shape (n, 3, 3).
        """
        found = _nothing(len(patterns))
        found.rotations[:] = rotations
        for number, pattern in enumerate(self._fine(patterns)):
            rotation = found.rotations[number]
            found.explained[number] = self._refine(self._fine, pattern, rotation, _STEPS[1])
        return found

    def _scores(self, coarse: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the modes explain in every orientation, of shape (n, orientations)."""
        along = self._basis @ (coarse * np.sqrt(self._coarse.weights)).T
        scores = (along**2).reshape(len(self._rotations), -1, len(coarse)).sum(axis=1).T
        return np.ascontiguousarray(scores)

    def _search(
        self,
        coarse: NDArray[np.float32],
        fine: NDArray[np.float32],
        scores: NDArray[np.float32],
        into: Frames,
        number: int,
    ) -> None:
        """Find the orientation of a pattern among all of them."""
        best, *others = self._best(coarse, fine, scores)
        into.explained[number], into.rotations[number] = best
        # Where all end at one orientation there is no other.
        into.margin[number] = best[0] - (others[0][0] if others else 0)

    def _refine(
        self,
        level: _Level,
        pattern: NDArray[np.float32],
        rotation: NDArray[np.float32],
        steps: int,
    ) -> float:
        modes = self._modes.fine if level is self._fine else self._modes.coarse
        return refine(pattern, level.weights, rotation, level.directions, modes, steps)

    def _best(
        self, coarse: NDArray[np.float32], fine: NDArray[np.float32], scores: NDArray[np.float32]
    ) -> list[tuple[float, NDArray[np.float32]]]:
        """The best orientations and what they explain, the best first."""
        numbers = choose(scores, self._rotations, self._operators, self._many, np.deg2rad(_APART))
        first, second = _STEPS
        found = []
        for number in numbers:
            rotation = self._rotations[number].copy()
            found.append((self._refine(self._coarse, coarse, rotation, first), rotation))
        # Many end at the same orientation.
        different = choose(
            np.array([share for share, _ in found], np.float32),
            np.array([rotation for _, rotation in found]),
            self._operators,
            self._few,
            np.deg2rad(_APART),
        )
        best = []
        for number in different:
            rotation = found[number][1]
            best.append((self._refine(self._fine, fine, rotation, second), rotation))
        return sorted(best, key=lambda one: -one[0])

    @cached_property
    def _basis(self) -> NDArray[np.float32]:
        """An orthonormal basis of what the modes may be in each orientation.

        Of shape (orientations * modes, pixels).
        """
        level, modes = self._coarse, self._modes.coarse
        pixels, number = level.directions.shape[1], modes.shape[2]
        root = np.sqrt(level.weights)
        constant = root / max(float(np.linalg.norm(root)), 1e-9)
        diagonal = np.arange(number)
        basis = np.empty((len(self._rotations), number, pixels), np.float32)
        room = np.empty((_IN_CACHE, pixels, number), np.float32)
        for start in range(0, len(basis), _IN_CACHE):
            rotations = self._rotations[start : start + _IN_CACHE]
            seen = room[: len(rotations)]
            for rotation, out in zip(rotations, seen, strict=True):
                look_up_all(modes, rotation, level.directions, out)
            seen *= root[:, None]
            seen -= constant[:, None] * (constant @ seen)[:, None]
            products = seen.swapaxes(1, 2) @ seen
            # Where a detector sees little, modes may look alike.
            products[:, diagonal, diagonal] *= 1 + _DAMPING
            products[:, diagonal, diagonal] += np.finfo(np.float32).tiny ** 0.5
            whitening = np.linalg.inv(np.linalg.cholesky(products))
            np.matmul(whitening, seen.swapaxes(1, 2), out=basis[start : start + len(seen)])
        return basis.reshape(-1, pixels)


def _nothing(count: int) -> Frames:
    nan = np.full(count, np.nan, np.float32)
    return Frames(np.empty((count, 3, 3), np.float32), nan, nan.copy())


class _Level:
    """Patterns at one size."""

    def __init__(
        self,
        height: int,
        directions: Callable[[tuple[int, int]], NDArray[np.float64]],
        mask: NDArray[np.bool_],
    ) -> None:
        tall, wide = mask.shape
        height = min(height, tall)
        self._size = (height, max(1, round(height * wide / tall)))
        self._mask = mask.astype(np.float32)
        self.weights = bin_to(self._mask[None], self._size).ravel()
        self.directions = np.ascontiguousarray(directions(self._size).T, np.float32)

    def __call__(self, patterns: NDArray[np.float32]) -> NDArray[np.float32]:
        """Of shape (n, pixels), with a weighted mean of 0."""
        binned = bin_to(patterns * self._mask, self._size).reshape(len(patterns), -1)
        binned /= np.maximum(self.weights, 1e-6)
        mean = binned @ self.weights / max(self.weights.sum(), 1e-6)
        return np.ascontiguousarray((binned - mean[:, None]) * (self.weights > 0), np.float32)


@lru_cache(maxsize=4)
def cubic_rotations(step: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Rotations so many degrees apart that differ by more than symmetry; the symmetry's own."""
    from orix.quaternion.symmetry import O
    from orix.sampling import get_sample_fundamental

    rotations = get_sample_fundamental(resolution=step, point_group=O).to_matrix()
    return rotations.astype(np.float32), cubic_operators()


def cubic_operators() -> NDArray[np.float32]:
    """The rotations of a cubic crystal, of shape (24, 3, 3)."""
    from orix.quaternion.symmetry import O

    return O.to_matrix().astype(np.float32)
