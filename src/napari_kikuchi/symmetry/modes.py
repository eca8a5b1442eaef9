"""What patterns of cubic crystals are sums of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.symmetry.sector import (
    as_square,
    at_nodes,
    sector_rows,
    sector_weights,
    standardised,
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
        Intensities at the nodes of the triangle, of shape (side, side, modes): smooth ones, and
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
        coarse, fine = (
            _components(_smooth(masters, width), count)
            for width, count in zip(_WIDTHS, _COUNTS, strict=True)
        )
        return cls.at_nodes(coarse, fine)

    @classmethod
    def at_nodes(cls, coarse: NDArray[np.float32], fine: NDArray[np.float32]) -> Modes:
        """Modes of which the intensities at the nodes are known, of shape (nodes, modes)."""
        return cls(*(np.ascontiguousarray(_squares(one)) for one in (coarse, fine)))

    @property
    def nodes(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Intensities of coarse and fine modes at the nodes, of shape (nodes, modes)."""
        inside = sector_rows(self.fine.shape[0])
        return self.coarse[inside], self.fine[inside]


def _smooth(masters: NDArray[np.float32], width: float) -> NDArray[np.float32]:
    from scipy.ndimage import gaussian_filter

    squares = as_square(masters)
    sigma = width / (_EDGE / (squares.shape[-1] - 1))
    # Both edges of the square are mirrors.
    smooth = gaussian_filter(squares, (0, sigma, sigma), mode="mirror")
    return at_nodes(smooth)


def _components(masters: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    weights = np.sqrt(sector_weights())
    components = np.linalg.svd(standardised(masters) * weights, full_matrices=False)[2][:count]
    return (components / weights).T.astype(np.float32)


def _squares(nodes: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.moveaxis(as_square(nodes.T), 0, -1)
