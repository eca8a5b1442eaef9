"""What maps of grains hold, counted: to be told in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_kikuchi.io.indexed import PHASE
from napari_kikuchi.microstructure.descriptors import grain_diameters
from napari_kikuchi.microstructure.maps import FILLED_IN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.maps import MapStack

_GRAIN = "grain"


class FilledIn(NamedTuple):
    """What was filled in.

    Attributes
    ----------
    points, of
        Those that nobody has measured, and all of the map.
    grains, new
        Those that the filled-in points belong to, and how many of these no one has measured at all.
    """

    points: int
    of: int
    grains: int
    new: int


class GrainCount(NamedTuple):
    """The grains of a map.

    Attributes
    ----------
    grains
        How many there are.
    diameter
        Mean diameter of circles as large as they, in µm.
    second
        Share of the points of the second phase.
    """

    grains: int
    diameter: float
    second: float


def count_filled(stack: MapStack) -> FilledIn:
    """Count what was filled in.

    Parameters
    ----------
    stack
        See :func:`~napari_kikuchi.microstructure.scan_filling.fill_maps`.
    """
    filled, grain = _map(stack, FILLED_IN) > 0, _map(stack, _GRAIN)
    touched = np.unique(grain[filled])
    new = np.setdiff1d(touched, grain[~filled])
    return FilledIn(int(filled.sum()), filled.size, len(touched), len(new))


def count_grains(stack: MapStack) -> GrainCount:
    """Count grains.

    Parameters
    ----------
    stack
        See :func:`~napari_kikuchi.microstructure.maps.grain_maps`.
    """
    diameters = grain_diameters(_map(stack, _GRAIN).astype(np.int64) - 1)
    side = float(np.sqrt(np.prod(stack.step)))
    second = float((_map(stack, PHASE) == 2).mean())
    return GrainCount(len(diameters), side * float(diameters.mean()), second)


def _map(stack: MapStack, name: str) -> NDArray:
    return stack.map(stack.names.index(name))
