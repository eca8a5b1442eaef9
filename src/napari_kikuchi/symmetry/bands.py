"""Profiles across the bands of a cubic crystal, from its triangle.

All planes of a family, such as {111}, have one profile: the mean intensity at each angle from the
plane, around the whole sphere. Where it falls are the band's edges, at Bragg's angles of the first
orders that the lattice allows. On a logarithmic axis of angles a longer cell or a higher voltage
moves the profiles of all families alike, and changes nothing else.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.symmetry.sector import SIDE, fold, sector_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Those whose bands are seen: the shortest normals.
FAMILIES = (
    (1, 0, 0), (1, 1, 0), (1, 1, 1), (2, 1, 0), (2, 1, 1), (2, 2, 1), (3, 1, 0), (3, 1, 1),
    (3, 2, 0), (3, 2, 1), (3, 2, 2), (3, 3, 1), (3, 3, 2), (4, 1, 0), (4, 1, 1),
)  # fmt: skip
# In degrees: from less than the distance of two nodes to half the widest bands.
_ANGLES = (0.4, 16.0)
#: Angles of a profile.
STEPS = 56
# Around the sphere: closer than nodes are.
_AROUND = 240


@lru_cache(maxsize=2)
def band_profiles(side: int = SIDE) -> NDArray[np.float32]:
    """Weights of the nodes in each mean, of shape (families * steps, nodes)."""
    rows, columns = sector_rows(side)
    number = np.empty((side, side), np.int64)
    number[rows, columns] = number[columns, rows] = np.arange(len(rows))
    turns = 2 * np.pi * (np.arange(_AROUND) + 0.5) / _AROUND
    weights = np.zeros((len(FAMILIES), STEPS, len(rows)))
    for family, of_family in zip(FAMILIES, weights, strict=True):
        normal = np.array(family) / np.linalg.norm(family)
        first = np.linalg.svd(normal[None])[2][1]
        circle = np.outer(np.cos(turns), first) + np.outer(np.sin(turns), np.cross(normal, first))
        for angle, of_angle in zip(band_angles(), of_family, strict=True):
            places = fold(np.cos(angle) * circle + np.sin(angle) * normal) * (side - 1)
            corner = np.minimum(places.astype(int), side - 2)
            down, right = (places - corner).T
            for i, of_row in enumerate((1 - down, down)):
                for j, of_column in enumerate((1 - right, right)):
                    node = number[corner[:, 0] + i, corner[:, 1] + j]
                    np.add.at(of_angle, node, of_row * of_column / _AROUND)
    return weights.reshape(-1, len(rows)).astype(np.float32)


def band_angles() -> NDArray[np.float64]:
    """Angles of a profile from its plane, in radians, of shape (steps,)."""
    return np.deg2rad(np.geomspace(*_ANGLES, STEPS))
