"""The part of the sphere that symmetry repeats: one square of the 24 of a cubic crystal.

In every cubic crystal the directions are alike up to the signs of their components and up to their
cyclic order. With x ≥ |y|, |z| and no sign negative one of each remains: those of a square with the
corners [100], [110], [111] and [101]. Its coordinates are the angles of y and z from x, in units of
45°; equal steps of them are nearly equal steps on the sphere. In the Laue class m-3m its diagonal
from [100] to [111] is a mirror: either triangle has all there is. In m-3 the axes x, y and z are no
mirror images of x, z and y; whichever of the two settings a crystal is described in, one is the
other's square with rows and columns exchanged.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Nodes along an edge: 1.1° apart.
SIDE = 41
#: Of the square.
NODES = SIDE * SIDE
# Below this spread, relative to the mean, intensities differ by rounding alone.
_ROUNDING = 1e-9


def sector_directions() -> NDArray[np.float64]:
    """Unit vectors of the nodes, row after row, of shape (nodes, 3)."""
    y, z = _slopes(SIDE)
    vectors = np.stack([np.ones_like(y), y, z], axis=1)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def sector_weights(side: int = SIDE) -> NDArray[np.float64]:
    """Share of the square's solid angle around each node, of shape (nodes,); their sum is 1."""
    y, z = _slopes(side)
    # Of dy dz / r³, with dy = (1 + y²) dφ.
    weights = (1 + y**2) * (1 + z**2) / (1 + y**2 + z**2) ** 1.5
    # Only half of what surrounds a node lies inside, where an edge passes through it.
    of_edge = np.ones(side)
    of_edge[[0, -1]] = 0.5
    weights *= np.outer(of_edge, of_edge).ravel()
    return weights / weights.sum()


def triangle(side: int = SIDE) -> NDArray[np.bool_]:
    """Which nodes lie in the triangle of [100], [110] and [111], of shape (nodes,)."""
    return np.tri(side, dtype=bool).ravel()


def fold(directions: ArrayLike) -> NDArray[np.float64]:
    """Coordinates of directions once symmetry has brought them into the square.

    Parameters
    ----------
    directions
        In the axes of the crystal, of shape (..., 3); of any length.

    Returns
    -------
    numpy.ndarray
        Of shape (..., 2), from 0 to 1.
    """
    lengths = np.abs(directions)
    order = (lengths.argmax(axis=-1)[..., None] + np.arange(3)) % 3
    turned = np.take_along_axis(lengths, order, axis=-1)
    return np.arctan2(turned[..., 1:], turned[..., :1]) / (np.pi / 4)


def as_square(intensities: ArrayLike) -> NDArray[np.float32]:
    """Intensities at the nodes, of shape (..., nodes), as squares, of shape (..., side, side)."""
    values = np.asarray(intensities, np.float32)
    side = round(values.shape[-1] ** 0.5)
    return np.ascontiguousarray(values.reshape(*values.shape[:-1], side, side))


def at_nodes(squares: NDArray[Any]) -> NDArray[Any]:
    """Values at the nodes of squares, of shape (..., side, side); of shape (..., nodes)."""
    return squares.reshape(*squares.shape[:-2], -1)


def mirrored(values: NDArray[Any]) -> NDArray[Any]:
    """Values at the nodes as they are in the other setting, of shape (..., nodes)."""
    side = round(values.shape[-1] ** 0.5)
    squares = values.reshape(*values.shape[:-1], side, side)
    return at_nodes(np.ascontiguousarray(squares.swapaxes(-1, -2)))


def from_triangle(intensities: NDArray[Any]) -> NDArray[Any]:
    """Intensities at all nodes of a crystal of m-3m, from those of its :func:`triangle`.

    Parameters
    ----------
    intensities
        Of shape (..., nodes of the triangle).
    """
    side = round((2 * intensities.shape[-1]) ** 0.5 - 0.5)
    rows, columns = np.tril_indices(side)
    squares = np.empty((*intensities.shape[:-1], side, side), intensities.dtype)
    squares[..., rows, columns] = squares[..., columns, rows] = intensities
    return at_nodes(squares)


def standardised(intensities: ArrayLike) -> NDArray[np.float32]:
    """Intensities with mean 0 and standard deviation 1 over the sphere.

    Parameters
    ----------
    intensities
        At the nodes, of shape (..., nodes).
    """
    values: Any = np.asarray(intensities, np.float64)
    weights = sector_weights(round(values.shape[-1] ** 0.5))
    mean = (values @ weights)[..., None]
    spread = np.sqrt((values - mean) ** 2 @ weights)[..., None]
    flat = spread <= _ROUNDING * np.abs(mean)
    return np.where(flat, 0, (values - mean) / np.where(flat, 1, spread)).astype(np.float32)


def _slopes(side: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Components y and z of each node's direction where x is 1."""
    steps = np.tan(np.linspace(0, np.pi / 4, side))
    y, z = np.meshgrid(steps, steps, indexing="ij")
    return y.ravel(), z.ravel()
