"""One recipe from a recorded pattern to what a model reads.

Bin, subtract the static background of the map, rescale what lies inside the signal mask to
[-1, 1]. Binning and subtraction commute, so patterns are binned first and all else is cheap.
The order is that of the reference method (Calvat et al. 2025), and so is rescaling by the range.
That divides the contrast of a pattern out; with a common scale, each keeps its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.images import bin_to, find_signal_mask
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.recipe import Recipe, RecipeMismatchError, check_recipe
from napari_kikuchi.rescaling import over_mean, rescaled
from napari_kikuchi.scan import Scan
from napari_kikuchi.unreadable import PatternReading, read_patterns

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Patterns preprocessed at a time: enough to keep the arithmetic busy, little memory.
_BATCH = 64
# Standard deviations of all patterns that become 1 on their common scale: zone axes lie far beyond
# four, and carry the contrast.
_COMMON_DEVIATIONS = 8
# How much of a model's signal region a scan may lack: the edge of a screen is never sharp.
_MASK_TOLERANCE = 0.05


@dataclass(frozen=True, eq=False)
class Preprocessor:
    """A recipe fitted to one scan; call it with patterns.

    Attributes
    ----------
    recipe
        With its mask, found or given.
    background
        Static background of the scan after binning, of shape ``recipe.size``; zeros for none.
    """

    recipe: Recipe
    background: NDArray[np.float32]

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Signal mask, of shape ``recipe.size``."""
        assert self.recipe.mask is not None
        return self.recipe.mask

    @property
    def level(self) -> float:
        """Mean of the background inside the mask; 1 where there is none."""
        return float(self.background[self.mask].mean()) or 1.0

    def __call__(self, patterns: NDArray) -> NDArray[np.float32]:
        """Prepare patterns.

        Parameters
        ----------
        patterns
            As recorded, of shape (..., height, width).

        Returns
        -------
        numpy.ndarray
            Of shape (..., *recipe.size): within [-1, 1] inside the mask, 0 outside it and for a
            pattern without contrast.
        """
        return self.with_contrast(patterns)[0]

    def with_contrast(self, patterns: NDArray) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Prepare patterns, and measure the contrast that rescaling may divide out.

        Parameters
        ----------
        patterns
            As recorded, of shape (..., height, width).

        Returns
        -------
        prepared
            As calling gives them.
        contrast
            Standard deviation of :meth:`relative` inside the mask, of shape (...).
        """
        pixels, background = np.flatnonzero(self.mask), self.background[self.mask]
        flat_in = patterns.reshape(-1, *patterns.shape[-2:])
        out = np.zeros((len(flat_in), self.mask.size), np.float32)
        contrast = np.empty(len(flat_in), np.float32)
        for start in range(0, len(flat_in), _BATCH):
            part = slice(start, start + _BATCH)
            binned = bin_to(flat_in[part], self.recipe.size).reshape(-1, self.mask.size)
            # Only what lies inside the mask is worked on.
            out[part, pixels], contrast[part] = rescaled(
                binned.take(pixels, axis=1), background, self.level, self.recipe
            )
        lead = patterns.shape[:-2]
        return out.reshape(*lead, *self.recipe.size), contrast.reshape(lead)

    def relative(self, binned: NDArray[np.float32]) -> NDArray[np.float32]:
        """Binned patterns over their mean intensity, less the background over its own.

        What bands and noise add to the background, in parts of the intensity: however bright the
        beam, and with none of the background left where that changes. 0 for a pattern without
        contrast.
        """
        flat = binned.reshape(-1, self.mask.size)
        inside = flat.take(np.flatnonzero(self.mask), axis=1)
        relative = over_mean(flat, inside, self.background.ravel(), self.level)
        return relative.reshape(binned.shape)

    def with_full_scale(self, patterns: NDArray) -> Preprocessor:
        """The same with its common scale found from some patterns, where it needs one.

        Parameters
        ----------
        patterns
            As recorded, of shape (n, height, width).
        """
        if self.recipe.rescale != "common" or self.recipe.full_scale is not None:
            return self
        inside = self.relative(bin_to(patterns, self.recipe.size))[:, self.mask]
        deviation = float(np.sqrt(inside.var(axis=1).mean()))
        # Patterns without any contrast stay without, whatever the scale.
        scale = _COMMON_DEVIATIONS * deviation or 1.0
        return replace(self, recipe=replace(self.recipe, full_scale=scale))


def prepare(scan: Scan, recipe: Recipe, *, check_mask: bool = True) -> Job[Preprocessor]:
    """Fit a recipe to a scan: find the signal mask and the static background.

    Parameters
    ----------
    scan
        Whose patterns are to be prepared.
    recipe
        With a mask, as a model carries it, or without.
    check_mask
        Whether to refuse a scan that is dark inside the recipe's mask. False takes the mask as it
        is, for one that was chosen for this very scan, and notes how much of it is dark.

    Yields
    ------
    Progress
        Patterns read so far.

    Returns
    -------
    Preprocessor
        Its recipe carries mask and scale: the recipe's own, or those found.

    Raises
    ------
    RecipeMismatchError
        If the patterns cannot be averaged down to the recipe's size, or lack signal where the
        recipe's mask expects it; or if that mask is empty or of another size than the recipe.
    UnreadableScanError
        If none of the patterns that are drawn can be read.
    """
    check_recipe(scan, recipe)
    sample = read_patterns(scan, scan.draw(min(recipe.background_sample, 256), recipe.seed))
    yield Progress(0, 0, "Finding the signal mask")
    found = find_signal_mask(sample.mean(axis=0, dtype=np.float64))
    recipe = fit_mask(scan, recipe, found, check_mask=check_mask)
    background = np.zeros(recipe.size, np.float32)
    if recipe.background != "none":
        background = yield from _static_background(scan, recipe)
    return Preprocessor(recipe, background).with_full_scale(sample)


def fit_mask(
    scan: Scan, recipe: Recipe, found: NDArray[np.bool_], *, check_mask: bool = True
) -> Recipe:
    """Give a recipe the signal mask of a scan, or hold the recipe's own against it.

    Parameters
    ----------
    scan, recipe, check_mask
        As for :func:`prepare`.
    found
        Where the scan has a signal, of the shape of its patterns.

    Raises
    ------
    RecipeMismatchError
        As :func:`prepare`.
    """
    # A binned pixel has a signal if all that it averages has one.
    binned = bin_to(found[None].astype(np.float32), recipe.size)[0] > 0.99
    expected = recipe.mask
    if expected is None:
        if not binned.any():
            raise RecipeMismatchError(
                f"{scan.name}: no pixel has a signal after binning to {recipe.size[0]} x "
                f"{recipe.size[1]}. Bin less, or give the signal mask."
            )
        recipe = replace(recipe, mask=binned, dark_share=0.0)
    else:
        dark = float(np.mean(~binned[expected]))
        if not check_mask:
            recipe = replace(recipe, dark_share=max(recipe.dark_share, dark))
        elif dark > recipe.dark_share + _MASK_TOLERANCE:
            raise RecipeMismatchError(
                f"{scan.name}: the model expects a signal on {expected.mean():.0%} of the "
                f"frame, but this scan is dark on {dark:.0%} of that region (its own signal covers "
                f"{binned.mean():.0%}). Train a model that starts from this one (--init), which "
                "adapts it to this scan's screen, or choose another model."
            )
    return recipe


def _static_background(scan: Scan, recipe: Recipe) -> Job[NDArray[np.float32]]:
    total = np.zeros(recipe.size, np.float64)
    count = 0
    exact = recipe.background == "exact"
    positions = scan.draw(scan.count if exact else recipe.background_sample, recipe.seed)
    reading = PatternReading(scan, positions)
    for patterns in reading:
        total += bin_to(patterns, recipe.size).sum(axis=0, dtype=np.float64)
        count += len(patterns)
        yield Progress(reading.done, len(positions), "Averaging the static background")
    reading.check()
    return (total / count).astype(np.float32)
