"""The stray field of a layer of magnetised cells: Newell's tensor, convolved in batches."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

# Beyond so many diagonals of a cell its field is taken for that of a dipole: it is to 1e-6 for
# cubes and to 5e-4 for others. Newell's differences of large numbers lose more farther out.
_NEAR = 12.0

_Potential = Callable[..., "NDArray[np.float64]"]


class StrayField:
    """The field of the magnetic charges of one layer of equal cuboids.

    Nothing is repeated beyond the edges: the layer lies in empty space.

    Parameters
    ----------
    shape
        Rows and columns of cells.
    cell
        Lengths of a cell along x (columns), y (rows) and z (thickness of the layer), in any unit.
    device, dtype
        Of what is given and comes back.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        cell: tuple[float, float, float] = (1.0, 1.0, 1.0),
        *,
        device: str | torch.device = "cpu",
        dtype: torch.dtype = torch.float64,
    ):
        self.shape = shape
        # Twice the length and no repetition reaches into the layer.
        self._padded = tuple(2 * count for count in shape)
        kernels = demagnetising_tensor(shape, cell)
        # Along z only to itself: what lies beside a cell in its own layer is symmetric about it.
        self._xx, self._yy, self._zz, self._xy = (
            torch.fft.rfft2(torch.from_numpy(kernels[i, j])).real.to(device, dtype)
            for i, j in ((0, 0), (1, 1), (2, 2), (0, 1))
        )

    def __call__(self, magnetisation: Tensor) -> Tensor:
        """The mean field in each cell.

        Parameters
        ----------
        magnetisation
            Along x, y and z, of shape (..., 3, rows, columns).

        Returns
        -------
        torch.Tensor
            In the unit of the magnetisation, of the same shape.
        """
        along_z = magnetisation[..., 2, :, :]
        x, y = self._transformed(magnetisation[..., :2, :, :]).unbind(-3)
        in_plane = torch.stack([self._xx * x + self._xy * y, self._xy * x + self._yy * y], dim=-3)
        # In a plane of easy axes nothing ever leaves it, and a third of the work is saved.
        across = self._back(self._zz * self._transformed(along_z)) if along_z.any() else along_z
        return -torch.cat([self._back(in_plane), across.unsqueeze(-3)], dim=-3)

    def _transformed(self, values: Tensor) -> Tensor:
        """Row by row first: rows of padding need no transform."""
        rows, columns = self._padded
        return torch.fft.fft(torch.fft.rfft(values, n=columns), n=rows, dim=-2)

    def _back(self, values: Tensor) -> Tensor:
        rows, columns = self.shape
        of_rows = torch.fft.ifft(values, dim=-2)[..., :rows, :]
        return torch.fft.irfft(of_rows, n=self._padded[1])[..., :columns]


def demagnetising_tensor(
    shape: tuple[int, int], cell: tuple[float, float, float] = (1.0, 1.0, 1.0)
) -> NDArray[np.float64]:
    """The tensor N of the mean field H = -N M that one cuboid has in another of its layer.

    Parameters
    ----------
    shape
        Rows and columns of cells.
    cell
        Lengths of a cell along x (columns), y (rows) and z.

    Returns
    -------
    numpy.ndarray
        Along x, y and z, of shape (3, 3, 2 rows, 2 columns); the last two are how far one cell
        lies from the other, as the frequencies of a discrete Fourier transform: 0, 1, ..., -1.

    Notes
    -----
    Near cells after A. J. Newell, W. Williams and D. J. Dunlop, Journal of Geophysical Research 98,
    9551 (1993), far ones as dipoles.
    """
    rows, columns = shape
    # Lengths are relative: in metres their sixth powers would be no numbers.
    lengths = np.array(cell) / np.max(cell)
    down, right = np.arange(rows + 1), np.arange(columns + 1)
    quarter = np.zeros((3, 3, rows + 1, columns + 1))
    y, x = np.meshgrid(down * lengths[1], right * lengths[0], indexing="ij")
    reach = math.ceil(_NEAR * np.linalg.norm(lengths) / lengths[:2].min())
    near = (slice(0, reach), slice(0, reach))
    for (i, j), potential, order in (
        ((0, 0), _potential_xx, (0, 1, 2)),
        ((1, 1), _potential_xx, (1, 0, 2)),
        ((2, 2), _potential_xx, (2, 1, 0)),
        ((0, 1), _potential_xy, (0, 1, 2)),
    ):
        quarter[i, j] = _of_dipole(x, y, i, j) * lengths.prod()
        quarter[i, j][near] = _of_cuboids(potential, order, lengths, quarter[i, j][near].shape)
    quarter[1, 0] = quarter[0, 1]
    return _all_quarters(quarter)


def _all_quarters(quarter: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cells to the left and above from those to the right and below; xy changes its sign."""
    rows, columns = (length - 1 for length in quarter.shape[-2:])
    down = np.abs(np.fft.fftfreq(2 * rows, 0.5 / rows)).astype(int)
    right = np.abs(np.fft.fftfreq(2 * columns, 0.5 / columns)).astype(int)
    full = quarter[..., down[:, None], right]
    signs = np.ones_like(full[0, 0])
    signs[rows:] *= -1
    signs[:, columns:] *= -1
    # Half the period is as far to the right as to the left, and no two cells are so far apart.
    signs[rows], signs[:, columns] = 0, 0
    full[0, 1] *= signs
    full[1, 0] *= signs
    return full


def _of_dipole(
    x: NDArray[np.float64], y: NDArray[np.float64], i: int, j: int
) -> NDArray[np.float64]:
    """Components of the tensor of a dipole of unit volume; 0 at itself."""
    squared = x**2 + y**2
    squared[0, 0] = 1
    at = (x, y, np.zeros_like(x))
    tensor = ((i == j) * squared - 3 * at[i] * at[j]) / (4 * np.pi * squared**2.5)
    tensor[0, 0] = 0
    return tensor


def _of_cuboids(
    potential: _Potential,
    order: tuple[int, int, int],
    lengths: NDArray[np.float64],
    shape: tuple[int, ...],
) -> NDArray[np.float64]:
    """Second differences of a potential along all three axes, over four pi volumes."""
    # One cell more on each side, for the differences, and the layers below and above.
    counts = [np.arange(-1, shape[1] + 1), np.arange(-1, shape[0] + 1), np.arange(-1, 2)]
    grids = np.meshgrid(
        *(length * count for length, count in zip(lengths, counts, strict=True)), indexing="ij"
    )
    values = potential(*(grids[axis] for axis in order))
    for axis in range(3):
        values = np.diff(values, n=2, axis=axis)
    return -values[:, :, 0].T / (4 * np.pi * lengths.prod())


def _potential_xx(
    x: NDArray[np.float64], y: NDArray[np.float64], z: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Newell's f: the interaction of two rectangles that face each other along x."""
    r = np.sqrt(x**2 + y**2 + z**2)
    return (
        (2 * x**2 - y**2 - z**2) * r / 6
        + y / 2 * (z**2 - x**2) * _arsinh(y, x, z)
        + z / 2 * (y**2 - x**2) * _arsinh(z, x, y)
        - x * y * z * _arctan(y * z, x * r)
    )


def _potential_xy(
    x: NDArray[np.float64], y: NDArray[np.float64], z: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Newell's g: the interaction of two rectangles at right angles, across x and across y."""
    r = np.sqrt(x**2 + y**2 + z**2)
    return (
        x * y * z * _arsinh(z, x, y)
        + y / 6 * (3 * z**2 - y**2) * _arsinh(x, y, z)
        + x / 6 * (3 * z**2 - x**2) * _arsinh(y, x, z)
        - z**3 / 6 * _arctan(x * y, z * r)
        - z * y**2 / 2 * _arctan(x * z, y * r)
        - z * x**2 / 2 * _arctan(y * z, x * r)
        - x * y * r / 3
    )


def _arsinh(
    of: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Inverse hyperbolic sine of the ratio to the hypotenuse of a and b; 0 where that is none.

    All that is multiplied with it there is 0, too.
    """
    hypotenuse = np.hypot(a, b)
    return np.arcsinh(np.divide(of, hypotenuse, out=np.zeros_like(of), where=hypotenuse > 0))


def _arctan(of: NDArray[np.float64], by: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inverse tangent of a ratio; 0 where it has no denominator: there its factor is 0."""
    return np.arctan(np.divide(of, by, out=np.zeros_like(of), where=by != 0))
