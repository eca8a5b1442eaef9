"""The mean profile across walls, and how thick they are by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_CLASSES = 25


class ProfileError(ValueError):
    """A profile that is not that of a wall."""


class Gaussian(NamedTuple):
    """Height above its base, full width at half of the height in µm, and base."""

    height: float
    width: float
    base: float


@dataclass(frozen=True, eq=False)
class WallProfile:
    """Values of a map by their distance from the middle of a wall.

    Attributes
    ----------
    reach
        Greatest distance, in µm. Classes of distance are equally wide.
    totals, counts
        Sum and number of the values in each class, nearest first.
    """

    reach: float
    totals: NDArray[np.float64]
    counts: NDArray[np.integer]

    @classmethod
    def of(cls, distance: ArrayLike, values: ArrayLike, reach: float) -> WallProfile:
        """The profile of values at these distances; NaN and what lies beyond do not count."""
        distance, values = np.asarray(distance), np.asarray(values)
        near = (distance < reach) & np.isfinite(values)
        which = (distance[near] * (_CLASSES / reach)).astype(np.intp)
        totals = np.bincount(which, values[near], _CLASSES).astype(np.float64)
        return cls(reach, totals, np.bincount(which, minlength=_CLASSES))

    def __sub__(self, part: WallProfile) -> WallProfile:
        return WallProfile(self.reach, self.totals - part.totals, self.counts - part.counts)

    @property
    def distance(self) -> NDArray[np.floating]:
        """Middle of each class in µm."""
        return (np.arange(_CLASSES) + 0.5) * (self.reach / _CLASSES)

    @property
    def mean(self) -> NDArray[np.floating]:
        """Mean value in each class; NaN where there is none."""
        with np.errstate(invalid="ignore"):
            return self.totals / self.counts

    def fit(self) -> Gaussian:
        """Fit a Gaussian.

        Raises
        ------
        ProfileError
            If there is no such Gaussian.
        """
        from scipy.optimize import curve_fit

        known = self.counts > 0
        distance, mean, counts = self.distance[known], self.mean[known], self.counts[known]
        if len(mean) < 4:
            raise ProfileError(f"{len(mean)} distances from walls are too few for a profile")
        start = (mean[0] - mean[-1], self.reach / 2, mean[-1])
        try:
            found, _ = curve_fit(_gaussian, distance, mean, start, sigma=1 / np.sqrt(counts))
        except RuntimeError as error:
            raise ProfileError("no Gaussian fits the profile across walls") from error
        height, width, base = found.tolist()
        return Gaussian(height, abs(width), base)


def _gaussian(
    distance: NDArray[np.float64], height: float, width: float, base: float
) -> NDArray[np.float64]:
    return base + height * np.exp(-4 * np.log(2) * (distance / width) ** 2)
