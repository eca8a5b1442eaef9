"""The ways in which the pattern viewer shows a pattern."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.maps import contrast_limits
from napari_kikuchi.ui.preparation import Model, Preparation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.preprocess import Preprocessor

Limits = tuple[float, float]

# Shares of the pixels, in percent, between which a pattern is shown: few pixels may be clipped.
_PERCENTILES = (0.5, 99.5)
_SAMPLED_SIDE = 96
# Spots cover few pixels: of what is brighter than nearly all of them, most is to be told apart.
_PERCENTILES_OF_SPOTS = (0.5, 99.9)


class View(StrEnum):
    """One way to show a pattern; three panes beside each other have room for one word each."""

    RAW = "raw"
    CORRECTED = "corrected"
    PREPROCESSED = "preprocessed"
    RECONSTRUCTED = "reconstructed"
    DIFFERENCE = "difference"
    TRAVERSAL = "traversal"
    SIMULATED = "simulated"


class Tone(StrEnum):
    """How intensities become grey levels between the limits."""

    LINEAR = "linear"
    ROOT = "root"
    LOG = "log"


MODEL_VIEWS = frozenset({View.RECONSTRUCTED, View.DIFFERENCE, View.TRAVERSAL})


@dataclass(frozen=True)
class Shift:
    """A step in latent space along one feature.

    Attributes
    ----------
    feature
        Its index.
    by
        How far, in the feature's own unit.
    """

    feature: int
    by: float


def view_pattern(
    pattern: NDArray,
    views: Collection[View],
    preparation: Preparation | None = None,
    model: Model | None = None,
    shift: Shift | None = None,
) -> dict[View, NDArray[np.float32]]:
    """Show a pattern in several ways.

    Parameters
    ----------
    pattern
        As recorded, of shape (height, width).
    views
        Which ways are wanted.
    preparation
        Corrects and preprocesses; without one, these views are left out.
    model
        Reconstructs; without one, these views are left out.
    shift
        Of the traversal; without one it shows the reconstruction.

    Returns
    -------
    dict
        The raw and the corrected pattern in the recorded shape, the others in the shape of their
        recipe and NaN outside the signal mask. The difference is the reconstruction less what the
        model was given; the traversal is what the pattern would be if one feature were another.
    """
    shown = {View.RAW: pattern.astype(np.float32)}
    if preparation is not None:
        if View.CORRECTED in views:
            shown[View.CORRECTED] = pattern - preparation.background
        if View.PREPROCESSED in views:
            shown[View.PREPROCESSED] = _inside(preparation.preprocessor, pattern)
    if model is not None and MODEL_VIEWS.intersection(views):
        given, mask = model.preprocessor(pattern), model.preprocessor.mask
        features = model.encoder.encode(given[None])
        decoded = np.where(mask, model.encoder.decode(features)[0], np.nan)
        shown[View.RECONSTRUCTED] = decoded
        shown[View.DIFFERENCE] = decoded - given
        if View.TRAVERSAL in views:
            moved = features.copy()
            if shift is not None and shift.feature < features.shape[1]:
                moved[0, shift.feature] += shift.by
            shown[View.TRAVERSAL] = np.where(mask, model.encoder.decode(moved)[0], np.nan)
    return {view: shown[view] for view in View if view in views and view in shown}


def _inside(preprocessor: Preprocessor, pattern: NDArray) -> NDArray[np.float32]:
    """A preprocessed pattern, NaN outside the signal mask: napari draws nothing there."""
    return np.where(preprocessor.mask, preprocessor(pattern), np.float32(np.nan))


def view_limits(view: View, values: NDArray, spots: bool = False) -> Limits:
    """Limits that suit a pattern.

    Parameters
    ----------
    view
        What the values are; the limits of a difference are symmetric about 0.
    values
        A pattern.
    spots
        Whether it has spots on a dark ground, and not bands.
    """
    if spots:
        # Every pixel counts: those that a sample left out may be the spots.
        low, high = contrast_limits(values, _PERCENTILES_OF_SPOTS)
    else:
        # A few thousand pixels tell the percentiles of a pattern, in a tenth of the time.
        thin = max(1, min(values.shape) // _SAMPLED_SIDE)
        low, high = contrast_limits(values[::thin, ::thin], _PERCENTILES)
    if view is View.DIFFERENCE:
        high = max(abs(low), abs(high))
        low = -high
    return low, high


def tone(
    values: NDArray, limits: Limits, scale: Tone = Tone.LINEAR, decades: int = 2
) -> NDArray[np.float32]:
    """Bring a pattern to [0, 1] between its limits.

    Parameters
    ----------
    values
        A pattern.
    limits
        Become 0 and 1; what lies outside is clipped.
    scale
        Linear; the square root, whose noise is even where electrons are counted; or logarithmic:
        equal ratios, and not equal differences, look equally far apart.
    decades
        What a logarithmic scale shows between the limits.
    """
    low, high = limits
    toned = np.clip((values - low) * np.float32(1 / (high - low)), 0, 1)
    if scale is Tone.ROOT:
        toned = np.sqrt(toned)
    elif scale is Tone.LOG:
        span = np.float32(10**decades - 1)
        toned = np.log1p(span * toned) / np.log1p(span)
    return toned.astype(np.float32, copy=False)
