"""Average patterns of parts of a scan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.not_finite import with_replaced
from napari_kikuchi.scan import Scan
from napari_kikuchi.unreadable import PatternReading

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Averaged at a time: 8 MB. One pattern after another would keep the window waiting for Python.
_PIXELS = 10**6


@dataclass(frozen=True, eq=False)
class AveragePattern:
    """What some patterns are on average, and how much they differ.

    Attributes
    ----------
    mean
        Of shape (height, width).
    deviation
        Standard deviation of each pixel, of the same shape, with each pattern taken to the mean
        brightness of all: what the beam does to all pixels alike is no difference between
        patterns, and would hide that their mean is known well. NaN for a single pattern.
    count
        Patterns averaged.
    """

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]
    count: int


def average_pattern(scan: Scan, positions: NDArray[np.integer]) -> Job[AveragePattern]:
    """Average the patterns at some positions, as those of a region, and measure their spread.

    Parameters
    ----------
    scan
        Whose patterns to average.
    positions
        Row and column of each pattern, of shape (n, 2).

    Yields
    ------
    Progress
        Patterns read so far.

    Returns
    -------
    AveragePattern
        Of those positions that have a pattern which can be read. A pixel that is not finite counts
        as those around it.

    Raises
    ------
    ValueError
        If none has a pattern.
    UnreadableScanError
        If none of the patterns can be read.

    Warns
    -----
    JobWarning
        If some cannot be read; the mean goes without them.

    Notes
    -----
    Patterns are read once: the spread is brought up to date with some of them at a time (Chan,
    Golub and LeVeque 1983, The American Statistician 37, 242), which loses no digits however bright
    they are.
    """
    if scan.present is not None:
        positions = positions[scan.present[tuple(np.transpose(positions))]]
    if len(positions) == 0:
        raise ValueError(f"{scan.name}: there is no pattern to average at these positions")
    total, typical, squares = np.zeros((3, *scan.pattern_shape), np.float64)
    some = max(1, _PIXELS // total.size)
    done = 0
    reading = PatternReading(scan, positions)
    for patterns in reading:
        for start in range(0, len(patterns), some):
            part = with_replaced(patterns[start : start + some]).astype(np.float64)
            total += part.sum(axis=0)
            brightness = part.mean(axis=(1, 2), keepdims=True)
            part /= np.where(brightness, brightness, 1.0)
            middle = part.mean(axis=0)
            part -= middle
            apart, count = middle - typical, done + len(part)
            squares += np.square(part, out=part).sum(axis=0)
            squares += apart**2 * (done * len(part) / count)
            typical += apart * (len(part) / count)
            done = count
        yield Progress(reading.done, len(positions), "Averaging patterns")
    reading.check()
    reading.warn("the mean")
    mean = total / done
    variance = squares / (done - 1) if done > 1 else np.full_like(squares, np.nan)
    deviation = np.sqrt(variance) * mean.mean()
    return AveragePattern(mean.astype(np.float32), deviation.astype(np.float32), done)


def mean_pattern(scan: Scan, positions: NDArray[np.integer]) -> Job[NDArray[np.float32]]:
    """Mean of the patterns at some positions, see :func:`average_pattern`."""
    return (yield from average_pattern(scan, positions)).mean


def check_same_frame(one: AveragePattern, other: AveragePattern, mask: NDArray[np.bool_]) -> None:
    """Check that two averages can be held against each other inside a signal mask.

    Raises
    ------
    ValueError
        If they or the mask differ in size, or the mask is empty.
    """
    if not one.mean.shape == other.mean.shape == mask.shape:
        first, second, third = (
            " x ".join(map(str, image.shape)) for image in (one.mean, other.mean, mask)
        )
        raise ValueError(
            "expected two mean patterns and a signal mask of one size, found patterns of "
            f"{first} and {second} pixels and a mask of {third}: take all from one scan"
        )
    if not mask.any():
        raise ValueError("the signal mask is empty: no pixel is left to compare the patterns by")
