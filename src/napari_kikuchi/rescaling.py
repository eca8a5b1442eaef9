"""The arithmetic of prepared patterns, whether numpy holds them or torch on a device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from array_api_compat import array_namespace

if TYPE_CHECKING:
    from napari_kikuchi.recipe import Recipe

    # Any type with the functions of the array API standard.
    Array = Any

# Standard deviations of a pattern that become 1: of noise, one pixel in 16,000 lies beyond.
_DEVIATIONS = 4


def rescaled(inside: Array, background: Array, level: float, recipe: Recipe) -> tuple[Array, Array]:
    """Patterns less their background, rescaled to [-1, 1], and the contrast of each.

    Parameters
    ----------
    inside
        Binned patterns inside the signal mask, of shape (n, pixels).
    background
        The same of the static background, of shape (pixels,).
    level
        Mean of the background; 1 where there is none.
    recipe
        Says how to rescale; with its full scale, if it needs one.

    Returns
    -------
    values, contrast
        Of shape (n, pixels), 0 for a pattern without contrast; and (n,): the standard deviation of
        what :func:`over_mean` gives.
    """
    xp = array_namespace(inside)
    relative = over_mean(inside, inside, background, level)
    relative -= xp.mean(relative, axis=1, keepdims=True)
    contrast = xp.sqrt(xp.vecdot(relative, relative) / inside.shape[1])
    if recipe.rescale == "common":
        assert recipe.full_scale is not None  # found when the recipe was fitted
        return xp.clip(relative / recipe.full_scale, -1, 1), contrast
    corrected = inside - background
    if recipe.rescale == "range":
        low, high = (edge(corrected, axis=1, keepdims=True) for edge in (xp.min, xp.max))
        middle, half = (low + high) / 2, (high - low) / 2
    else:
        middle = xp.mean(corrected, axis=1, keepdims=True)
        half = _DEVIATIONS * xp.std(corrected, axis=1, keepdims=True)
    # A pattern without contrast has nothing to be rescaled.
    scale = xp.where(half > 0, half, xp.inf)
    return xp.clip((corrected - middle) / scale, -1, 1), contrast


def over_mean(values: Array, inside: Array, background: Array, level: float) -> Array:
    """Patterns over their mean intensity, less the background over its own.

    Parameters
    ----------
    values
        Some pixels of binned patterns, of shape (n, pixels).
    inside
        All of theirs inside the signal mask, of shape (n, pixels).
    background
        Static background of the pixels of ``values``, of shape (pixels,).
    level
        Mean of the background; 1 where there is none.

    Returns
    -------
    array
        Of the shape of ``values``; 0 for a pattern without contrast.
    """
    xp = array_namespace(values)
    brightness = xp.mean(inside, axis=1, keepdims=True)
    flat = xp.min(inside, axis=1, keepdims=True) == xp.max(inside, axis=1, keepdims=True)
    brightness = xp.where((brightness <= 0) | flat, xp.inf, brightness)
    relative = values / brightness - background / level
    relative *= ~flat
    return relative
