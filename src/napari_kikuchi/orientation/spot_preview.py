"""The spots of single patterns, found while somebody looks at them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from napari_kikuchi.orientation.detection_settings import Detection
from napari_kikuchi.scan import Scan

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_kikuchi.orientation.detection import SpotDetector


@dataclass(frozen=True, eq=False)
class SpotPreview:
    """What :func:`~napari_kikuchi.orientation.find_spots.find_spots` would find, here and there.

    Attributes
    ----------
    scan
        Of diffraction patterns with spots.
    detection
        How.
    """

    scan: Scan
    detection: Detection

    def at(self, row: int, col: int) -> NDArray[np.float32]:
        """Spots of one pattern.

        Returns
        -------
        numpy.ndarray
            Column, row and intensity of each, in pixels, strongest first, of shape (n, 3).

        Raises
        ------
        OSError
            If the pattern cannot be read.
        """
        found = self._detector(self.scan.read(row, col)[None])[0].numpy()
        return found[found[:, 2] > 0]

    @cached_property
    def _detector(self) -> SpotDetector:
        from napari_kikuchi.orientation.detection import SpotDetector

        return SpotDetector(self.scan.pattern_shape, self.detection)
