"""What the patterns of a scan share that is not of its crystals: the screen, and its dust."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from napari_kikuchi.images import bin_to
from napari_kikuchi.io.known_background import known_background
from napari_kikuchi.preprocess import Preprocessor
from napari_kikuchi.recipe import Recipe
from napari_kikuchi.scan import Scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.symmetry.reader import PatternReader

# Patterns are binned to this height: that of the patterns that were learned from.
_HEIGHT = 60
# A scan of fewer patterns has no mean of which to tell a crystal from the screen.
_FEW_PATTERNS = 16
# Of the mean brightness: what is darker counts like this.
_DARKEST = 0.02
# What symmetry repeats of a mean, as a share of its signal, if a crystal stands out in it.
_CRYSTAL = 0.7


class Screen(NamedTuple):
    """What patterns are divided by.

    Attributes
    ----------
    light
        With mean 1 inside the mask, 1 outside it, of the shape of binned patterns.
    told_by
        ``"recorded"``: the static background in the file of the scan; ``"mean"``: that of many
        patterns; ``"none"``: nothing.
    """

    light: NDArray[np.float32]
    told_by: Literal["recorded", "mean", "none"]


def recipe_for(scan: Scan) -> Recipe:
    """How patterns are prepared whose symmetry is read: binned, whatever their size."""
    height, width = scan.pattern_shape
    small = min(height, _HEIGHT)
    return Recipe(size=(small, max(1, round(width * small / height))))


def screen_of(
    scan: Scan, preprocessor: Preprocessor, reader: PatternReader | None = None
) -> Screen:
    """Find what the patterns of a scan share that is not of its crystals.

    Parameters
    ----------
    scan
        Whose file may hold a static background.
    preprocessor
        Of its patterns, by :func:`recipe_for`.
    reader
        Of patterns of this detector, if its geometry is known: the mean of the patterns of one
        grain is a pattern itself, and others divided by it would lack their bands.
    """
    mask = preprocessor.mask
    recorded = known_background(scan)
    if recorded is not None:
        return Screen(_relative(bin_to(recorded[None], mask.shape)[0], mask), "recorded")
    mean = preprocessor.background
    if scan.count < _FEW_PATTERNS or (reader is not None and _shows_a_crystal(mean, reader)):
        return Screen(np.ones(mask.shape, np.float32), "none")
    return Screen(_relative(mean, mask), "mean")


def _relative(light: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    relative = light / max(float(light[mask].mean()), 1e-12)
    return np.where(mask, np.maximum(relative, _DARKEST), 1).astype(np.float32)


def _shows_a_crystal(mean: NDArray[np.float32], reader: PatternReader) -> bool:
    found = reader(mean[None])
    return bool(found.repeated[0] > _CRYSTAL * found.signal[0] > 0)
