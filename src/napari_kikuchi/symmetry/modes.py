"""What patterns of cubic crystals are sums of.

Modes have the symmetry of m-3m: what crystals of m-3 show beside it is left out, for it differs in
sign between the two settings in which they may be described.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.symmetry.sector import (
    as_square,
    at_nodes,
    from_triangle,
    mirrored,
    sector_weights,
    standardised,
    triangle,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Widths in degrees of the Gaussians by which intensities are smoothed: to about the distance of
# the orientations that are compared, and to what detectors resolve.
_WIDTHS = (3.0, 0.7)
_COUNTS = (8, 24)
_EDGE = 45.0


@dataclass(frozen=True, eq=False)
class Modes:
    """The main components of patterns of many cubic crystals, in the axes of the crystals.

    Attributes
    ----------
    coarse, fine
        Intensities at the nodes of the square, of shape (side, side, modes): smooth ones, and
        all that patterns show.
    """

    coarse: NDArray[np.float32]
    fine: NDArray[np.float32]

    @classmethod
    def of(cls, masters: NDArray[np.float32]) -> Modes:
        """Find the modes of some phases.

        Parameters
        ----------
        masters
            Their intensities at the nodes, of shape (phases, nodes).
        """
        masters = standardised((masters + mirrored(masters)) / 2)
        return cls(
            *(
                _components(_smooth(masters, width), count)
                for width, count in zip(_WIDTHS, _COUNTS, strict=True)
            )
        )

    @classmethod
    def of_triangle(cls, coarse: NDArray[np.float32], fine: NDArray[np.float32]) -> Modes:
        """Modes whose intensities in the triangle are known, of shape (its nodes, modes)."""
        return cls(*(_squares(from_triangle(one.T)) for one in (coarse, fine)))

    @property
    def in_triangle(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Intensities of coarse and fine modes in the triangle, of shape (its nodes, modes)."""
        side, inside = len(self.fine), triangle(len(self.fine))
        coarse, fine = (one.reshape(side * side, -1)[inside] for one in (self.coarse, self.fine))
        return coarse, fine


def _smooth(masters: NDArray[np.float32], width: float) -> NDArray[np.float32]:
    from scipy.ndimage import gaussian_filter

    squares = as_square(masters)
    sigma = width / (_EDGE / (squares.shape[-1] - 1))
    # All edges of the square are mirrors.
    smooth = gaussian_filter(squares, (0, sigma, sigma), mode="mirror")
    return at_nodes(smooth)


def _components(masters: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    weights = np.sqrt(sector_weights())
    components = np.linalg.svd(standardised(masters) * weights, full_matrices=False)[2][:count]
    return _squares((components / weights).astype(np.float32))


def _squares(nodes: NDArray[np.float32]) -> NDArray[np.float32]:
    """From shape (modes, nodes) to (side, side, modes)."""
    return np.ascontiguousarray(np.moveaxis(as_square(nodes), 0, -1))
