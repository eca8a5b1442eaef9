"""A sample of what is too many to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def sample(count: int, size: int, seed: int = 0) -> NDArray[np.intp]:
    """Draw some of many things, spread over all of them.

    One is drawn at random from each of equal stretches: every k-th would be all that is seen of a
    structure that repeats itself, as many rows or columns apart.

    Parameters
    ----------
    count
        How many there are.
    size
        How many are wanted; all if there are fewer.
    seed
        The same seed draws the same ones.

    Returns
    -------
    numpy.ndarray
        Indices in order, each once, of shape (size,).
    """
    if count <= size:
        return np.arange(count)
    ends = np.linspace(0, count, size + 1).astype(np.intp)
    return np.random.default_rng(seed).integers(ends[:-1], ends[1:])
