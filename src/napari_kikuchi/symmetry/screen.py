"""What the patterns of a scan share that is not of its crystals: the screen, and its dust."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.symmetry.reader import PatternReader

# Of the mean brightness: what is darker counts like this.
_DARKEST = 0.02
# What symmetry repeats of a mean, as a share of its signal, if a crystal stands out in it.
_CRYSTAL = 0.7


def relative_light(light: NDArray[np.floating], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Light with mean 1 inside the mask and outside it, by which patterns can be divided.

    Parameters
    ----------
    light
        Of shape (height, width).
    mask
        Where patterns have a signal, of its shape.
    """
    relative = light / max(float(light[mask].mean()), 1e-12)
    return np.where(mask, np.maximum(relative, _DARKEST), 1).astype(np.float32)


def shows_a_crystal(mean: NDArray[np.floating], reader: PatternReader) -> bool:
    """Whether the mean of a scan's patterns is a pattern itself.

    Divided by the mean of patterns of one grain, they would lack their bands.

    Parameters
    ----------
    mean
        Of shape (height, width).
    reader
        Of patterns of this detector.
    """
    found = reader(mean[None])
    return bool(found.repeated[0] > _CRYSTAL * found.signal[0] > 0)
