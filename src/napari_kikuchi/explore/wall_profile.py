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
    distances, values
        Sums of the distances and of the values in each class, nearest first.
    counts
        How many there are.
    """

    reach: float
    distances: NDArray[np.floating]
    values: NDArray[np.floating]
    counts: NDArray[np.integer]

    @classmethod
    def of(cls, distance: ArrayLike, values: ArrayLike, reach: float) -> WallProfile:
        """The profile of values at these distances; NaN and what lies beyond do not count."""
        distance, values = np.asarray(distance), np.asarray(values)
        near = (distance < reach) & np.isfinite(values)
        # What lies nearly as far as the reach may be rounded up to it.
        which = np.minimum((distance[near] * (_CLASSES / reach)).astype(np.intp), _CLASSES - 1)
        return cls(
            reach,
            np.bincount(which, distance[near], _CLASSES).astype(np.float64),
            np.bincount(which, values[near], _CLASSES).astype(np.float64),
            np.bincount(which, minlength=_CLASSES),
        )

    def __sub__(self, part: WallProfile) -> WallProfile:
        return WallProfile(
            self.reach,
            self.distances - part.distances,
            self.values - part.values,
            self.counts - part.counts,
        )

    @property
    def distance(self) -> NDArray[np.floating]:
        """Mean distance in each class, in µm; NaN where there is none."""
        with np.errstate(invalid="ignore"):
            return self.distances / self.counts

    @property
    def mean(self) -> NDArray[np.floating]:
        """Mean value in each class; NaN where there is none."""
        with np.errstate(invalid="ignore"):
            return self.values / self.counts

    def fit(self) -> Gaussian:
        """Fit a Gaussian.

        Raises
        ------
        ProfileError
            If there is no such Gaussian.
        """
        from scipy.optimize import least_squares

        known = self.counts > 0
        distance, mean, counts = self.distance[known], self.mean[known], self.counts[known]
        if len(mean) < 4:
            raise ProfileError(f"{len(mean)} distances from walls are too few for a profile")

        def misfit(gaussian: NDArray[np.float64]) -> NDArray[np.floating]:
            height, width, base = gaussian
            fitted = base + height * np.exp(-4 * np.log(2) * (distance / width) ** 2)
            return np.sqrt(counts) * (fitted - mean)

        found = least_squares(misfit, (mean[0] - mean[-1], self.reach / 2, mean[-1]), method="lm")
        if not found.success:
            raise ProfileError("no Gaussian fits the profile across walls")
        height, width, base = found.x.tolist()
        if abs(width) > 2 * self.reach:
            raise ProfileError("the profile across walls does not fall to half of its height")
        return Gaussian(height, abs(width), base)
