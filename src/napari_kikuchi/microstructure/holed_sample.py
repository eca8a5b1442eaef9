"""A map of grains as one is often measured: with points that were not indexed, and a scratch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.explore.orientations import OrientationMap
from napari_kikuchi.maps import MapStack
from napari_kikuchi.microstructure.maps import cubic_phases, grain_maps, polycrystal_orientations
from napari_kikuchi.microstructure.polycrystal import PolycrystalSettings, Volume

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS, COLS = 96, 128
_SETTINGS = PolycrystalSettings("recrystallised", diameter=7, spread=0.3, fraction=0.3)
_STEP = 0.5
_SEED = 4
# Share of the points that are not indexed: at boundaries, where patterns of two grains lie over
# each other, and elsewhere.
_AT_BOUNDARIES, _ELSEWHERE = 0.15, 0.005
# Row and column of a pore, and its radius; ends of a scratch, and half of its width.
_PORE, _RADIUS = (30, 92), 9
_SCRATCH, _HALF_WIDTH = ((58, 14), (82, 78)), 2


def holed_maps() -> MapStack:
    """Maps of two cubic phases on 96 x 128 points, some of which were not indexed."""
    plane = Volume(_SETTINGS, COLS, _SEED).slice(2, 0.5)
    whole = polycrystal_orientations(plane)
    part = slice(0, ROWS)
    holes = _holes(plane.grains[part])
    orientations = OrientationMap(
        np.where(holes[..., None], np.nan, whole.quaternions[part]),
        whole.symmetries,
        np.where(holes, 0, whole.numbers[part]),
    )
    told = {"method": "polycrystal", "scan": None, "seed": _SEED}
    return grain_maps(orientations, cubic_phases(), told, step=(_STEP, _STEP))


def _holes(grains: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Where nothing is indexed."""
    rng = np.random.default_rng(_SEED)
    boundary = np.zeros(grains.shape, bool)
    boundary[1:] |= grains[1:] != grains[:-1]
    boundary[:, 1:] |= grains[:, 1:] != grains[:, :-1]
    missing = rng.random(grains.shape) < np.where(boundary, _AT_BOUNDARIES, _ELSEWHERE)
    places = np.moveaxis(np.indices(grains.shape), 0, -1).astype(np.float64)
    pore = np.linalg.norm(places - _PORE, axis=-1) < _RADIUS
    start, end = np.array(_SCRATCH, np.float64)
    along = (places - start) @ (end - start) / ((end - start) @ (end - start))
    nearest = start + along.clip(0, 1)[..., None] * (end - start)
    return missing | pore | (np.linalg.norm(places - nearest, axis=-1) <= _HALF_WIDTH)
