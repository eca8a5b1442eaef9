"""What a detector shows of reciprocal space."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class Window:
    """The part of reciprocal space that lies on a detector: a parallelogram.

    Attributes
    ----------
    edges
        Normal of each edge, pointing outwards, and its distance from the direct beam in 1/Å, of
        shape (4, 3); the distance is below 0 where the beam lies beyond that edge.
    corners
        kx and ky in 1/Å, of shape (4, 2).
    """

    edges: NDArray[np.float64]
    corners: NDArray[np.float64]

    @classmethod
    def of(
        cls, to_sample: ArrayLike, centre: tuple[float, float], shape: tuple[int, int]
    ) -> Window:
        """The window of a detector.

        Parameters
        ----------
        to_sample
            From rows and columns of pixels to kx and ky in 1/Å, of shape (2, 2).
        centre
            Row and column of the direct beam in pixels.
        shape
            Height and width of a pattern in pixels.
        """
        to_sample = np.asarray(to_sample, np.float64)
        edges, ends = [], []
        # The gradient of a row or column is normal to the edge along which that is constant.
        for gradient, beam, side in zip(np.linalg.inv(to_sample), centre, shape, strict=True):
            ends.append((-beam, side - 1 - beam))
            edges += [(*-gradient, beam), (*gradient, side - 1 - beam)]
        normals = np.array(edges)
        normals /= np.linalg.norm(normals[:, :2], axis=1, keepdims=True)
        pixels = np.array([(row, col) for row in ends[0] for col in ends[1]])
        return cls(normals, pixels @ to_sample.T)

    @cached_property
    def nearest(self) -> float:
        """Radius of the circle around the direct beam that is shown whole, in 1/Å; 0 if none is."""
        return max(0.0, float(self.edges[:, 2].min()))

    @property
    def beyond(self) -> float:
        """By how much the direct beam lies beyond an edge, in 1/Å; 0 if it is on the detector."""
        return max(0.0, -float(self.edges[:, 2].min()))

    @cached_property
    def furthest(self) -> float:
        """Of all that is shown, the largest distance from the direct beam in 1/Å."""
        return float(np.linalg.norm(self.corners, axis=1).max())

    def shows(self, x: Any, y: Any) -> Any:
        """Whether vectors lie on the detector.

        Parameters
        ----------
        x, y
            In 1/Å, arrays or tensors of the same shape.

        Returns
        -------
        numpy.ndarray or torch.Tensor
            Of that shape.
        """
        first, second, third, fourth = (
            across * x + along * y <= distance for across, along, distance in self.edges.tolist()
        )
        return first & second & third & fourth
