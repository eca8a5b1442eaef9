"""What may be wished for of microstructures, and how a network is told of it.

A wish is a plane of a picture's size: the image of the phases as it is, a number the same
everywhere, NaN where nothing is wished for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: By name, in the order of their planes.
WISHES = ("phase", "fraction", "diameter", "coercivity")
#: Those that are numbers.
NUMBERS = WISHES[1:]
#: Of the numbers, as they are written after them.
UNITS = {"fraction": "", "diameter": " pixels", "coercivity": " T"}
# What becomes 0: pixels and T. Half and twice the diameter become -1 and 1, 0 T and twice the
# coercivity, too.
_DIAMETER, _COERCIVITY = 8.0, 20.0


@dataclass(frozen=True, eq=False)
class Wishes:
    """What a microstructure should be like; None: as it comes.

    Attributes
    ----------
    phase
        Share of the second phase in each pixel, 0 to 1, of shape (rows, columns); NaN where it is
        as it comes.
    fraction
        Share of the second phase in the picture, 0 to 1.
    diameter
        Mean diameter in pixels of circles as large as the grains, those that the edge cuts
        included: of pictures as large as those that were learned from.
    coercivity
        In T.

    Raises
    ------
    ValueError
        If nothing can be like that.
    """

    phase: NDArray[np.floating] | None = None
    fraction: float | None = None
    diameter: float | None = None
    coercivity: float | None = None

    def __post_init__(self) -> None:
        if self.phase is not None:
            known = self.phase[~np.isnan(self.phase)]
            if self.phase.ndim != 2 or not known.size or known.min() < 0 or known.max() > 1:
                raise ValueError(
                    f"expected an image of the phases with rows, columns and values from 0 to 1, "
                    f"found one of shape {self.phase.shape} with "
                    f"{f'{known.min()} to {known.max()}' if known.size else 'nothing known'}"
                )
        if self.fraction is not None and not 0 <= self.fraction <= 1:
            raise ValueError(f"expected a phase fraction from 0 to 1, found {self.fraction}")
        if self.diameter is not None and not 0 < self.diameter < math.inf:
            raise ValueError(f"expected a diameter of more than 0 pixels, found {self.diameter}")
        if self.coercivity is not None and not 0 <= self.coercivity < math.inf:
            raise ValueError(f"expected a coercivity of 0 T or more, found {self.coercivity}")

    @property
    def names(self) -> tuple[str, ...]:
        """Of what is wished for."""
        return tuple(name for name in WISHES if getattr(self, name) is not None)

    def settings(self) -> dict[str, Any]:
        """All of it, fit for JSON; of the image of the phases its rows and columns."""
        told = {name: getattr(self, name) for name in NUMBERS if name in self.names}
        return told if self.phase is None else {"phase": list(self.phase.shape), **told}

    def planes(self, shape: tuple[int, int]) -> Tensor:
        """A plane for each of :data:`WISHES`.

        Parameters
        ----------
        shape
            Rows and columns.

        Returns
        -------
        torch.Tensor
            About -1 to 1, NaN where nothing is wished for, of shape (4, rows, columns).

        Raises
        ------
        ValueError
            If the image of the phases has another shape.
        """
        if self.phase is None:
            phase = torch.full((1, *shape), math.nan)
        elif self.phase.shape == shape:
            phase = torch.from_numpy(2 * self.phase[None].astype(np.float32) - 1)
        else:
            raise ValueError(
                f"expected an image of the phases as large as the picture, {shape[0]} x {shape[1]} "
                f"pixels, found {self.phase.shape[0]} x {self.phase.shape[1]}"
            )
        numbers = [getattr(self, name) for name in NUMBERS]
        given = torch.tensor([math.nan if one is None else one for one in numbers])
        return torch.cat([phase, scaled_numbers(given)[:, None, None].expand(-1, *shape)])


def scaled_numbers(numbers: Tensor) -> Tensor:
    """Numbers as networks are told of them.

    Parameters
    ----------
    numbers
        Of :data:`NUMBERS`, as in :class:`Wishes`, of shape (…, 3); NaN where there is none.

    Returns
    -------
    torch.Tensor
        About -1 to 1, of the same shape.
    """
    fraction, diameter, coercivity = numbers.unbind(dim=-1)
    parts = [2 * fraction - 1, torch.log2(diameter / _DIAMETER), coercivity / _COERCIVITY - 1]
    return torch.stack(parts, dim=-1)


def channels(planes: Tensor) -> Tensor:
    """What a network reads of planes: the values, then 1 where there is one and 0 elsewhere.

    Parameters
    ----------
    planes
        Of shape (n, 4, rows, columns), see :meth:`Wishes.planes`.

    Returns
    -------
    torch.Tensor
        Of shape (n, 8, rows, columns).
    """
    return torch.cat([planes.nan_to_num(), planes.isfinite().float()], dim=1)
