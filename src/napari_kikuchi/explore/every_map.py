"""What is worked out for each map of a stack."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.jobs import Job, Progress

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_kikuchi.maps import MapStack


def ask_every_map(
    stack: MapStack, figure: Callable[[int], ArrayLike], message: str
) -> Job[NDArray[np.float64]]:
    """Work a figure, or several, out for each map, one after another.

    Parameters
    ----------
    stack
        Of the maps.
    figure
        Of the map of an index: a number, or an array of one shape for all.
    message
        What is being done, for a person to read.

    Yields
    ------
    Progress
        Maps looked at.

    Returns
    -------
    numpy.ndarray
        Of shape (maps, ...).
    """
    found = []
    for channel in range(len(stack)):
        found.append(figure(channel))
        yield Progress(channel + 1, len(stack), message)
    return np.array(found, np.float64)
