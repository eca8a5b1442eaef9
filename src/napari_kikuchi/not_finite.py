"""Pixels without a finite number, as files of real numbers have them where a detector is dead."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Half the side of the square of which the median is taken, in pixels.
_AROUND = 2
# How often that is done, each time so much deeper into what is not finite.
_TIMES = 8
# Pixels whose squares are gathered at a time.
_GATHERED = 2**16


@dataclass(frozen=True)
class NotFinite:
    """How many pixels are not finite.

    Attributes
    ----------
    patterns
        That have such pixels.
    pixels
        Of all these patterns together.
    """

    patterns: int = 0
    pixels: int = 0

    @classmethod
    def of(cls, patterns: NDArray) -> NotFinite:
        """Those of patterns of shape (n, height, width)."""
        finite = finite_pixels(patterns)
        if finite.all():
            return cls()
        missing = np.count_nonzero(~finite, axis=(1, 2))
        return cls(int(np.count_nonzero(missing)), int(missing.sum()))

    def __add__(self, other: NotFinite) -> NotFinite:
        """Those of both."""
        return NotFinite(self.patterns + other.patterns, self.pixels + other.pixels)

    def numbers(self) -> tuple[int, ...]:
        """Patterns and pixels; nothing if there are none."""
        return astuple(self) if self.pixels else ()

    def record(self, fate: str) -> dict[str, Any]:
        """What the provenance says of them, fit for JSON; empty if there are none.

        Parameters
        ----------
        fate
            What became of them, to follow "pixels".
        """
        if not self.pixels:
            return {}
        return {"not_finite": {"patterns": self.patterns, "pixels": self.pixels, "fate": fate}}


ALL_FINITE = NotFinite()


def finite_pixels(patterns: NDArray) -> NDArray[np.bool_]:
    """Which pixels are finite, of the shape of the patterns."""
    if np.issubdtype(patterns.dtype, np.inexact):
        return np.isfinite(patterns)
    # Whole numbers are, and need no memory to say so.
    return np.broadcast_to(np.True_, patterns.shape)


def with_replaced(patterns: NDArray) -> NDArray:
    """Patterns whose pixels are all finite.

    Those that are not become the median of the finite ones in a square around them; far inside
    larger gaps, of what stands around by then, or in the end of the whole pattern; and 0 in a
    pattern that has none.

    Parameters
    ----------
    patterns
        Of shape (n, height, width); left as they are.

    Returns
    -------
    numpy.ndarray
        Of the same shape and type; the same array if all are finite.
    """
    finite = finite_pixels(patterns)
    if finite.all():
        return patterns
    whole = np.where(finite, patterns, patterns.dtype.type(np.nan))
    # Nothing is around there.
    whole[~finite.any(axis=(1, 2))] = 0
    for _ in range(_TIMES):
        places = np.argwhere(np.isnan(whole))
        if not len(places):
            return whole
        whole[tuple(places.T)] = _medians_around(whole, places)
    for pattern in whole:
        missing = np.isnan(pattern)
        pattern[missing] = np.median(pattern[~missing])
    return whole


def _medians_around(patterns: NDArray, places: NDArray[np.integer]) -> NDArray:
    """Of the finite pixels in the square around each place (n, 3); NaN where there are none."""
    side = 2 * _AROUND + 1
    edge = (_AROUND, _AROUND)
    padded = np.pad(patterns, ((0, 0), edge, edge), constant_values=np.nan)
    squares = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(1, 2))
    medians = np.empty(len(places), patterns.dtype)
    for start in range(0, len(places), _GATHERED):
        part = places[start : start + _GATHERED]
        # NaN is sorted behind all numbers.
        ordered = np.sort(squares[tuple(part.T)].reshape(len(part), -1), axis=1)
        count = np.count_nonzero(~np.isnan(ordered), axis=1)
        lower, upper = (
            np.take_along_axis(ordered, middle[:, None], axis=1)[:, 0]
            for middle in ((count - 1).clip(min=0) // 2, count // 2)
        )
        medians[start : start + len(part)] = lower / 2 + upper / 2
    return medians
