"""What the colours of inverse pole figures mean: each crystal direction in its colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.explore.orientation_readings import nearest_axis

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Along the longer side.
_PIXELS = 160
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class ColourKey:
    """The directions that differ by symmetry, in stereographic projection.

    Attributes
    ----------
    colours
        Red, green, blue and opacity of shape (height, width, 4), the lowest row first; transparent
        where there is no direction of these.
    extent
        Left, right, bottom and top of the picture in the projection, of which the unit circle is
        the equator.
    outline
        Places around these directions, of shape (n, 2).
    corners
        Place and indices of each direction between which the others lie.
    """

    colours: NDArray[np.float64]
    extent: tuple[float, float, float, float]
    outline: NDArray[np.float64]
    corners: list[tuple[tuple[float, float], tuple[int, int, int]]]


def colour_key(symmetry: Any, phase: Any) -> ColourKey:
    """The key of a phase: that of TSL, as :func:`.ipf_colours` has it.

    Parameters
    ----------
    symmetry
        Laue group of the phase.
    phase
        orix's ``Phase``, of which the lattice names the corners.
    """
    from orix.plot.direction_color_keys import DirectionColorKeyTSL
    from orix.vector import Vector3d

    laue = symmetry.laue
    sector = laue.fundamental_sector
    # Not all of orix's are of length 1.
    x, y = _projected(sector.edges.unit.data)
    finest = max(np.ptp(x), np.ptp(y)) / _PIXELS
    across, up = (np.arange(one.min(), one.max() + finest, finest) for one in (x, y))
    directions = _directions(*np.meshgrid(across, up))
    inside = np.asarray(Vector3d(directions) <= sector).reshape(directions.shape[:2])
    inside &= directions[..., 2] > -_ROUNDING
    rows, cols = (np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
    part = np.ix_(rows, cols)
    directions, inside = directions[part], inside[part]
    colours = np.zeros((*inside.shape, 4))
    colours[inside, :3] = DirectionColorKeyTSL(laue).direction2color(Vector3d(directions[inside]))
    colours[inside, 3] = 1
    base = phase.structure.lattice.base
    corners = [
        ((float(a), float(b)), nearest_axis(vertex, base)[0])
        for vertex, a, b in zip(
            sector.vertices.data, *_projected(sector.vertices.data), strict=True
        )
    ]
    extent = (across[cols[0]], across[cols[-1]], up[rows[0]], up[rows[-1]])
    return ColourKey(colours, extent, _around(np.stack([x, y], axis=1)), corners)


def _projected(directions: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, y, z = np.asarray(directions, np.float64).T
    return x / (1 + z), y / (1 + z)


def _around(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places on the edge of a part of the sphere, in the order in which they follow each other."""
    away = places - places.mean(axis=0)
    return places[np.argsort(np.arctan2(away[:, 1], away[:, 0]))]


def _directions(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit vectors of places of the projection, of shape (height, width, 3)."""
    squared = x**2 + y**2
    return np.stack([2 * x, 2 * y, 1 - squared], axis=-1) / (1 + squared)[..., None]
