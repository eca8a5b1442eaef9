"""Mean patterns of parts of a scan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.preprocess import BATCH
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
    for start in range(0, len(positions), BATCH):
        patterns = scan.read_positions(positions[start : start + BATCH])
        total += patterns.sum(axis=0, dtype=np.float64)
        yield Progress(start + len(patterns), len(positions), "Averaging patterns")
    return (total / len(positions)).astype(np.float32)
