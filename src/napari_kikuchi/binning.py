"""Averaging patterns down by whole factors.

Compiled, and not numpy's: a dozen sums of small arrays hold the interpreter so often that two
threads prepare patterns hardly faster than one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray


def bin_by_factors(patterns: NDArray, size: tuple[int, int]) -> NDArray[np.float32]:
    """Means over rectangles of pixels.

    Parameters
    ----------
    patterns
        Of shape (n, height, width); height and width are multiples of those of ``size``.
    size
        Height and width wanted.

    Returns
    -------
    numpy.ndarray
        Of shape (n, *size).
    """
    out = np.empty((len(patterns), *size), np.float32)
    # One compiled function for each type of pixel, wherever the patterns come from; those that
    # numba does not know, such as float16, are among the floating ones.
    floating = patterns.dtype.kind == "f"
    native = np.dtype(np.float32) if floating else patterns.dtype.newbyteorder("=")
    _bin(np.ascontiguousarray(patterns, native), out)
    return out


@njit(nogil=True, cache=True)
def _bin(patterns, out):
    _, height, width = patterns.shape
    count, rows, cols = out.shape
    tall, wide = height // rows, width // cols
    area = np.float32(tall * wide)
    line = np.empty(width, np.float32)
    total = np.empty(cols, np.float32)
    for i in range(count):
        for row in range(rows):
            line[:] = 0
            for y in range(row * tall, (row + 1) * tall):
                for x in range(width):
                    line[x] += np.float32(patterns[i, y, x])
            # All first pixels, then all second ones: so the processor adds several at a time.
            total[:] = 0
            for k in range(wide):
                for col in range(cols):
                    total[col] += line[col * wide + k]
            for col in range(cols):
                out[i, row, col] = total[col] / area
