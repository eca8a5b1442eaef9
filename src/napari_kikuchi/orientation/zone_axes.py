"""Directions of the beam in a crystal, over all that its symmetry tells apart."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from napari_kikuchi.orientation.symmetry import proper_operators

# In no plane and on no axis of a point group: of equivalent directions, the nearest to it is taken,
# and up to so many steps beyond.
_GENERIC = (0.323, 0.117, 0.939)
_BEYOND = 0.3
# About the pole from one direction to the next: no two then lie near each other.
_GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))
_STEPS = (0.1, 30.0)


def zone_axes(laue_group: Any, step: float) -> Tensor:
    """Orientations that bring the beam along directions of a crystal, evenly spread.

    Of equivalent directions one is there, with its opposite counted as equivalent: its pattern is
    a mirror image. What remains of all orientations are turns about the beam and mirror images.
    (Of crystals without a centre of inversion that holds for spots of thin foils; in thick ones
    intensities differ a little.)

    Parameters
    ----------
    laue_group
        orix's ``Symmetry``, as :attr:`Crystal.laue_group` gives it.
    step
        Distance of neighbours in degrees: each stands for step² square degrees.

    Returns
    -------
    torch.Tensor
        From the sample's frame into the crystal's, float64 of shape (n, 3, 3).

    Raises
    ------
    ValueError
        If the step is not from 0.1 to 30 degrees.
    """
    least, most = _STEPS
    if not least <= step <= most:
        raise ValueError(f"expected a step from {least:g} to {most:g} degrees, found {step}")
    width = math.radians(step)
    directions = _even_directions(math.ceil(4 * math.pi / width**2))
    generic = torch.tensor(_GENERIC, dtype=torch.float64)
    others = proper_operators(laue_group) @ generic
    others = torch.cat([others, -others])
    others = others[(others - generic).norm(dim=1) > 1e-6]
    # Distances from the planes halfway to each of the equivalent directions.
    normals = torch.nn.functional.normalize(generic - others, dim=1)
    inside = (directions @ normals.T).amin(1)
    # A little beyond them, too: what lies inside is then hardly further from a direction there
    # than elsewhere.
    chosen = directions[inside >= -_BEYOND * width]
    return _frames(chosen)


def tilts(radius: float, step: float) -> Tensor:
    """Small turns of the crystal about axes across the beam, on a square grid within a circle.

    Parameters
    ----------
    radius, step
        In degrees.

    Returns
    -------
    torch.Tensor
        By how much the beam moves along x and y, in radians, float64 of shape (n, 2).
    """
    count = math.floor(radius / step)
    line = torch.arange(-count, count + 1, dtype=torch.float64) * step
    grid = torch.cartesian_prod(line, line)
    return torch.deg2rad(grid[grid.norm(dim=1) <= radius * (1 + 1e-9)])


def tilted(rotations: Tensor, tilt: Tensor) -> Tensor:
    """Orientations in which the beam comes along a direction that is moved a little.

    Parameters
    ----------
    rotations
        Of shape (..., 3, 3).
    tilt
        As :func:`tilts` gives them, of shape (..., 2).

    Returns
    -------
    torch.Tensor
        Of shape (..., 3, 3).
    """
    angle = tilt.norm(dim=-1)
    # sin(angle) / angle, and (1 - cos(angle)) / angle².
    sine, versine = torch.sinc(angle / math.pi), torch.sinc(angle / 2 / math.pi) ** 2 / 2
    x, y = tilt[..., 0], tilt[..., 1]
    turn = torch.stack(
        [
            *(1 - versine * x * x, -versine * x * y, sine * x),
            *(-versine * x * y, 1 - versine * y * y, sine * y),
            *(-sine * x, -sine * y, angle.cos()),
        ],
        dim=-1,
    )
    return rotations @ turn.unflatten(-1, (3, 3))


def _even_directions(count: int) -> Tensor:
    """A spiral from pole to pole whose turns are as far from each other as its points."""
    number = torch.arange(count, dtype=torch.float64)
    z = 1 - (2 * number + 1) / count
    across, angle = (1 - z**2).sqrt(), _GOLDEN_ANGLE * number
    return torch.stack([across * angle.cos(), across * angle.sin(), z], dim=1)


def _frames(directions: Tensor) -> Tensor:
    """Right-handed frames with their z axis, the last column, along directions."""
    # Whichever of x and y is further away.
    aside = torch.zeros_like(directions)
    aside.scatter_(1, directions[:, :2].abs().argmin(1, keepdim=True), 1)
    y = torch.nn.functional.normalize(torch.linalg.cross(directions, aside), dim=1)
    return torch.stack([torch.linalg.cross(y, directions), y, directions], dim=2)
