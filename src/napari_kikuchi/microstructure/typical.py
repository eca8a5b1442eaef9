"""Which of several fills is the most typical one.

What lies in a hole is a matter of chance: one fill may have far more of the second phase than the
map around it lets expect. The one that is least unlike all the others is nearest to what can be
expected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.microstructure.descriptors import two_point

if TYPE_CHECKING:
    from numpy.typing import NDArray


def most_typical(phases: NDArray[np.bool_]) -> int:
    """Index of the map whose two-point correlation is least unlike those of the others.

    Parameters
    ----------
    phases
        Where the second phase is in each map, of shape (n, rows, columns).
    """
    # The vector 0 among the others tells the fraction.
    correlations = np.stack([two_point(one).ravel() for one in phases])
    apart = np.abs(correlations[:, None] - correlations).mean(axis=2)
    return int(apart.sum(axis=1).argmin())
