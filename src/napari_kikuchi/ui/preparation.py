"""What the pattern viewer needs to know of a scan before it can correct its patterns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.jobs import Job
from napari_kikuchi.preprocess import Preprocessor, Recipe, bin_to, mean_pattern, prepare
from napari_kikuchi.scan import Scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.latent.encoder import Encoder

# Enough that bands average out of the background; a second's reading of large patterns.
SAMPLE = 256
_SIDE = 60


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


def prepare_sampled(scan: Scan, recipe: Recipe, check_mask: bool = True) -> Job[Preparation]:
    """Fit a recipe to a scan from a sample small enough to be read while someone waits.

    A recipe that asks for the exact background gets the sampled one: for looking at patterns the
    two are the same.

    Parameters
    ----------
    scan, recipe, check_mask
        As for :func:`napari_kikuchi.preprocess.prepare`.

    Raises
    ------
    RecipeMismatchError
        As :func:`napari_kikuchi.preprocess.prepare`.
    """
    background = yield from mean_pattern(scan, scan.draw(SAMPLE))
    if recipe.background == "none":
        fitted = yield from prepare(scan, recipe, check_mask=check_mask)
        return Preparation(background, fitted)
    # Binning what is averaged already spares a second reading of the sample.
    unsubtracted = replace(recipe, background="none")
    fitted = yield from prepare(scan, unsubtracted, check_mask=check_mask)
    binned = bin_to(background[None], recipe.size)[0]
    recipe = replace(recipe, mask=fitted.mask)
    return Preparation(background, Preprocessor(recipe, binned))
