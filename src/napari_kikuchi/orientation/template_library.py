"""Templates of a crystal's spots, for all directions of the beam that its symmetry tells apart.

Directions are gathered in cells, of which each lists its reflections once: patterns of directions
that are near each other differ in the intensities, but hardly in where spots are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from napari_kikuchi.io.weights import damage_told, read_tensors, write_tensors
from napari_kikuchi.orientation.zone_axes import tilted
from napari_kikuchi.untrusted import number, positive, text

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CONTENT = "library of diffraction spots"
_SETTINGS = ("crystal", "voltage", "k_max", "power")
# Of a file: the tensors of a library and their shapes.
_DIMENSIONS: dict[str, tuple[str | int, ...]] = {
    "operators": ("operators", 3, 3),
    "rotations": ("cells", 3, 3),
    "tilts": ("tilts", 2),
    "thicknesses": ("thicknesses",),
    "positions": ("cells", "reflections", 2),
    "amplitudes": ("cells", "tilts", "thicknesses", "reflections"),
}
# Of any detector, in 1/Å: rings are laid out up to it.
_LEAST_K_MAX, _MOST_K_MAX = 0.01, 100.0
# Where a cell has fewer reflections than others: beyond all spots, in 1/Å.
BEYOND = 1e3
_IN_DOUBLE_PRECISION = ("operators", "rotations", "tilts")
# Of numbers in half precision, and of rotation matrices in double precision.
_HALF_ROUNDING = 1e-2
_ROUNDING = 1e-6


@dataclass(frozen=True, eq=False)
class Library:
    """Templates of one crystal.

    Attributes
    ----------
    crystal
        Its name.
    voltage
        Of the beam, in kV.
    k_max
        Length of the longest reciprocal lattice vector, in 1/Å.
    power
        Of intensities, that gives ``amplitudes``.
    operators
        Rotations of the crystal's Laue group, float64 of shape (operators, 3, 3).
    rotations
        Orientation in the middle of each cell, from the sample's frame into the crystal's,
        float64 of shape (cells, 3, 3).
    tilts
        How far the beam of each template lies from the middle of its cell along x and y, in
        radians, float64 of shape (tilts, 2); the same for all cells.
    thicknesses
        In Å, float32 of shape (thicknesses,).
    positions
        kx and ky of the reflections of each cell, in 1/Å, float32 of shape (cells, reflections, 2);
        far outside where a cell has fewer.
    amplitudes
        Intensities to the power, float32 of shape (cells, tilts, thicknesses, reflections); the
        sum of the squares of each template is 1, or 0 for one without spots.
    """

    crystal: str
    voltage: float
    k_max: float
    power: float
    operators: Tensor
    rotations: Tensor
    tilts: Tensor
    thicknesses: Tensor
    positions: Tensor
    amplitudes: Tensor

    @property
    def device(self) -> torch.device:
        """Where the templates are."""
        return self.amplitudes.device

    def to(self, device: torch.device | str) -> Library:
        """The same library on a device."""
        return replace(
            self,
            positions=self.positions.to(device),
            amplitudes=self.amplitudes.to(device),
        )

    def within(self, k_max: float) -> Library:
        """The same templates as a smaller detector shows them.

        Parameters
        ----------
        k_max
            Its radius, in 1/Å.
        """
        if k_max >= self.k_max:
            return self
        seen = torch.linalg.vector_norm(self.positions, dim=-1) <= k_max
        amplitudes = torch.nn.functional.normalize(self.amplitudes * seen[:, None, None], dim=-1)
        positions = torch.where(seen[..., None], self.positions, BEYOND)
        return replace(self, k_max=k_max, positions=positions, amplitudes=amplitudes)

    def orientations(self, cells: Tensor, mirrored: Tensor, angles: Tensor, tilt: Tensor) -> Tensor:
        """Orientations of crystals whose patterns are templates, turned and mirrored.

        Parameters
        ----------
        cells
            Numbers of cells, of shape (...).
        mirrored
            Whether y becomes -y, before the turn, of shape (...).
        angles
            By which the pattern is turned from x towards y, in radians, of shape (...).
        tilt
            From the middle of the cells, as ``tilts``, of shape (..., 2).

        Returns
        -------
        torch.Tensor
            From the sample's frame into the crystal's, float64 of shape (..., 3, 3).
        """
        rotations = tilted(self.rotations[cells], tilt)
        cosine, sine = angles.double().cos(), angles.double().sin()
        # A mirror image is a pattern of the crystal seen from the other side: -R diag(1, -1, 1).
        x, y, z = rotations.unbind(-1)
        sign = torch.where(mirrored, -1.0, 1.0).double()[..., None]
        x, z = sign * x, sign * z
        cosine, sine = cosine[..., None], sine[..., None]
        return torch.stack([cosine * x - sine * y, sine * x + cosine * y, z], dim=-1)

    def save(self, path: str | Path) -> None:
        """Write the library to a file of safetensors, with amplitudes in half precision.

        Parameters
        ----------
        path
            A file of that name is replaced, once the new one is complete.
        """
        tensors = {name: getattr(self, name).cpu().numpy() for name in _DIMENSIONS}
        tensors["amplitudes"] = tensors["amplitudes"].astype(np.float16)
        header = {"content": _CONTENT, **{name: getattr(self, name) for name in _SETTINGS}}
        write_tensors(path, tensors, header)

    @classmethod
    def load(cls, path: str | Path) -> Library:
        """Read what :meth:`save` wrote.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ModelFileError
            If it is damaged, holds something else or was written by a newer version.
        """
        tensors, header = read_tensors(path, _CONTENT)
        with damage_told(path):
            _check_shapes(tensors)
            found = {name: _tensor(name, tensors[name]) for name in _DIMENSIONS}
            _check_values(found)
            return cls(
                text(header.get("crystal"), "the name of the crystal"),
                positive(header.get("voltage"), "the voltage"),
                number(header.get("k_max"), "k_max", _LEAST_K_MAX, _MOST_K_MAX),
                positive(header.get("power"), "the power"),
                *found.values(),
            )


def _tensor(name: str, values: NDArray) -> Tensor:
    dtype = torch.float64 if name in _IN_DOUBLE_PRECISION else torch.float32
    return torch.from_numpy(values).to(dtype)


def _check_shapes(tensors: Mapping[str, NDArray]) -> None:
    sizes: dict[str | int, int] = {}
    for name, dimensions in _DIMENSIONS.items():
        tensor = tensors.get(name)
        shape = ", ".join(map(str, dimensions))
        if tensor is None or tensor.dtype.kind != "f" or tensor.ndim != len(dimensions):
            found = "none" if tensor is None else f"{tensor.dtype} of shape {tensor.shape}"
            raise ValueError(f"expected {name} as numbers of shape ({shape}), found {found}")
        for dimension, size in zip(dimensions, tensor.shape, strict=True):
            # One that is a number is its own size.
            expected = sizes.setdefault(
                dimension, size if isinstance(dimension, str) else dimension
            )
            if size != expected or not size:
                raise ValueError(
                    f"expected {name} of shape ({shape}) with {expected or 'some'} {dimension}, "
                    f"found shape {tensor.shape}"
                )


def _check_values(tensors: Mapping[str, Tensor]) -> None:
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise ValueError(f"expected {name} that are finite, found others")
    for name in ("operators", "rotations"):
        matrices = tensors[name]
        apart = (matrices @ matrices.mT - torch.eye(3, dtype=matrices.dtype)).abs().max()
        if apart > _ROUNDING or (torch.linalg.det(matrices) < 0).any():
            raise ValueError(f"expected {name} that are rotations, found others")
    amplitudes = tensors["amplitudes"]
    if amplitudes.min() < 0 or amplitudes.max() > 1 + _HALF_ROUNDING:
        raise ValueError("expected amplitudes from 0 to 1, found others")
