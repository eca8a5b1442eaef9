"""Where the screen stands: from its pixels to directions in the sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Detector:
    """Geometry of an EBSD detector, the same for every position of a scan.

    Attributes
    ----------
    pc
        Projection centre (x, y, z) in Bruker's convention: x from the left and y from the top, in
        fractions of the pattern's width and height; z, the distance from sample to screen, in
        fractions of its height. The default is that of kikuchipy's nickel scan.
    tilt
        Of the screen from the vertical, in degrees.
    sample_tilt
        Of the sample from the horizontal, in degrees.
    """

    pc: tuple[float, float, float] = (0.42, 0.22, 0.50)
    tilt: float = 0.0
    sample_tilt: float = 70.0

    def directions(self, shape: tuple[int, int]) -> NDArray[np.float64]:
        """Unit vectors from the sample to the pixel centres, in the sample's frame.

        Parameters
        ----------
        shape
            Height and width of a pattern in pixels.

        Returns
        -------
        numpy.ndarray
            Of shape (height * width, 3). The sample's x runs down the tilted surface, along the
            rows of the scan (RD); y to the right, along its columns (TD); z is the surface's
            normal (ND).
        """
        height, width = shape
        x, y, z = self.pc
        # Seen from the sample with z towards the screen, in fractions of the screen's height.
        across = ((np.arange(width) + 0.5) / width - x) * width / height
        up = y - (np.arange(height) + 0.5) / height
        up, across = np.meshgrid(up, across, indexing="ij")
        # Between the screen's normal and the sample's.
        angle = np.deg2rad(90.0 - self.sample_tilt + self.tilt)
        sample_x = z * np.sin(angle) - up * np.cos(angle)
        sample_z = z * np.cos(angle) + up * np.sin(angle)
        vectors = np.stack([sample_x, across, sample_z], axis=-1).reshape(-1, 3)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
