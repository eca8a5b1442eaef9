"""Patterns beside those of their neighbours: what overlap explains, and what it does not.

The electrons of one position come in part from its neighbours. At a grain boundary two patterns
mix and take each other's contrast, as a dislocation wall takes it; so a map of contrast shows both
alike. But the mixture is known: from the neighbours' patterns it can be put together, and what it
loses be taken out. What no mixture of the neighbours gives is new: a particle, a thin twin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Positions whose neighbours' patterns are held side by side.
_CHUNK = 64
# Rounds of coordinate descent; the mixture of eight patterns hardly changes after a few.
_ROUNDS = 30
# Reward of a weight: of mixtures that fit alike, that of the purest patterns is taken. Along a
# boundary the neighbours are mixtures, too.
_PURER = 0.01
AROUND = tuple((down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if down or right)


def compare_neighbours(
    read_row: Callable[[int], NDArray], rows: range, count: int
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Put the pattern of every position together from those of its eight neighbours.

    Parameters
    ----------
    read_row
        Patterns of a row, of shape (columns, pixels), free of noise as far as can be; NaN where
        there is none. Each row is read once.
    rows
        Those to look at, one after another.
    count
        How many rows the map has.

    Yields
    ------
    kept, unexplained
        Of each row, of shape (columns,). The part of the contrast that is left when the neighbours'
        patterns, each of unit contrast, are mixed as they come closest to the pattern: 1 inside a
        grain, less where different ones overlap, and 1 again where no mixture explains the pattern.
        And the part of the pattern that no mixture gives: 0 where neighbours explain all, 1 where
        they explain nothing. NaN without a pattern, or without a neighbour.
    """
    for above, here, below in _in_threes(read_row, rows, count):
        yield _compare_row(above, here, below)


def mixture(
    shapes: NDArray[np.float32], pattern: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The mixture of some patterns that comes closest to another, by non-negative least squares.

    Parameters
    ----------
    shapes
        Of unit norm, of shape (n, patterns, pixels).
    pattern
        Of unit norm, of shape (n, pixels).

    Returns
    -------
    kept, unexplained
        Norm of the mixture whose weights sum to 1, and norm of what it leaves of the pattern at
        the weights that fit best. Of shape (n,).
    """
    products = shapes @ shapes.transpose(0, 2, 1)
    wanted = (shapes @ pattern[:, :, None])[:, :, 0]
    count = shapes.shape[1]
    weights = np.full(wanted.shape, 1 / count, np.float32)
    for _ in range(_ROUNDS):
        for one in range(count):
            others = (products[:, one] * weights).sum(axis=1) - weights[:, one]
            weights[:, one] = np.maximum(wanted[:, one] - others + _PURER, 0)
    mixed = (weights[:, None] @ shapes)[:, 0]
    total = weights.sum(axis=1)
    kept = np.linalg.norm(mixed, axis=1) / np.where(total > 0, total, np.inf)
    return kept, np.linalg.norm(pattern - mixed, axis=1)


def _in_threes(
    read_row: Callable[[int], NDArray], rows: range, count: int
) -> Iterator[tuple[NDArray | None, NDArray, NDArray | None]]:
    """Each row's unit patterns with those of the rows above and below it."""
    above = unit_patterns(read_row(rows.start - 1)) if rows.start > 0 else None
    here = unit_patterns(read_row(rows.start))
    for row in rows:
        below = unit_patterns(read_row(row + 1)) if row + 1 < count else None
        yield above, here, below
        if below is not None:
            above, here = here, below


def unit_patterns(patterns: NDArray) -> NDArray[np.float32]:
    """Patterns without their mean, of unit norm; NaN where there is no pattern or no contrast."""
    return unit_vectors(patterns - patterns.mean(axis=1, keepdims=True))


def unit_vectors(vectors: NDArray) -> NDArray[np.float32]:
    """Vectors (n, length) of unit norm; NaN where there is none."""
    norm = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(norm > 0, norm, np.nan)).astype(np.float32)


def _compare_row(
    above: NDArray | None, here: NDArray, below: NDArray | None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    cols = len(here)
    absent = np.full_like(here, np.nan)
    # A column that is not there on either side.
    lines = [
        np.pad(absent if line is None else line, ((1, 1), (0, 0)), constant_values=np.nan)
        for line in (above, here, below)
    ]
    found = []
    for start in range(0, cols, _CHUNK):
        stop = min(start + _CHUNK, cols)
        around = np.stack(
            [lines[1 + down][1 + right + start : 1 + right + stop] for down, right in AROUND],
            axis=1,
        )
        found.append(compare_with(around, here[start:stop]))
    kept, unexplained = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return kept, unexplained


def compare_with(
    around: NDArray[np.float32], patterns: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Put patterns together from some others each.

    Parameters
    ----------
    around
        Of unit norm, of shape (n, others, pixels); NaN where there is none.
    patterns
        Of unit norm, of shape (n, pixels); NaN where there is none.

    Returns
    -------
    kept, unexplained
        As :func:`compare_neighbours` returns them, of shape (n,).
    """
    there = np.isfinite(around[:, :, 0])
    asked = there.any(axis=1) & np.isfinite(patterns[:, 0])
    # A neighbour that is missing is stood in for by one that is not: no mixture is changed.
    stand_in = np.where(there, np.arange(there.shape[1]), there.argmax(axis=1)[:, None])
    around = np.take_along_axis(around, stand_in[:, :, None], axis=1)
    kept = np.full(len(patterns), np.nan, np.float32)
    unexplained = kept.copy()
    mixed, left = mixture(around[asked], patterns[asked])
    # What the mixture does not explain tells nothing of an overlap.
    kept[asked] = 1 - (1 - left**2) * (1 - mixed)
    unexplained[asked] = left
    return kept, unexplained
