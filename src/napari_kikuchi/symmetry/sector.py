"""The part of the sphere that symmetry repeats: one triangle of the 48 of a cubic crystal.

In the Laue group m-3m the directions of a crystal are alike up to the order and the signs of their
components. With x ≥ y ≥ z ≥ 0 one of each remains: those in the triangle of [100], [110] and
[111]. Its coordinates are the angles of y and z from x, in units of 45°; equal steps of them are
nearly equal steps on the sphere.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Nodes along an edge: 1.1° apart.
SIDE = 41


def sector_rows(side: int = SIDE) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Row and column, in a square of that side, of the nodes inside the triangle."""
    return np.tril_indices(side)


def sector_directions(side: int = SIDE) -> NDArray[np.float64]:
    """Unit vectors of the nodes, of shape (side (side + 1) / 2, 3)."""
    rows, columns = sector_rows(side)
    y, z = (np.tan(np.pi / 4 * which / (side - 1)) for which in (rows, columns))
    vectors = np.stack([np.ones_like(y), y, z], axis=1)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def sector_weights(side: int = SIDE) -> NDArray[np.float64]:
    """Share of the triangle's solid angle around each node, of shape (nodes,); their sum is 1."""
    rows, columns = sector_rows(side)
    y, z = (np.tan(np.pi / 4 * which / (side - 1)) for which in (rows, columns))
    # Of dy dz / r³, with dy = (1 + y²) dφ.
    weights = (1 + y**2) * (1 + z**2) / (1 + y**2 + z**2) ** 1.5
    # Only a part of what surrounds a node lies inside, where an edge or two pass through it.
    weights[columns == 0] /= 2
    weights[rows == side - 1] /= 2
    weights[rows == columns] /= 2
    weights[(rows == columns) & ((rows == 0) | (rows == side - 1))] /= 2
    return weights / weights.sum()


def fold(directions: ArrayLike) -> NDArray[np.float64]:
    """Coordinates of directions once symmetry has brought them into the triangle.

    Parameters
    ----------
    directions
        In the axes of the crystal, of shape (..., 3); of any length.

    Returns
    -------
    numpy.ndarray
        Of shape (..., 2), from 0 to 1, the second no larger than the first.
    """
    ordered = np.sort(np.abs(directions), axis=-1)
    return np.arctan2(ordered[..., 1::-1], ordered[..., 2:]) / (np.pi / 4)


def as_square(intensities: ArrayLike, side: int = SIDE) -> NDArray[np.float32]:
    """Intensities at the nodes as a square that is symmetric about its diagonal.

    Parameters
    ----------
    intensities
        Of shape (..., nodes).

    Returns
    -------
    numpy.ndarray
        Of shape (..., side, side): beyond the triangle lies its mirror image.
    """
    values = np.asarray(intensities, np.float32)
    rows, columns = sector_rows(side)
    square = np.empty((*values.shape[:-1], side, side), np.float32)
    square[..., rows, columns] = square[..., columns, rows] = values
    return square


def at_nodes(squares: NDArray[Any]) -> NDArray[Any]:
    """Values at the nodes of squares, of shape (..., side, side); of shape (..., nodes)."""
    return squares[(..., *sector_rows(squares.shape[-1]))]


def standardised(intensities: ArrayLike, side: int = SIDE) -> NDArray[np.float32]:
    """Intensities with mean 0 and standard deviation 1 over the sphere.

    Parameters
    ----------
    intensities
        At the nodes, of shape (..., nodes).
    """
    weights = sector_weights(side)
    values: Any = np.asarray(intensities, np.float64)
    values = values - (values @ weights)[..., None]
    spread = np.sqrt(values**2 @ weights)[..., None]
    return (values / np.where(spread > 0, spread, 1)).astype(np.float32)
