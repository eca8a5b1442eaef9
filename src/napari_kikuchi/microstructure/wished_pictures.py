"""Pictures to learn from and their numbers, as if they had been wished for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from napari_kikuchi.microstructure.holes import random_holes
from napari_kikuchi.microstructure.pictures import CHANNELS, Pictures
from napari_kikuchi.microstructure.train import scaled
from napari_kikuchi.microstructure.wishes import NUMBERS, WISHES, scaled_numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

# How often something is wished for, beside the one thing that always is.
_WANTED = 0.5
# How often the phase is wished for in parts of the picture alone.
_IN_PARTS = 0.25


def random_wishes(
    pictures: Tensor, numbers: Tensor, wishes: Sequence[str], generator: torch.Generator
) -> Tensor:
    """Some of what pictures are like, as if it had been wished for.

    Parameters
    ----------
    pictures
        Of shape (n, 4, size, size), -1 to 1.
    numbers
        Of the pictures, of shape (n, 3), see
        :func:`~napari_kikuchi.microstructure.wishes.scaled_numbers`.
    wishes
        What may be wished for.
    generator
        Of all that is random, on the device of the pictures.

    Returns
    -------
    torch.Tensor
        See :meth:`~napari_kikuchi.microstructure.wishes.Wishes.planes`, of shape (n, 4, size,
        size). Of each picture one thing at least is wished for, if anything is known; the phase
        now and then in parts of it.
    """
    count, _, size, _ = pictures.shape
    device = pictures.device
    phase, numbers = pictures[:, -1:], numbers[..., None, None].expand(-1, -1, size, size)
    planes = torch.cat([phase, numbers], dim=1)
    possible = torch.tensor([name in wishes for name in WISHES], device=device)
    chances = torch.rand(count, len(WISHES), generator=generator, device=device)
    chances[~(possible & planes[..., 0, 0].isfinite())] = 2
    first = chances == chances.amin(dim=1, keepdim=True)
    wanted = (first | (chances < _WANTED)) & (chances < 2)
    planes = planes.where(wanted[..., None, None], torch.nan)
    in_parts = torch.rand(count, 1, 1, 1, generator=generator, device=device) < _IN_PARTS
    left_open = in_parts & (random_holes(count, size, generator) > 0)
    return torch.cat([planes[:, :1].where(~left_open, torch.nan), planes[:, 1:]], dim=1)


def packed(pictures: Pictures, coercivities: NDArray[np.floating] | None) -> NDArray[np.float16]:
    """Pictures and their numbers as rows of one array.

    Parameters
    ----------
    pictures
        To learn from.
    coercivities
        In T, of shape (pictures,), NaN where nobody knows; None: of none.

    Returns
    -------
    numpy.ndarray
        In half precision, which holds all values of pictures, of shape (pictures, 4 size² + 3).
    """
    values, count = pictures.values, len(pictures.values)
    numbers = scaled_numbers(torch.from_numpy(_measured(pictures, coercivities)))
    out = np.empty((count, values[0].size + len(NUMBERS)), np.float16)
    out[:, : -len(NUMBERS)] = values.reshape(count, -1)
    out[:, -len(NUMBERS) :] = numbers.numpy()
    return out


def ranges(pictures: Pictures, coercivities: NDArray[np.floating] | None) -> dict[str, list[float]]:
    """Smallest and largest of each of :data:`~napari_kikuchi.microstructure.wishes.NUMBERS`.

    Parameters
    ----------
    pictures, coercivities
        See :func:`packed`.

    Returns
    -------
    dict of list
        By name, without those that nobody knows; fit for JSON.
    """
    known = [column[np.isfinite(column)] for column in _measured(pictures, coercivities).T]
    return {
        name: [float(column.min()), float(column.max())]
        for name, column in zip(NUMBERS, known, strict=True)
        if len(column)
    }


def _measured(pictures: Pictures, coercivities: NDArray[np.floating] | None) -> NDArray[np.float32]:
    """What could be wished for of each picture, in the order of the numbers."""
    fractions = (pictures.values[:, -1] > 0).mean(axis=(1, 2))
    unknown = np.full(len(fractions), np.nan)
    measured = [fractions, pictures.diameters, unknown if coercivities is None else coercivities]
    return np.stack(measured, axis=1).astype(np.float32)


def unpacked(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Pictures, -1 to 1, and numbers of rows that :func:`packed` made."""
    values, numbers = rows.tensor_split([-len(NUMBERS)], dim=1)
    size = round((values.shape[1] / CHANNELS) ** 0.5)
    return scaled(values.reshape(-1, CHANNELS, size, size)), numbers
