"""Which of several fills is the most typical one.

What lies in a hole is a matter of chance: one fill may have far more of the second phase than the
map around it lets expect. The one that is least unlike all the others is nearest to what can be
expected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.microstructure.descriptors import two_point

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Of the vectors of the correlation, in pixels: beyond, grains know nothing of each other.
_REACH = 32


def most_typical(phases: NDArray[np.bool_]) -> Job[int]:
    """Find the map whose two-point correlation is least unlike those of the others.

    Parameters
    ----------
    phases
        Where the second phase is in each map, of shape (n, rows, columns).

    Yields
    ------
    Progress
        Maps that were looked at.

    Returns
    -------
    int
        Its index.
    """
    reach = min(_REACH, *(side // 2 for side in phases.shape[1:]))
    correlations = np.empty((len(phases), (2 * reach + 1) ** 2))
    for number, one in enumerate(phases):
        yield Progress(number, len(phases), "Choosing the most typical one")
        # The vector 0 among the others tells the fraction.
        correlations[number] = two_point(one, reach).ravel()
    apart = [np.abs(correlations - one).mean(axis=1).sum() for one in correlations]
    return int(np.argmin(apart))
