"""Profiles across the bands of a cubic crystal, from its square.

All planes of a family, such as {111}, have one profile: the mean intensity at each angle from the
plane, around the whole sphere. Where it falls are the band's edges, at Bragg's angles of the first
orders that the lattice allows. On a logarithmic axis of angles a longer cell or a higher voltage
moves the profiles of all families alike, and changes nothing else. In Laue class m-3 planes such as
(210) and (120) are of two families.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.symmetry.sector import NODES, SIDE, fold, mirrored

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Those whose bands are seen: the shortest normals.
FAMILIES = (
    (1, 0, 0), (1, 1, 0), (1, 1, 1), (2, 1, 0), (2, 1, 1), (2, 2, 1), (3, 1, 0), (3, 1, 1),
    (3, 2, 0), (3, 2, 1), (3, 2, 2), (3, 3, 1), (3, 3, 2), (4, 1, 0), (4, 1, 1),
)  # fmt: skip
#: Of these the ones that are two in Laue class m-3: no cyclic order of them is the reverse one.
TWINS = tuple(one for one in FAMILIES if len(set(one)) == 3)
# In degrees: from less than the distance of two nodes to half the widest bands.
_ANGLES = (0.4, 16.0)
#: Angles of a profile.
STEPS = 56
# Around the sphere: closer than nodes are.
_AROUND = 240


@lru_cache(maxsize=1)
def band_profiles() -> NDArray[np.float32]:
    """Weights of the nodes in each mean over both settings, of shape (families * steps, nodes)."""
    weights = _profiles(FAMILIES)
    return (weights + mirrored(weights)) / 2


@lru_cache(maxsize=1)
def twin_profiles() -> NDArray[np.float32]:
    """Weights of the nodes for :data:`TWINS` in one setting, of shape (twins * steps, nodes).

    Those of the other families are the same of :func:`~napari_kikuchi.symmetry.sector.mirrored`
    values.
    """
    return _profiles(TWINS)


def _profiles(families: tuple[tuple[int, int, int], ...]) -> NDArray[np.float32]:
    turns = 2 * np.pi * (np.arange(_AROUND) + 0.5) / _AROUND
    weights = np.zeros((len(families), STEPS, NODES))
    for family, of_family in zip(families, weights, strict=True):
        normal = np.array(family) / np.linalg.norm(family)
        first = np.linalg.svd(normal[None])[2][1]
        circle = np.outer(np.cos(turns), first) + np.outer(np.sin(turns), np.cross(normal, first))
        for angle, of_angle in zip(band_angles(), of_family, strict=True):
            places = fold(np.cos(angle) * circle + np.sin(angle) * normal) * (SIDE - 1)
            corner = np.minimum(places.astype(int), SIDE - 2)
            down, right = (places - corner).T
            for i, of_row in enumerate((1 - down, down)):
                for j, of_column in enumerate((1 - right, right)):
                    node = (corner[:, 0] + i) * SIDE + corner[:, 1] + j
                    np.add.at(of_angle, node, of_row * of_column / _AROUND)
    return weights.reshape(-1, NODES).astype(np.float32)


def band_angles() -> NDArray[np.float64]:
    """Angles of a profile from its plane, in radians, of shape (steps,)."""
    return np.deg2rad(np.geomspace(*_ANGLES, STEPS))
