"""What the pattern viewer needs to know of a scan before it can correct its patterns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.explore.averages import mean_pattern
from napari_kikuchi.images import bin_to, find_signal_mask
from napari_kikuchi.jobs import Job
from napari_kikuchi.preprocess import Preprocessor, fit_mask
from napari_kikuchi.recipe import Recipe, check_recipe
from napari_kikuchi.scan import Scan
from napari_kikuchi.unreadable import read_patterns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.latent.encoder import Encoder

# Enough that bands average out of the background; a second's reading of large patterns.
SAMPLE = 256
_SIDE = 60
# Of these patterns, as many as tell how strong their contrast is: 15 MB of 480 x 480 pixels.
_KEPT = 32


@dataclass(frozen=True, eq=False)
class Average:
    """What a sample of a scan's patterns tells of all of them, whatever the recipe.

    Attributes
    ----------
    pattern
        Their mean, of the shape of a recorded pattern.
    mask
        Where it has a signal, of the same shape.
    some
        A few of the patterns themselves, of shape (n, height, width).
    """

    pattern: NDArray[np.float32]
    mask: NDArray[np.bool_]
    some: NDArray


@dataclass(frozen=True, eq=False)
class Preparation:
    """A scan's static background and its preprocessor, from a sample of its patterns.

    Attributes
    ----------
    background
        Mean pattern, of the shape of a recorded pattern.
    preprocessor
        A recipe fitted to the scan.
    """

    background: NDArray[np.float32]
    preprocessor: Preprocessor


@dataclass(frozen=True, eq=False)
class Model:
    """An encoder, fitted to the scan at hand.

    Attributes
    ----------
    encoder
        Encodes and decodes.
    preprocessor
        The encoder's recipe fitted to the scan.
    """

    encoder: Encoder
    preprocessor: Preprocessor


def default_recipe(scan: Scan) -> Recipe:
    """The recipe of a scan for which nobody has chosen one: its shape, 60 pixels at most."""
    shrink = min(1.0, _SIDE / max(scan.pattern_shape))
    height, width = (max(1, round(side * shrink)) for side in scan.pattern_shape)
    return Recipe(size=(height, width))


def average(scan: Scan) -> Job[Average]:
    """Average a sample of a scan small enough to be read while someone waits."""
    drawn = scan.draw(SAMPLE)
    pattern = yield from mean_pattern(scan, drawn)
    # Drawn in the order of the scan: every so many of them come from all over it.
    some = read_patterns(scan, drawn[:: max(1, len(drawn) // _KEPT)])
    return Average(pattern, find_signal_mask(pattern), some)


def fit(scan: Scan, recipe: Recipe, sample: Average, check_mask: bool = True) -> Preparation:
    """Fit a recipe to a scan from what its patterns are on average: at once.

    A recipe that asks for the exact background gets that of the sample: for looking at patterns
    the two are the same.

    Parameters
    ----------
    scan, recipe, check_mask
        As for :func:`napari_kikuchi.preprocess.prepare`.
    sample
        Of the scan.

    Raises
    ------
    RecipeMismatchError
        As :func:`napari_kikuchi.preprocess.prepare`.
    """
    check_recipe(scan, recipe)
    recipe = fit_mask(scan, recipe, sample.mask, check_mask=check_mask)
    # Binning what is averaged already is the same as averaging what is binned.
    background = np.zeros(recipe.size, np.float32)
    if recipe.background != "none":
        background = bin_to(sample.pattern[None], recipe.size)[0]
    return Preparation(
        sample.pattern, Preprocessor(recipe, background).with_full_scale(sample.some)
    )
