"""Shapes that are drawn on maps, by the names that napari has for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_OPEN = ("line", "path")
# Sides of the polygon that stands for an ellipse: of one 100 positions wide, it is off by 0.02.
_ELLIPSE_SIDES = 180


def encloses(kind: str) -> bool:
    """Whether a shape has an inside, as a line has not."""
    return kind not in _OPEN


def corners(kind: str, vertices: ArrayLike) -> NDArray[np.float64]:
    """Corners of a shape, in order.

    Parameters
    ----------
    kind
        ``"polygon"``, ``"rectangle"``, ``"ellipse"``, ``"line"`` or ``"path"``.
    vertices
        Of shape (n, 2); of an ellipse the four corners of the rectangle around it, which may be
        turned.

    Returns
    -------
    numpy.ndarray
        The vertices; of an ellipse the corners of a polygon that stands for it. Of shape (n, 2).
    """
    points = np.asarray(vertices, np.float64)
    if kind != "ellipse":
        return points
    across, down = (points[1] - points[0]) / 2, (points[3] - points[0]) / 2
    angle = np.linspace(0, 2 * np.pi, _ELLIPSE_SIDES, endpoint=False)[:, None]
    return points.mean(axis=0) + np.cos(angle) * across + np.sin(angle) * down
