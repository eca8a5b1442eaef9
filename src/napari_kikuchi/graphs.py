"""What hangs together: positions, grains or basins that are joined in pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def connected(
    one: NDArray[np.integer], other: NDArray[np.integer], count: int
) -> NDArray[np.int32]:
    """Number what pairs join, each with what it is joined to by others.

    Parameters
    ----------
    one, other
        The two of each pair, of shape (pairs,).
    count
        How many there are, which are counted from 0.

    Returns
    -------
    numpy.ndarray
        Number of the part in which each lies, from 0, of shape (count,).
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(one), bool), (one, other)), shape=(count, count))
    return connected_components(graph, directed=False)[1]
