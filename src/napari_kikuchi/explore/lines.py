"""Straight bands in an image, found by the Radon transform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ANGLES = 180
# Widths tried, in parts of the image's height: those of strong Kikuchi bands at usual voltages and
# distances of the screen.
_WIDTHS = 0.02 * 1.35 ** np.arange(6)
# A line shorter than this share of the signal mask's size may be a bright spot.
_SHORTEST = 0.3
# Robust standard deviations by which a band stands out from all lines: in simulated patterns nearly
# all that do are bands of strong reflectors, and of those with three, half are not.
_STANDS_OUT = 4.0
_STEPS_TO_REFINE = 60
# Positions in the transform between two peaks.
_PEAK_DISTANCE = 2


@dataclass(frozen=True)
class Line:
    """A straight band of an image.

    Its centre line holds the points x cos(theta) + y sin(theta) = rho, where x runs to the right
    and y upwards from the middle of the image.

    Attributes
    ----------
    theta
        Direction of its normal, counter-clockwise from the right, in degrees.
    rho
        Distance of the centre line from the middle of the image along the normal, in pixels.
    width
        In pixels.
    """

    theta: float
    rho: float
    width: float

    def distances(self, rows: NDArray, cols: NDArray, shape: tuple[int, ...]) -> NDArray:
        """Distance of places from the centre line along its normal, in an image of a shape."""
        up, right = (shape[0] - 1) / 2 - rows, cols - (shape[1] - 1) / 2
        angle = np.deg2rad(self.theta)
        return right * np.cos(angle) + up * np.sin(angle) - self.rho

    def ends(self, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Where the centre line enters and leaves a mask: row and column of both ends, (2, 2).

        Empty, of shape (0, 2), if it misses the mask.
        """
        angle = np.deg2rad(self.theta)
        reach = np.hypot(*mask.shape) / 2
        along = np.linspace(-reach, reach, int(4 * reach) + 1)
        rows = (mask.shape[0] - 1) / 2 - self.rho * np.sin(angle) + along * np.cos(angle)
        cols = (mask.shape[1] - 1) / 2 + self.rho * np.cos(angle) + along * np.sin(angle)
        points = np.stack([rows, cols], axis=1)
        nearest = np.rint(points).astype(int)
        inside = ((nearest >= 0) & (nearest < mask.shape)).all(axis=1)
        inside[inside] = mask[tuple(nearest[inside].T)]
        return points[inside][[0, -1]] if inside.any() else points[:0]

    def contrast_weights(self, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Weights of a mask's pixels whose sum is the band's contrast: its mean less its flanks'.

        The flanks are half as wide as the band, one on each side; pixels on an edge count in part.
        All weights are 0 where band or flanks hold none of the pixels.
        """
        rows, cols = np.nonzero(mask)
        distance = np.abs(self.distances(rows, cols, mask.shape))
        band = np.clip(self.width / 2 + 0.5 - distance, 0, 1)
        flanks = np.clip(self.width + 0.5 - distance, 0, 1) - band
        if not (band.any() and flanks.any()):
            return np.zeros(distance.shape)
        return band / band.sum() - flanks / flanks.sum()


class LineFinder:
    """Finds straight bands in images that have a signal inside a mask.

    Parameters
    ----------
    mask
        Of shape (height, width); pixels outside do not count.
    """

    def __init__(self, mask: NDArray[np.bool_]) -> None:
        self.mask = mask
        self._lengths = _radon(mask)

    def __call__(self, image: NDArray, *, dark: bool = False) -> list[Line]:
        """Find the bands that stand out, the strongest first.

        Parameters
        ----------
        image
            Without a smooth background, of the shape of the mask.
        dark
            Whether to find bands that are darker than their flanks, too.

        Notes
        -----
        A band is where the sums along lines, taken over its width and its flanks and divided by
        the numbers of their pixels, differ most in terms of the error that white noise would give
        the difference. Peaks of the Radon transform are refined on the pixels themselves. Widths
        are known to a pixel, less well along rows and columns.
        """
        from skimage.feature import peak_local_max

        strength, widths = self._strengths(image, dark)
        wrapped = _wrapped(strength, _PEAK_DISTANCE)
        found: list[Line] = []
        for row, col in peak_local_max(
            wrapped, _PEAK_DISTANCE, threshold_abs=_STANDS_OUT, exclude_border=False
        ):
            theta = int(col) - _PEAK_DISTANCE
            if not 0 <= theta < _ANGLES:
                continue
            peak = self._line(theta, int(row) - len(strength) // 2, float(widths[row, theta]))
            line = self._refined(peak, image[self.mask], dark)
            # A band at the very border may have its centre line outside.
            inside = len(line.ends(self.mask)) > 0
            if inside and not any(self.same(line, other) for other in found):
                found.append(line)
        return found

    def _strengths(self, image: NDArray, dark: bool) -> tuple[NDArray, NDArray]:
        """How far each line stands out, and at which width: distances x angles."""
        from scipy.stats import median_abs_deviation

        sums = _radon(np.where(self.mask, image, 0))
        shortest = _SHORTEST * np.sqrt(self.mask.sum())
        strength = np.full(sums.shape, -np.inf)
        widths = np.zeros(sums.shape)
        for width in _WIDTHS * len(image):
            band, flanks = _profile(width)
            pixels = [_along(self._lengths, part) for part in (band, flanks)]
            long = np.minimum(*pixels) > shortest * width
            pixels = [np.where(long, part, 1) for part in pixels]
            means = [_along(sums, part) / n for part, n in zip((band, flanks), pixels, strict=True)]
            apart = (means[0] - means[1]) / np.sqrt(1 / pixels[0] + 1 / pixels[1])
            better = long & ((np.abs(apart) if dark else apart) > strength)
            strength[better] = np.abs(apart[better]) if dark else apart[better]
            widths[better] = width
        known = np.isfinite(strength)
        if not known.any():
            return np.zeros(sums.shape), widths
        usual = np.median(strength[known])
        spread = median_abs_deviation(strength[known], scale="normal")
        return np.where(known & (spread > 0), (strength - usual) / (spread or 1), 0), widths

    def _line(self, theta: float, distance: float, width: float) -> Line:
        """A line of the transform, whose middle is a pixel: that of an even image lies between."""
        height, wide = self.mask.shape
        rho = Line(theta, -distance, width).distances(height // 2, wide // 2, self.mask.shape)
        return Line(theta, float(rho), width)

    def _refined(self, line: Line, values: NDArray, dark: bool) -> Line:
        """The line nearby along which the contrast is the most significant."""
        from scipy.optimize import minimize

        widest = _WIDTHS[-1] * len(self.mask)

        def weakness(parameters: NDArray) -> float:
            candidate = Line(*parameters)
            if not 1 <= candidate.width <= widest:
                return 0.0
            weights = candidate.contrast_weights(self.mask)
            size = np.sqrt(weights @ weights)
            contrast = weights @ values
            return -float((abs(contrast) if dark else contrast) / size) if size else 0.0

        start = np.array([line.theta, line.rho, line.width])
        around = np.diag([0.5, 0.5, 0.2 * line.width])
        best = minimize(
            weakness,
            start,
            method="Nelder-Mead",
            options={
                "initial_simplex": np.vstack([start, start + around]),
                "maxfev": _STEPS_TO_REFINE,
            },
        ).x
        return Line(*map(float, best))

    def same(self, one: Line, other: Line) -> bool:
        """Whether a line runs along another, closer than their width on average."""
        rows, cols = one.ends(self.mask).T
        away = np.abs(other.distances(rows, cols, self.mask.shape))
        return bool(away.mean() < max(one.width, other.width))


def _radon(image: NDArray) -> NDArray[np.float64]:
    """Sums along lines: distances, of which the middle one is 0, x angles."""
    from skimage.transform import radon

    # Odd, so that a pixel is the middle; all of the image lies in the circle that is transformed.
    side = int(np.ceil(np.hypot(*image.shape))) // 2 * 2 + 3
    frame = np.zeros((side, side))
    top, left = (side // 2 - length // 2 for length in image.shape)
    frame[top : top + image.shape[0], left : left + image.shape[1]] = image
    return radon(frame, np.arange(_ANGLES), circle=True)


def _wrapped(transform: NDArray, margin: int) -> NDArray:
    """A transform that goes on beyond its first and last angle, where distances change sign."""
    turned = transform[::-1]
    return np.hstack([turned[:, -margin:], transform, turned[:, :margin]])


def _profile(width: float) -> tuple[NDArray, NDArray]:
    """Weights of the distances that belong to a band and to its flanks."""
    reach = int(np.ceil(width + 0.5))
    distance = np.abs(np.arange(-reach, reach + 1))
    band = np.clip(width / 2 + 0.5 - distance, 0, 1)
    return band, np.clip(width + 0.5 - distance, 0, 1) - band


def _along(transform: NDArray, weights: NDArray) -> NDArray:
    from scipy.ndimage import convolve1d

    return convolve1d(transform, weights, axis=0, mode="constant")
