"""Magnets of several phases, cell by cell: their micromagnetic energy and what it pulls at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.constants import mu_0

from napari_kikuchi.microstructure.stray_field import StrayField

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray
    from torch import Tensor


@dataclass(frozen=True)
class Material:
    """What micromagnetics has to know of a phase with one easy axis.

    Attributes
    ----------
    anisotropy
        K1 in J/m³.
    magnetisation
        Ms in A/m.
    exchange
        Exchange stiffness A in J/m.
    """

    anisotropy: float
    magnetisation: float
    exchange: float

    def __post_init__(self) -> None:
        if not (self.magnetisation > 0 and self.anisotropy >= 0 and self.exchange >= 0):
            raise ValueError(
                f"expected a magnetisation above 0, and anisotropy and exchange of 0 or more, "
                f"found {self.magnetisation}, {self.anisotropy} and {self.exchange}"
            )

    @property
    def anisotropy_field(self) -> float:
        """2 K1 / Ms in T: the field that turns a single grain over, against its easy axis."""
        return 2 * self.anisotropy / self.magnetisation


# At room temperature, as micromagnetics takes them, with polarisations of 1.05 and 1.29 T: after
# H. Kronmüller and M. Fähnle, Micromagnetism and the Microstructure of Ferromagnetic Solids
# (Cambridge, 2003), and K.-D. Durst, H. Kronmüller and W. Ervens, Physica Status Solidi (a) 108,
# 403 (1988). Measurements scatter by some 5 %.
SMCO5 = Material(anisotropy=17.1e6, magnetisation=1.05 / mu_0, exchange=12e-12)
SM2CO17 = Material(anisotropy=3.3e6, magnetisation=1.29 / mu_0, exchange=14e-12)


@dataclass(frozen=True, eq=False)
class Magnets:
    """A batch of magnets, each of one layer of cells in empty space.

    A state of them are unit vectors of shape (magnets, 3, rows, columns), with components along x
    (columns, to the right), y (rows, down) and z. Fields are µ0 H in T. Energies are those per cell
    and mean magnetic moment of a cell, in T, too, so that all numbers are of the order of 1 to 100.

    Attributes
    ----------
    moments
        Of the cells, over the mean of their magnet, of shape (magnets, 1, rows, columns).
    anisotropy
        2 K1 over the mean magnetisation, of the same shape.
    axes
        Easy axes, of shape (magnets, 3, rows, columns) or (magnets, 3, 1, 1).
    right, down
        Exchange between a cell and the next one: 2 A / (length² mean magnetisation), with the
        harmonic mean of A between phases; shorter by 1 along columns and rows.
    polarisation
        µ0 times the mean magnetisation, of shape (magnets, 1, 1, 1).
    stray_field
        None to leave it out.
    """

    moments: Tensor
    anisotropy: Tensor
    axes: Tensor
    right: Tensor
    down: Tensor
    polarisation: Tensor
    stray_field: StrayField | None

    @classmethod
    def of(
        cls,
        phases: ArrayLike,
        easy_axes: ArrayLike = (1.0, 0.0, 0.0),
        materials: Sequence[Material] = (SMCO5, SM2CO17),
        *,
        cell: float = 1e-9,
        stray: bool = True,
        device: str | torch.device = "cpu",
        dtype: torch.dtype = torch.float64,
    ) -> Magnets:
        """Magnets from maps of their phases.

        Parameters
        ----------
        phases
            Index of each cell's material, of shape (magnets, rows, columns).
        easy_axes
            Unit vectors: one for all cells, or of shape (magnets, 3, rows, columns).
        materials
            Of the phases.
        cell
            Length of the edges of a cell in m. Walls have a width parameter of sqrt(A / K1), .84 nm
            in SmCo5: in larger cells they stick to the grid, and coercivities come out too large.
        stray
            Whether there is a stray field.
        device, dtype
            Where and how exactly all is computed.

        Raises
        ------
        ValueError
            For phases or axes of another shape, phases without a material, axes of a length that
            is not 1, and cells without a length.
        """
        indices, axes = np.asarray(phases), np.asarray(easy_axes, dtype=np.float64)
        _check_phases(indices, len(materials))
        _check_axes(axes, indices.shape)
        if not cell > 0:
            raise ValueError(f"expected cells longer than 0 m, found {cell}")
        indices = indices.astype(np.intp)
        anisotropy, magnetisation, exchange = (
            np.array([getattr(material, name) for material in materials])[indices][:, None]
            for name in ("anisotropy", "magnetisation", "exchange")
        )
        mean = magnetisation.mean(axis=(2, 3), keepdims=True)
        if axes.ndim == 1:
            axes = np.broadcast_to(axes[:, None, None], (len(indices), 3, 1, 1))

        def tensor(values: NDArray[np.float64]) -> Tensor:
            return torch.tensor(values, device=device, dtype=dtype)

        def bonds(one: NDArray[np.float64], other: NDArray[np.float64]) -> Tensor:
            # Nothing where a phase has none.
            harmonic_mean = 2 * one * other / np.maximum(one + other, np.finfo(np.float64).tiny)
            return tensor(2 * harmonic_mean / (cell**2 * mean))

        shape = (indices.shape[1], indices.shape[2])
        return cls(
            moments=tensor(magnetisation / mean),
            anisotropy=tensor(2 * anisotropy / mean),
            axes=tensor(axes),
            right=bonds(exchange[..., 1:], exchange[..., :-1]),
            down=bonds(exchange[..., 1:, :], exchange[..., :-1, :]),
            polarisation=tensor(mu_0 * mean),
            stray_field=StrayField(shape, device=device, dtype=dtype) if stray else None,
        )

    def __len__(self) -> int:
        return len(self.moments)

    def taken(self, which: Tensor | slice) -> Magnets:
        """Some of the magnets."""
        return replace(
            self,
            **{
                name: getattr(self, name)[which]
                for name in ("moments", "anisotropy", "axes", "right", "down", "polarisation")
            },
        )

    def saturated(self, direction: Tensor) -> Tensor:
        """The state in which all moments lie along one direction."""
        rows, columns = self.moments.shape[-2:]
        return direction[:, None, None].expand(len(self), 3, rows, columns).clone()

    def pull(self, state: Tensor, applied: Tensor) -> Tensor:
        """What pulls at each moment: minus the gradient of the energy of all cells.

        It is the effective field times the moment of the cell, of the state's shape.

        Parameters
        ----------
        state
            Unit vectors of all moments.
        applied
            The field from outside, of shape (magnets, 3).
        """
        pull = self.moments * applied[:, :, None, None]
        pull = pull.addcmul(self.anisotropy * self.axes, (self.axes * state).sum(1, keepdim=True))
        across = self.right * (state[..., 1:] - state[..., :-1])
        pull[..., :-1] += across
        pull[..., 1:] -= across
        across = self.down * (state[..., 1:, :] - state[..., :-1, :])
        pull[..., :-1, :] += across
        pull[..., 1:, :] -= across
        if self.stray_field is not None:
            stray = self.stray_field(self.moments * state)
            pull.addcmul_(self.moments * self.polarisation, stray)
        return pull

    def energy(self, state: Tensor, applied: Tensor, pull: Tensor) -> Tensor:
        """Energy of each magnet, from what pulls at its moments.

        All but what the applied field adds is quadratic in the state: the energy is half of what
        the pull does. Anisotropy counts from moments across the easy axis.
        """
        outside = self.moments * applied[:, :, None, None]
        return -((state * (pull + outside)).sum(1) / 2).mean((1, 2), dtype=torch.float64)

    def along(self, state: Tensor, direction: Tensor) -> Tensor:
        """Mean magnetisation of each magnet along a direction, over its saturation."""
        return (self.moments * state * direction[:, None, None]).sum(1).mean((1, 2))


def _check_phases(phases: NDArray, materials: int) -> None:
    if phases.ndim != 3 or phases.size == 0 or phases.dtype.kind not in "iub":
        raise ValueError(
            f"phases are {phases.dtype} of shape {phases.shape}; expected whole numbers of shape "
            "(magnets, rows, columns): for one map give phases[None]"
        )
    if phases.min() < 0 or phases.max() >= materials:
        raise ValueError(
            f"phases are {phases.min()} to {phases.max()}, but there are {materials} materials; "
            f"expected 0 to {materials - 1}"
        )


def _check_axes(axes: NDArray[np.float64], shape: tuple[int, ...]) -> None:
    magnets, rows, columns = shape
    expected = (magnets, 3, rows, columns)
    if axes.shape not in ((3,), expected):
        raise ValueError(f"easy axes are of shape {axes.shape}; expected (3,) or {expected}")
    lengths = np.linalg.norm(axes, axis=0 if axes.ndim == 1 else 1)
    if not np.allclose(lengths, 1, atol=1e-6):
        wrong = lengths.flat[np.abs(lengths - 1).argmax()]
        raise ValueError(f"an easy axis has a length of {wrong:.6g}; expected unit vectors")
