"""Colours of the crystal directions that lie along directions of the sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from napari_kikuchi.explore.misorientations import BATCH
from napari_kikuchi.explore.orientations import OrientationMap

if TYPE_CHECKING:
    from numpy.typing import NDArray

Axis = Literal["x", "y", "z"]

_AXES: dict[Axis, tuple[int, int, int]] = {"x": (1, 0, 0), "y": (0, 1, 0), "z": (0, 0, 1)}


def ipf_colours(orientations: OrientationMap, along: Axis = "z") -> NDArray[np.float64]:
    """Colour of the crystal direction that lies along an axis of the sample.

    The colours are those of the usual inverse pole figure key (TSL) of each phase's symmetry, as
    orix has it.

    Parameters
    ----------
    orientations
        Of the scan.
    along
        ``"z"`` is the surface's normal (ND).

    Returns
    -------
    numpy.ndarray
        Red, green and blue between 0 and 1, of shape (3, rows, columns); NaN where there is no
        orientation.
    """
    from orix.plot import IPFColorKeyTSL
    from orix.quaternion import Orientation
    from orix.vector import Vector3d

    flat = orientations.quaternions.reshape(-1, 4)
    out = np.full((len(flat), 3), np.nan)
    for symmetry, inside in orientations.each_phase():
        key = IPFColorKeyTSL(symmetry.laue, Vector3d(_AXES[along]))
        where = np.flatnonzero(inside)
        for start in range(0, len(where), BATCH):
            part = where[start : start + BATCH]
            out[part] = key.orientation2color(Orientation(flat[part], symmetry=symmetry.laue))
    return out.T.reshape(3, *orientations.map_shape)
