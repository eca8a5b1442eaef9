"""Draws spots on a detector, as mean counts of its pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.orientation.spot_calibration import SpotCalibration

# Width of the edge of a disc in pixels.
_EDGE = 0.7
# A Gaussian spot has this standard deviation in radii, and is drawn out to so many radii.
_GAUSSIAN, _GAUSSIAN_REACH = 0.5, 2.0
# Of the diffuse background: how far from the direct beam it falls to 1/e, and, where the specimen
# is amorphous, radius and width of the halo; in 1/Å.
_DIFFUSE, _HALO, _HALO_WIDTH = 0.5, 0.45, 0.08


@dataclass(frozen=True)
class Exposure:
    """How patterns are recorded.

    Attributes
    ----------
    dose
        Mean counts of a pattern.
    radius
        Of a spot in pixels.
    form
        ``"disc"``: of a convergent beam; ``"gaussian"``: a spot that is blurred, with a standard
        deviation of half the radius.
    direct_beam
        Counts of the direct beam over those of the strongest spot; 0: it is blocked.
    background
        Share of the dose that is diffuse.
    """

    dose: float = 50_000.0
    radius: float = 3.0
    form: Literal["disc", "gaussian"] = "disc"
    direct_beam: float = 5.0
    background: float = 0.3


@dataclass(frozen=True, eq=False)
class SpotRenderer:
    """Draws patterns.

    Attributes
    ----------
    calibration
        Of the detector.
    pattern_shape
        Height and width of a pattern in pixels.
    radius, form
        Of a spot, see :class:`Exposure`.
    """

    calibration: SpotCalibration
    pattern_shape: tuple[int, int]
    radius: float
    form: Literal["disc", "gaussian"] = "disc"

    def sharp(
        self, positions: NDArray[np.integer], spots: NDArray[np.floating], direct: NDArray
    ) -> NDArray[np.float64]:
        """What is diffracted, and the direct beam.

        Parameters
        ----------
        positions
            Row and column of the scan of each pattern, of shape (n, 2).
        spots
            kx and ky in 1/Å in the sample's frame, and counts, of shape (n, spots, 3).
        direct
            Counts of the direct beam, of shape (n,).

        Returns
        -------
        numpy.ndarray
            Mean counts of each pixel, of shape (n, height, width).
        """
        column, row = self.calibration.to_pixels(spots[..., 0], spots[..., 1], positions)
        centres = self._centres(positions)
        return self._draw(
            np.concatenate([column, centres[:, 1:]], axis=1),
            np.concatenate([row, centres[:, :1]], axis=1),
            np.concatenate([spots[..., 2], direct[:, None]], axis=1),
        )

    def diffuse(
        self, positions: NDArray[np.integer], counts: NDArray, amorphous: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """What is scattered anywhere.

        Parameters
        ----------
        positions
            As of :meth:`sharp`.
        counts
            Of all pixels together, of shape (n,).
        amorphous
            Where the specimen has a halo, of shape (n,).

        Returns
        -------
        numpy.ndarray
            Mean counts of each pixel, of shape (n, height, width).
        """
        height, width = self.pattern_shape
        y, x = np.ogrid[:height, :width]
        row, column = self._centres(positions).T[:, :, None, None]
        radius = self.calibration.scale * np.hypot(y - row, x - column)
        share = np.exp(-radius / _DIFFUSE)
        share[amorphous] += np.exp(-(((radius[amorphous] - _HALO) / _HALO_WIDTH) ** 2) / 2)
        share /= share.sum(axis=(1, 2), keepdims=True)
        return counts[:, None, None] * share

    def _centres(self, positions: NDArray[np.integer]) -> NDArray[np.float64]:
        return np.broadcast_to(self.calibration.centres(positions), (len(positions), 2))

    def _draw(self, column: NDArray, row: NDArray, counts: NDArray) -> NDArray[np.float64]:
        (n, _), (height, width) = counts.shape, self.pattern_shape
        reach = _GAUSSIAN_REACH if self.form == "gaussian" else 1.0
        half = int(np.ceil(reach * self.radius + 1))
        pattern, spot = np.nonzero(counts)
        column, row, counts = (each[pattern, spot, None, None] for each in (column, row, counts))
        window = np.arange(-half, half + 1)
        y, x = np.rint(row).astype(int) + window[:, None], np.rint(column).astype(int) + window
        values = self._profile(np.hypot(y - row, x - column))
        values *= counts / values.sum(axis=(1, 2), keepdims=True)
        inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        flat = (pattern[:, None, None] * height + y) * width + x
        drawn = np.zeros(n * height * width)
        np.add.at(drawn, flat[inside], values[inside])
        return drawn.reshape(n, height, width)

    def _profile(self, distance: NDArray) -> NDArray[np.float64]:
        if self.form == "gaussian":
            return np.exp(-((distance / (_GAUSSIAN * self.radius)) ** 2) / 2)
        return np.clip((self.radius - distance) / _EDGE + 0.5, 0, 1)
