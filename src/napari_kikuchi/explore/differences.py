"""How the mean patterns of two regions differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.explore.averages import AveragePattern, check_same_frame

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class PatternDifference:
    """One mean pattern less another, both of the same brightness.

    Attributes
    ----------
    values
        In parts of the mean brightness, of shape (height, width); NaN outside the signal mask.
    significance
        The same in standard errors, of the same shape; NaN also where the errors are not known:
        in a region of a single pattern, and in pixels that never change.
    """

    values: NDArray[np.float32]
    significance: NDArray[np.float32]


def pattern_difference(
    one: AveragePattern, other: AveragePattern, mask: NDArray[np.bool_]
) -> PatternDifference:
    """Subtract the mean pattern of one region from that of another.

    Parameters
    ----------
    one, other
        Of the regions: where the first is brighter, the difference is positive.
    mask
        Where the screen gives a signal, of the shape of the patterns. The brightness is the mean
        inside it, and is divided out: two places are never lit alike.

    Raises
    ------
    ValueError
        If patterns and mask differ in size, the mask is empty, or a pattern has no brightness.

    Notes
    -----
    The standard error is that of the difference of two means (Welch 1947, Biometrika 34, 28):
    the root of the sum of deviation² / count of both. Deviations hold all by which the patterns of
    a region differ, its orientations, too.
    """
    check_same_frame(one, other, mask)
    parts = [_relative(average, mask) for average in (one, other)]
    difference = parts[0][0] - parts[1][0]
    error = np.hypot(parts[0][1], parts[1][1])
    significance = np.divide(
        difference, error, out=np.full(mask.shape, np.nan), where=mask & (error > 0)
    )
    values = np.where(mask, difference, np.nan)
    return PatternDifference(values.astype(np.float32), significance.astype(np.float32))


def _relative(
    average: AveragePattern, mask: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A mean pattern and its standard error, in parts of its brightness."""
    brightness = average.mean[mask].mean(dtype=np.float64)
    if not brightness > 0:
        raise ValueError(
            f"expected mean patterns with some brightness inside the signal mask, found a mean of "
            f"{brightness:g}: choose places whose patterns are not black"
        )
    return average.mean / brightness, average.deviation / brightness / np.sqrt(average.count)
