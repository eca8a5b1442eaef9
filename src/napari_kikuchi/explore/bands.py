"""Which Kikuchi bands differ between the mean patterns of two regions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.explore.averages import AveragePattern, check_same_frame
from napari_kikuchi.explore.lines import Line, LineFinder
from napari_kikuchi.images import bin_to, smooth_background

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Pixels along the longer side of the patterns in which bands are looked for, in half a second.
_SIDE = 120
# Standard errors of what only the difference shows: of the thousands of lines that are tried, none
# is as strong by chance.
_BEYOND_CHANCE = 6.0


@dataclass(frozen=True, eq=False)
class Band:
    """A Kikuchi band in two mean patterns.

    Attributes
    ----------
    line
        Where it is in the pattern, see :class:`~napari_kikuchi.explore.lines.Line`.
    ends
        Row and column of both ends of its centre line inside the signal mask, in pixels, of shape
        (2, 2).
    contrasts
        Its mean less that of its flanks in both patterns, in parts of the background.
    errors
        Standard errors of the contrasts; NaN for a region of a single pattern.
    """

    line: Line
    ends: NDArray[np.float64]
    contrasts: tuple[float, float]
    errors: tuple[float, float]

    @property
    def change(self) -> float:
        """First contrast less the second, in parts of the stronger: -0.2 where a fifth is lost."""
        one, other = self.contrasts
        return (one - other) / self._stronger

    @property
    def change_error(self) -> float:
        """Standard error of the change."""
        one, other = self.contrasts
        first, second = self.errors
        # The stronger one's own error counts in the quotient, too.
        if abs(one) > abs(other):
            return math.hypot(second, first * other / one) / self._stronger
        return math.hypot(first, second * one / other) / self._stronger

    @property
    def significance(self) -> float:
        """First contrast less the second, in standard errors of that difference."""
        one, other = self.contrasts
        error = math.hypot(*self.errors)
        if error == 0:
            return math.copysign(math.inf, one - other) if one != other else 0.0
        return (one - other) / error

    @property
    def _stronger(self) -> float:
        return max(map(abs, self.contrasts))


def changed_bands(
    one: AveragePattern,
    other: AveragePattern,
    mask: NDArray[np.bool_],
    background: NDArray | None = None,
) -> list[Band]:
    """Find the bands of two mean patterns and measure how they changed from one to the other.

    No indexing is needed: bands are the lines that stand out in the mean of both patterns, and
    those in which the two differ beyond chance. Each pattern counts relative to its own smooth
    background, so that how it was lit does not matter.

    Parameters
    ----------
    one, other
        Of two regions of a scan.
    mask
        Where the screen gives a signal, of the shape of the patterns.
    background
        Static background of the scan, of the shape of the patterns: the mean of many grains, since
        that of few holds their bands. It takes away the dust and the fibres of the screen, which
        pass for bands, and what the shape of the light adds to contrasts, some hundredths of them.
        None: there is only the smooth background of each pattern.

    Returns
    -------
    list of Band
        The most significant change first; without errors, the strongest band first. Empty where
        there are no bands.

    Raises
    ------
    ValueError
        If patterns, mask and background differ in size, the mask is empty, or patterns or
        background are not brighter than 0 all over it.

    Notes
    -----
    Errors take the pixels for independent, as noise is. What changes many pixels of a region
    together, such as a rotation within it, they do not count in full. What changes beside a band,
    closer than its width, counts as a change of that band: two regions whose orientations differ a
    little have the same bands.
    """
    check_same_frame(one, other, mask)
    screen = np.ones(mask.shape, np.float32) if background is None else background
    if screen.shape != mask.shape:
        raise ValueError(
            f"expected a static background of {mask.shape[0]} x {mask.shape[1]} pixels, as the "
            f"patterns have, found {' x '.join(map(str, screen.shape))}"
        )
    factor = -(-max(mask.shape) // _SIDE)
    inside = _binned(mask, factor) > 0.99
    patterns = [_Flat.of(average, screen, inside, factor) for average in (one, other)]
    first, second = (pattern.values for pattern in patterns)
    find = LineFinder(inside)
    seen = find((first + second) / 2)
    bands = [_measure(line, patterns, inside) for line in seen]
    for line in find(first - second, dark=True):
        band = _measure(line, patterns, inside)
        # Where all bands change, the dark gaps between them do, too.
        bright = sum(band.contrasts) > 0
        new = not any(find.same(line, known) for known in seen)
        if bright and new and abs(band.significance) > _BEYOND_CHANCE:
            bands.append(band)
    bands.sort(key=lambda band: -np.nan_to_num(abs(band.significance)))
    return [_enlarged(band, factor, mask.shape) for band in bands]


@dataclass(frozen=True, eq=False)
class _Flat:
    """A mean pattern and its variance, in parts of its background."""

    values: NDArray[np.float64]
    variance: NDArray[np.float64]

    @classmethod
    def of(
        cls, average: AveragePattern, screen: NDArray, inside: NDArray[np.bool_], factor: int
    ) -> _Flat:
        pattern, static = _binned(average.mean, factor), _binned(screen, factor)
        smooth = smooth_background(pattern / np.where(static > 0, static, 1), inside)
        background = np.where(inside, smooth * static, np.inf)
        if not (np.minimum(static, smooth)[inside] > 0).all():
            raise ValueError(
                "bands are measured relative to the background: expected mean patterns and a "
                "background as they were recorded, found intensities of 0 or less inside the "
                "signal mask"
            )
        variance = _binned(average.deviation.astype(np.float64) ** 2, factor)
        return cls(
            np.where(inside, pattern / background - 1, 0),
            variance / background**2 / (average.count * factor**2),
        )


def _binned(image: NDArray, factor: int) -> NDArray:
    """Means of whole squares of pixels; a rest at the right and the bottom is left out."""
    rows, cols = (length // factor for length in image.shape)
    return bin_to(image[None, : rows * factor, : cols * factor], (rows, cols))[0]


def _measure(line: Line, patterns: Sequence[_Flat], inside: NDArray[np.bool_]) -> Band:
    weights = line.contrast_weights(inside)
    one, other = (float(weights @ pattern.values[inside]) for pattern in patterns)
    variances = [float(weights**2 @ pattern.variance[inside]) for pattern in patterns]
    first, second = map(math.sqrt, variances)
    return Band(line, line.ends(inside), (one, other), (first, second))


def _enlarged(band: Band, factor: int, shape: tuple[int, ...]) -> Band:
    """A band of binned patterns in the pixels of the full ones, of a shape."""
    ends = (band.ends + 0.5) * factor - 0.5
    line = replace(band.line, rho=0.0, width=band.line.width * factor)
    # The middle, from which rho counts, is another where a rest was left out.
    rho = float(line.distances(ends[:, 0], ends[:, 1], shape).mean())
    return replace(band, line=replace(line, rho=rho), ends=ends)
