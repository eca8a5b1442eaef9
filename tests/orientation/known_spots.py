"""Spots of scans whose truth is known, as a file of spots would give them."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from napari_kikuchi.orientation.kept_libraries import LibrarySettings
from napari_kikuchi.orientation.simulated_scan import simulate_spot_scan

# Coarse templates, quickly made.
COARSE = LibrarySettings(thicknesses=(100.0,), kinematical=True, k_max=1.5, step=5.0, fine_step=1.0)


@dataclass(eq=False)
class KnownSpots:
    """Has the methods of ScanSpots, without a file and without errors of detection."""

    truth: object
    present: np.ndarray
    provenance: dict = field(default_factory=dict)

    @property
    def shape(self):
        return self.truth.phases.shape

    # As long as the truth does not tell of a detector, all that it shows is shown.
    pattern_shape = None

    @property
    def fingerprint(self):
        return (self.provenance.get("scan") or {}).get("fingerprint")

    @cached_property
    def _pixels(self):
        positions = np.argwhere(np.ones(self.shape, bool))
        spots = self.truth.spots(positions)
        column, row = self.truth.calibration.to_pixels(spots[..., 0], spots[..., 1], positions)
        seen = spots[..., 2:] > 0
        pixels = np.where(seen, np.stack([column, row, spots[..., 2]], axis=-1), 0)
        return pixels.astype(np.float32).reshape(*self.shape, -1, 3)

    @cached_property
    def counts(self):
        return np.where(self.present, (self._pixels[..., 2] > 0).sum(axis=2), -1).astype(np.int32)

    def rows(self, start, stop):
        return self._pixels[start:stop] * self.present[start:stop, :, None, None]


def known_spots(crystals, shape=(12, 16), seed=0):
    """Grains of the crystals around a hole, and two positions without a pattern."""
    _, truth = simulate_spot_scan(shape, crystals, seed=seed)
    present = np.ones(shape, bool)
    present[0, :2] = False
    scan = {"name": "known", "grid": "square", "fingerprint": {"seed": seed}}
    return KnownSpots(truth, present, {"scan": scan})
