"""How patterns are prepared, as a model carries it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from napari_kikuchi.scan import Scan
from napari_kikuchi.untrusted import integer, mapping, number, positive, sequence, shown, text

if TYPE_CHECKING:
    from numpy.typing import NDArray

# In pixels: no EBSD camera comes near.
_LARGEST_SIDE = 16_384


class RecipeMismatchError(ValueError):
    """A scan that a recipe, and so the model that carries it, cannot take."""


@dataclass(frozen=True, eq=False)
class Recipe:
    """How patterns are prepared. Part of every model.

    Attributes
    ----------
    size
        Height and width after binning, in pixels. Any pattern at least as large and of the same
        aspect ratio is averaged down to it by area; whole factors are plain means.
    background
        Static background to subtract: ``"exact"``, the mean of every pattern of the map;
        ``"sample"``, the mean of ``background_sample`` of them; or ``"none"``.
    background_sample
        Patterns drawn for a sampled background and for the signal mask.
    mask
        Where the screen gives a signal, of shape ``size``; None: found from the data.
    seed
        Of the sample.
    rescale
        What of a pattern, less its background, becomes [-1, 1]: ``"range"``, from its darkest to
        its brightest pixel, as published; ``"deviation"``, four standard deviations about its
        mean, with what lies beyond clipped: the extremes of a noisy pattern are noise, and scale
        all of it at random; or ``"common"``, the same for all patterns, each taken to the same
        mean intensity before the background is subtracted: what dislocations take from the
        contrast of the bands then stays to be seen.
    dark_share
        Part of the mask that is dark in the scan for which someone has chosen it by hand.
    full_scale
        With ``"common"``: what becomes 1, relative to the mean intensity; None: found from the
        data, eight standard deviations over all patterns.

    Raises
    ------
    ValueError
        If there is no pixel or no pattern to draw.
    """

    size: tuple[int, int] = (60, 60)
    background: Literal["exact", "sample", "none"] = "sample"
    background_sample: int = 1024
    mask: NDArray[np.bool_] | None = None
    seed: int = 0
    rescale: Literal["range", "deviation", "common"] = "common"
    dark_share: float = 0.0
    full_scale: float | None = None

    def __post_init__(self) -> None:
        if min(self.size) < 1:
            raise ValueError(f"a recipe bins to at least 1 x 1 pixels, not to {self.size}")
        if self.background_sample < 1:
            raise ValueError(
                f"background_sample must be at least 1 pattern, not {self.background_sample}"
            )

    def settings(self) -> dict[str, Any]:
        """All but the mask, fit for JSON."""
        return {
            "size": list(self.size),
            "background": self.background,
            "background_sample": self.background_sample,
            "seed": self.seed,
            "dark_share": self.dark_share,
            "rescale": self.rescale,
            "full_scale": self.full_scale,
        }

    @classmethod
    def from_settings(
        cls, settings: Mapping[str, Any], mask: NDArray[np.bool_] | None = None
    ) -> Recipe:
        """Build a recipe from what :meth:`settings` gave, whoever has changed it since.

        Raises
        ------
        ValueError
            If a setting is missing or is none.
        """
        settings = mapping(settings, "the recipe")
        size = sequence(settings.get("size"), "the size in the recipe", 2)
        height, width = (integer(side, "a side in the recipe", 1, _LARGEST_SIDE) for side in size)
        background = text(settings.get("background"), "the background in the recipe")
        if background not in ("exact", "sample", "none"):
            raise ValueError(
                "expected the background in the recipe as exact, sample or none, found "
                f"{shown(background)}"
            )
        rescale = text(settings.get("rescale"), "rescale in the recipe")
        sample = settings.get("background_sample")
        full_scale = settings.get("full_scale")
        return cls(
            size=(height, width),
            background=cast("Any", background),
            background_sample=integer(sample, "background_sample in the recipe", 1),
            mask=mask,
            seed=integer(settings.get("seed"), "the seed in the recipe"),
            # Models from before there was a choice describe the range in words.
            rescale=cast("Any", rescale) if rescale in ("deviation", "common") else "range",
            dark_share=number(settings.get("dark_share", 0), "dark_share in the recipe", 0, 1),
            full_scale=None
            if full_scale is None
            else positive(full_scale, "full_scale in the recipe"),
        )


def check_recipe(scan: Scan, recipe: Recipe) -> None:
    """Check what can be checked before a pattern is read: sizes and the recipe's own mask.

    Raises
    ------
    RecipeMismatchError
        As :func:`prepare`.
    """
    check_size(scan, recipe.size)
    _check_own_mask(recipe)


def check_size(scan: Scan, size: tuple[int, int]) -> None:
    """Check that a scan's patterns can be averaged down to a size.

    Raises
    ------
    RecipeMismatchError
        If they are smaller, or of another aspect ratio.
    """
    height, width = scan.pattern_shape
    if height < size[0] or width < size[1]:
        raise RecipeMismatchError(
            f"{scan.name}: the recipe bins patterns to {size[0]} x {size[1]} pixels, but this "
            f"scan's patterns have only {height} x {width}. Choose a model or a recipe of a "
            "smaller size."
        )
    if abs(height / width - size[0] / size[1]) > 0.01 * size[0] / size[1]:
        raise RecipeMismatchError(
            f"{scan.name}: the recipe bins patterns to {size[0]} x {size[1]} pixels, but this "
            f"scan's patterns of {height} x {width} have another aspect ratio and would be "
            'distorted. Keep the central square: crop=True, --crop, or "Open patterns cropped to a '
            "square\" in the menu of the scan's layer."
        )


def _check_own_mask(recipe: Recipe) -> None:
    if recipe.mask is None:
        return
    if recipe.mask.shape != recipe.size:
        raise RecipeMismatchError(
            f"the recipe's signal mask has {' x '.join(map(str, recipe.mask.shape))} pixels, but "
            f"it bins patterns to {' x '.join(map(str, recipe.size))}. Find the mask anew."
        )
    if not recipe.mask.any():
        raise RecipeMismatchError(
            "the recipe's signal mask is empty: no pixel is left to learn from. Draw it anew, or "
            "leave it to be found."
        )
