"""Places on maps: positions that are marked, painted or drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class PlacesError(ValueError):
    """Places of which nothing can be told."""


def check_place(place: NDArray[np.intp], shape: tuple[int, ...]) -> None:
    """Check that a place holds positions of maps.

    Parameters
    ----------
    place
        Positions (n, 2), row and column.
    shape
        Rows and columns of the maps.

    Raises
    ------
    PlacesError
        If it is empty, or reaches beyond the maps.
    """
    if not len(place):
        raise PlacesError("a place is empty: mark some positions on the maps")
    if (place < 0).any() or (place >= shape).any():
        raise PlacesError(
            f"a place reaches beyond the maps, which have {shape[0]} x {shape[1]} positions: mark "
            "it on these maps"
        )


def box_around(
    place: NDArray[np.intp], shape: tuple[int, ...], reach: int = 0
) -> tuple[slice, slice]:
    """Rows and columns that hold a place and what is within reach of it, as far as the maps go."""
    low = np.maximum(place.min(axis=0) - reach, 0)
    high = np.minimum(place.max(axis=0) + reach + 1, shape)
    return slice(low[0], high[0]), slice(low[1], high[1])
