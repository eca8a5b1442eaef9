"""What the patterns of a scan share that is not of its crystals: the screen, and its dust."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from napari_kikuchi.images import bin_to
from napari_kikuchi.io.known_background import known_background
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.preprocess import Preprocessor
from napari_kikuchi.recipe import Recipe
from napari_kikuchi.scan import Scan
from napari_kikuchi.symmetry.frames import cubic_rotations
from napari_kikuchi.unreadable import read_patterns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.symmetry.reader import PatternReader

# Patterns are binned to this height: that of the patterns that were learned from.
_HEIGHT = 60
# A scan of fewer patterns has no mean of which to tell a crystal from the screen.
_FEW_PATTERNS = 16
# Patterns of which the screen is found, and how often at most crystals are found anew.
_DRAWN, _ROUNDS = 192, 4
# Crystals closer than this, in degrees, are one; this many patterns of one tell as much as more.
_APART, _ENOUGH = 5.0, 8
# Of the mean brightness: what is darker counts like this.
_DARKEST = 0.02


class Screen(NamedTuple):
    """What patterns are divided by.

    Attributes
    ----------
    light
        With mean 1 inside the mask, 1 outside it, of the shape of binned patterns.
    told_by
        ``"recorded"``: the static background in the file of the scan; ``"grains"``: what is left
        of patterns of several grains without their bands; ``"mean"``: that of many patterns;
        ``"none"``: nothing.
    """

    light: NDArray[np.float32]
    told_by: Literal["recorded", "grains", "mean", "none"]


def recipe_for(scan: Scan) -> Recipe:
    """How patterns are prepared whose symmetry is read: binned, whatever their size."""
    height, width = scan.pattern_shape
    small = min(height, _HEIGHT)
    return Recipe(size=(small, max(1, round(width * small / height))))


def screen_of(
    scan: Scan, preprocessor: Preprocessor, reader: PatternReader | None = None
) -> Job[Screen]:
    """Find what the patterns of a scan share that is not of its crystals.

    Parameters
    ----------
    scan
        Whose file may hold a static background.
    preprocessor
        Of its patterns, by :func:`recipe_for`.
    reader
        Of patterns of this detector, if its geometry is known: it tells the bands of grains from
        what is of the screen. The mean of the patterns of a few grains has their bands, which
        patterns divided by it would lack.

    Yields
    ------
    Progress
        That it goes on.
    """
    mask = preprocessor.mask
    recorded = known_background(scan)
    if recorded is not None:
        return Screen(_relative(bin_to(recorded[None], mask.shape)[0], mask), "recorded")
    if reader is not None:
        patterns = bin_to(read_patterns(scan, scan.draw(_DRAWN)), mask.shape)
        left = yield from _without_grains(patterns, reader)
        if left is not None:
            return Screen(_relative(np.exp(left), mask), "grains")
    if scan.count < _FEW_PATTERNS:
        return Screen(np.ones(mask.shape, np.float32), "none")
    return Screen(_relative(preprocessor.background, mask), "mean")


def _without_grains(
    patterns: NDArray[np.float32], reader: PatternReader
) -> Job[NDArray[np.float32] | None]:
    """Logarithm of the light of the screen; None where there are not several grains to tell it.

    In patterns of crystals that stand in different ways the screen is what stays. Beginning with
    their mean, crystals are found, their bands are taken away, and what is left on average of each
    is averaged over the crystals: so no large grain outvotes the others.
    """
    recorded = reader.levelling.relative(patterns)
    screen, known = recorded.mean(axis=0), 0
    for turn in range(_ROUNDS):
        yield Progress(turn, _ROUNDS, "Telling the screen from the crystals")
        frames = reader.finder(recorded - screen)
        clear = np.flatnonzero(frames.clear)
        if not len(clear):
            return None
        crystals = _alike(frames.rotations[clear])
        counts = np.bincount(crystals)
        left = np.zeros((len(counts), *screen.shape), np.float32)
        for number, crystal in zip(clear, crystals, strict=True):
            bands = reader.bands(recorded[number] - screen, frames.rotations[number])
            left[crystal] += recorded[number] - bands
        left /= counts[:, None, None]
        weights = np.minimum(counts, _ENOUGH)
        # Of what modes do not explain of a crystal's bands, its share of the mean is left.
        largest = (weights**2).sum() / weights.sum() ** 2
        screen = np.tensordot(weights, left, 1) / weights.sum() * (1 - largest)
        if len(clear) == known:
            break
        known = len(clear)
    return screen.astype(np.float32) if len(counts) > 1 else None


def _alike(rotations: NDArray[np.float32]) -> NDArray[np.int64]:
    """Numbers of crystals that stand alike, in the order in which they are met."""
    operators = cubic_rotations(_APART)[1]
    first: list[NDArray[np.float32]] = []
    numbers = np.empty(len(rotations), np.int64)
    closest = 1 + 2 * np.cos(np.deg2rad(_APART))  # The trace of a rotation.
    for place, rotation in enumerate(rotations):
        if first:
            traces = np.einsum("kij,jl,nil->nk", operators, rotation, np.array(first))
            near = np.flatnonzero(traces.max(axis=1) > closest)
            if len(near):
                numbers[place] = near[0]
                continue
        numbers[place] = len(first)
        first.append(rotation)
    return numbers


def _relative(light: NDArray[np.floating], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    relative = light / max(float(light[mask].mean()), 1e-12)
    return np.where(mask, np.maximum(relative, _DARKEST), 1).astype(np.float32)
