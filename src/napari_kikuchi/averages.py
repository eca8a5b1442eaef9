"""Mean patterns of parts of a scan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.preprocess import read_batches
from napari_kikuchi.scan import Scan

if TYPE_CHECKING:
    from numpy.typing import NDArray


def mean_pattern(scan: Scan, positions: NDArray[np.integer]) -> Job[NDArray[np.float32]]:
    """Average the patterns at some positions, as those of a region.

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
    numpy.ndarray
        Mean of the patterns at those positions that have one, of shape (height, width).

    Raises
    ------
    ValueError
        If none has.
    """
    if scan.present is not None:
        positions = positions[scan.present[tuple(np.transpose(positions))]]
    if len(positions) == 0:
        raise ValueError(f"{scan.name}: there is no pattern to average at these positions")
    total = np.zeros(scan.pattern_shape, np.float64)
    done = 0
    for patterns in read_batches(scan, positions):
        total += patterns.sum(axis=0, dtype=np.float64)
        done += len(patterns)
        yield Progress(done, len(positions), "Averaging patterns")
    return (total / len(positions)).astype(np.float32)
