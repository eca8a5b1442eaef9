"""The scale of a detector, from how far spots of a known crystal lie from the direct beam.

On a logarithmic scale another camera length moves all distances alike: how often each occurs is
compared with how often it occurs in patterns of a crystal that is turned in all ways.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.crystals.crystal import Crystal

# Width of a bin of the logarithm of distances.
_BIN = 5e-4
# What is compared is finer than the one and coarser than the other: standard deviations.
_FINE, _COARSE = 0.006, 0.05
# The finer one of those with which the scale is made exact.
_WIDTHS = (0.003, 0.006, 0.012)
# Scales are other ones if they differ by more than this, and one is sure that is so much better.
_OTHER, _SURE = 0.1, 1.4
# Patterns whose distances are expected.
_ORIENTATIONS = 600
# The most ellipticity, as half the logarithm of the ratio of the axes, and the steps of the search.
_MOST_ELLIPTIC, _STEPS = 0.06, 9
# None is looked for if without one the fit is so good, as a share.
_AS_GOOD = 0.8
# Groups of patterns that are fitted by themselves, to see how far they agree; a distortion is told
# if it is so many standard errors, and at least so large.
_GROUPS, _SIGNIFICANT, _LEAST_ELLIPTIC = 4, 4.0, 1e-3


@dataclass(frozen=True)
class RingFit:
    """A scale, and how sure it is.

    Attributes
    ----------
    scale
        Of a pixel in 1/Å.
    error
        Standard error of the scale, as a share of it.
    ratio, ratio_angle
        Of the axes of a circle's image, and in degrees from rows towards columns of the longer one;
        1 and 0 where the data do not tell it from a circle.
    score
        How alike found and expected distances are, at most 1; less if the scale is not likely.
    second_scale, second_score
        Of the best other scale.
    """

    scale: float
    error: float
    ratio: float
    ratio_angle: float
    score: float
    second_scale: float
    second_score: float

    @property
    def sure(self) -> bool:
        """Whether the scale is much better than any other."""
        return self.score > _SURE * max(self.second_score, 0.0)


class RingFitter:
    """Fits distances of spots to those of crystals.

    Parameters
    ----------
    crystals
        Of which the sample is made.
    voltage
        In kV.
    k_max
        Up to which length of reciprocal lattice vectors spots are expected, in 1/Å.
    """

    def __init__(self, crystals: Sequence[Crystal], voltage: float, k_max: float) -> None:
        self._logs = [np.log(_distances(crystal, voltage, k_max)) for crystal in crystals]
        self._k_max = k_max

    def __call__(
        self,
        away: NDArray[np.float64],
        groups: NDArray[np.integer],
        limits: tuple[float, float],
        scales: tuple[float, float],
        *,
        likely: tuple[float, float] | None = None,
        elliptic: bool = True,
    ) -> RingFit:
        """Find the scale.

        Parameters
        ----------
        away
            Rows and columns of spots from the direct beam, in pixels, of shape (n, 2).
        groups
            Number of the pattern of each spot, in the order of the scan, of shape (n,).
        limits
            Least and largest distance at which spots could be found, in pixels.
        scales
            Least and largest scale that is tried, in 1/Å.
        likely
            The scale that is expected, in 1/Å, and its standard error as a share; None: all are as
            likely.
        elliptic
            Whether to look for a distortion, too.

        Raises
        ------
        ValueError
            If there are too few spots within the limits.
        """
        logs = np.log(np.hypot(*away.T).clip(min=1e-9))
        first, last = (math.log(limit) for limit in limits)
        inside = (logs > first) & (logs < last)
        if inside.sum() < 10:
            raise ValueError(
                f"expected 10 spots at least, {limits[0]:.0f} to {limits[1]:.0f} pixels from the "
                f"direct beam, to find the scale, found {inside.sum()}"
            )
        logs, angles, groups = logs[inside], np.arctan2(*away[inside, ::-1].T), groups[inside]
        expected = _Expected(self._logs, first + math.log(scales[0]), last + math.log(scales[1]))
        distortions = _distortions() if elliptic else np.zeros((1, 2))
        scores = np.stack(
            [
                expected.compare(_sharp(_histogram(_round(logs, angles, one), first, last)))
                for one in distortions
            ]
        )
        # A distortion of few rings fits much by chance.
        if scores[0].max() > _AS_GOOD * scores.max():
            scores, distortions = scores[:1], distortions[:1]
        tried = expected.first - first + _BIN * np.arange(scores.shape[1])
        if likely is not None:
            scores = scores * np.exp(-(((tried - math.log(likely[0])) / likely[1]) ** 2) / 2)
        at_best, of_scale = scores.argmax(axis=0), scores.max(axis=0)
        best = int(of_scale.argmax())
        other = np.flatnonzero(np.abs(tried - tried[best]) > _OTHER)
        second = int(other[of_scale[other].argmax()]) if len(other) else best
        start = np.array([tried[best], *distortions[at_best[best]]])
        found = expected.refine(logs, angles, start, elliptic)
        # Of patterns side by side, which may show the same grain.
        part_of = groups * _GROUPS // (groups.max() + 1)
        chosen = [part_of == group for group in range(_GROUPS)]
        parts = [
            expected.refine(logs[part], angles[part], found, elliptic)
            for part in chosen
            if part.sum() > 10
        ]
        error = np.std(parts, axis=0, ddof=1) / math.sqrt(len(parts)) if parts[1:] else 0 * found
        size = math.hypot(*found[1:])
        if size < max(_SIGNIFICANT * math.hypot(*error[1:]), _LEAST_ELLIPTIC) and elliptic:
            found = expected.refine(logs, angles, np.array([found[0], 0.0, 0.0]), elliptic=False)
            size = 0.0
        return RingFit(
            math.exp(found[0]),
            float(error[0]),
            math.exp(2 * size),
            math.degrees(math.atan2(found[2], found[1]) / 2) if size else 0.0,
            float(of_scale[best]),
            math.exp(tried[second]),
            float(of_scale[second]) if len(other) else 0.0,
        )


class _Expected:
    """How often logarithms of distances occur, of known crystals, from a least to a largest one."""

    def __init__(self, logs: Sequence[NDArray[np.float64]], first: float, last: float) -> None:
        self.first = first
        each = [_histogram(one, first, last) / len(one) for one in logs]
        together = np.sum(each, axis=0)
        self.curve = _sharp(together)
        # Of other widths, all of one norm.
        curves = [_sharp(together, width) for width in _WIDTHS]
        self._curves = [curve / np.linalg.norm(curve) for curve in curves]

    def compare(self, curve: NDArray[np.float64]) -> NDArray[np.float64]:
        """How alike a curve is that begins at each bin, as far as it fits in."""
        from scipy.signal import correlate

        products = correlate(self.curve, curve, "valid", "fft")
        norms = np.sqrt(correlate(self.curve**2, np.ones(len(curve)), "valid", "fft").clip(min=0))
        # Where next to nothing is expected, nothing can be said.
        known = norms > 0.05 * norms.max()
        scores = np.zeros(len(products))
        scores[known] = products[known] / norms[known] / max(np.linalg.norm(curve), 1e-12)
        return scores

    def refine(
        self,
        logs: NDArray[np.float64],
        angles: NDArray[np.float64],
        start: NDArray[np.float64],
        elliptic: bool,
    ) -> NDArray[np.float64]:
        """Logarithm of the scale and of the stretch along two axes, where spots fit best."""
        from scipy.optimize import minimize

        places = self.first + _BIN * (np.arange(len(self.curve)) + 0.5)
        free = 3 if elliptic else 1

        def misfit(values: NDArray[np.float64], curve: NDArray[np.float64]) -> float:
            moved = (_round(logs, angles, values[1:]) if elliptic else logs) + values[0]
            return -float(np.interp(moved, places, curve, 0.0, 0.0).mean())

        # As wide as the spots are scattered.
        curve = min(self._curves, key=lambda one: misfit(start, one))
        simplex = start[:free] + np.vstack([np.zeros(free), 0.004 * np.eye(free)])
        found = minimize(
            misfit,
            start[:free],
            (curve,),
            method="Nelder-Mead",
            options={"initial_simplex": simplex, "xatol": 1e-5, "fatol": 1e-9},
        ).x
        return np.concatenate([found, np.zeros(3 - free)])


def _distortions() -> NDArray[np.float64]:
    """Stretches along two axes that are tried, of shape (n, 2); none at first."""
    steps = np.linspace(-_MOST_ELLIPTIC, _MOST_ELLIPTIC, _STEPS)
    grid = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    size = np.hypot(*grid.T)
    return grid[np.argsort(size, kind="stable")][: np.count_nonzero(size < 1.01 * _MOST_ELLIPTIC)]


def _round(
    logs: NDArray[np.float64], angles: NDArray[np.float64], stretch: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Logarithms of distances, without the distortion."""
    size = max(math.hypot(*stretch), 1e-12)
    along = (stretch[0] * np.cos(2 * angles) + stretch[1] * np.sin(2 * angles)) / size
    # exp(-size) along the longer axis, exp(size) across it.
    return logs + np.log(math.cosh(2 * size) - math.sinh(2 * size) * along) / 2


def _distances(crystal: Crystal, voltage: float, k_max: float) -> NDArray[np.float64]:
    """Of spots of a crystal turned in all ways, in 1/Å."""
    from scipy.spatial.transform import Rotation

    from napari_kikuchi.orientation.kinematical import KinematicalSpots

    simulate = KinematicalSpots(crystal, voltage=voltage, k_max=k_max, most_spots=256)
    rotations = Rotation.random(_ORIENTATIONS, rng=np.random.default_rng(0)).as_matrix()
    x, y, intensity = np.moveaxis(simulate(rotations).numpy().astype(np.float64), -1, 0)
    return np.hypot(x, y)[intensity > 0]


def _histogram(logs: NDArray[np.float64], first: float, last: float) -> NDArray[np.float64]:
    number = np.floor((logs - first) / _BIN).astype(np.int64)
    count = int((last - first) / _BIN)
    return np.bincount(number[(number >= 0) & (number < count)], minlength=count).astype(np.float64)


def _sharp(histogram: NDArray[np.float64], fine: float = _FINE) -> NDArray[np.float64]:
    """What of a histogram is finer than its surroundings, in units of chance."""
    from scipy.ndimage import gaussian_filter1d

    sharp, coarse = (
        gaussian_filter1d(histogram, width / _BIN, mode="constant") for width in (fine, _COARSE)
    )
    return (sharp - coarse) / np.sqrt(coarse + 1e-3 * coarse.max() + 1e-12)
