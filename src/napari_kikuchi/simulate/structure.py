"""Microstructures as maps of truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.spatial.transform import Rotation

from napari_kikuchi.maps import Channel, MapStack

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Larger whole numbers are not exact in float32.
_EXACT_IN_FLOAT32 = 2**24


@dataclass(frozen=True, eq=False)
class Structure:
    """What lies under each position of a scan. Maps have the shape (rows, columns).

    Attributes
    ----------
    kind
        Such as ``"wrought"`` or ``"additive"``.
    step
        Distance between rows and between columns, in µm.
    orientations
        Unit quaternions of shape (rows, columns, 4), scalar first, that turn the sample's frame
        into the crystal's. Rows of the scan run along the sample's x (RD), columns along y (TD).
    grain
        Number of the grain, from 1.
    cell
        Number of the cell, from 1; 0 where there are none.
    wall
        Strength of the cell wall, from 0 inside a cell to 1 in the middle of a wall.
    particle
        Number of the particle of a second phase, from 1; 0 in the matrix.
    twin
        Number of the twin lamella, from 1; 0 in the parent.
    blur
        Standard deviation of the blur of the pattern, in pixels of a pattern 480 pixels high.
    contrast
        Band contrast relative to that of a perfect crystal.
    settings
        What made the structure, fit for JSON.
    """

    kind: str
    step: tuple[float, float]
    orientations: NDArray[np.float32]
    grain: NDArray[np.int32]
    cell: NDArray[np.int32]
    wall: NDArray[np.float32]
    particle: NDArray[np.int32]
    twin: NDArray[np.int32]
    blur: NDArray[np.float32]
    contrast: NDArray[np.float32]
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def map_shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, cols = self.grain.shape
        return rows, cols

    @cached_property
    def truth(self) -> MapStack:
        """The maps that a method should find.

        Channels ``grain``, ``cell``, ``wall``, ``particle`` and ``twin``, and the orientation as
        ``quaternion a`` to ``quaternion d``.

        Raises
        ------
        ValueError
            If there are more cells than float32 can number.
        """
        named = {
            "grain": (self.grain, "tab20"),
            "cell": (self.cell, "tab20"),
            "wall": (self.wall, "gray"),
            "particle": (self.particle, "tab20"),
            "twin": (self.twin, "tab20"),
        }
        for name, (values, _) in named.items():
            if values.max() >= _EXACT_IN_FLOAT32:
                raise ValueError(
                    f"{int(values.max())} {name}s cannot be numbered exactly in float32; simulate "
                    "a smaller scan or a coarser structure"
                )
        channels = [Channel(name, colormap=colormap) for name, (_, colormap) in named.items()]
        channels += [Channel(f"quaternion {part}") for part in "abcd"]
        values = np.stack(
            [values for values, _ in named.values()] + list(np.moveaxis(self.orientations, -1, 0)),
            dtype=np.float32,
            casting="unsafe",
        )
        return MapStack(values, channels, self.step)


def positions(rows: int, cols: int, step: tuple[float, float]) -> NDArray[np.float64]:
    """Place of each position in µm (down, right), of shape (rows * columns, 2)."""
    down, right = np.meshgrid(np.arange(rows) * step[0], np.arange(cols) * step[1], indexing="ij")
    return np.stack([down.ravel(), right.ravel()], axis=1)


def random_axes(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    """Directions spread evenly over the sphere, of shape (n, 3)."""
    vectors = rng.standard_normal((n, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def as_quaternions(rotations: Rotation, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Rotations as a map of quaternions, scalar first and not negative."""
    quaternions = rotations.as_quat(canonical=True, scalar_first=True)
    return quaternions.reshape(*shape, 4).astype(np.float32)
