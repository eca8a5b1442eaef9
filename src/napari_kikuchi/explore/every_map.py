"""One figure of each map of a stack."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.jobs import Job, Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.maps import MapStack


def ask_every_map(
    stack: MapStack, figure: Callable[[int], float], message: str
) -> Job[NDArray[np.float64]]:
    """Work one figure out for each map, one after another.

    Parameters
    ----------
    stack
        Of the maps.
    figure
        Of the map of an index.
    message
        What is being done, for a person to read.

    Yields
    ------
    Progress
        Maps looked at.

    Returns
    -------
    numpy.ndarray
        Of shape (maps,).
    """
    found = np.zeros(len(stack))
    for channel in range(len(stack)):
        found[channel] = figure(channel)
        yield Progress(channel + 1, len(stack), message)
    return found
