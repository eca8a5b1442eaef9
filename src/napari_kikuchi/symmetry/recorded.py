"""Patterns of cubic phases as detectors record them, of crystals that stand anyhow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.spatial.transform import Rotation

from napari_kikuchi.simulate.detector import Detector
from napari_kikuchi.symmetry.folding import look_up
from napari_kikuchi.symmetry.sector import as_square

if TYPE_CHECKING:
    from numpy.typing import NDArray

Range = tuple[float, float]


@dataclass(frozen=True)
class Conditions:
    """How patterns are recorded; each pattern draws its own from these ranges.

    Attributes
    ----------
    size
        Height and width in pixels.
    centre_x, centre_y, distance
        Of the projection centre, as :class:`~napari_kikuchi.simulate.detector.Detector` has it.
    contrast
        Standard deviation of the bands, relative to the background: 3 % in real patterns of
        silicon and nickel.
    noise
        Of a pixel where the background has its mean, relative to it, drawn evenly in the logarithm.
        kikuchipy's real nickel scan has 1.7 % with 60 x 60 pixels.
    blur
        Standard deviation of the point spread in pixels.
    background_width
        Standard deviation of the Gaussian background in fractions of the height.
    """

    size: tuple[int, int] = (64, 64)
    centre_x: Range = (0.4, 0.6)
    centre_y: Range = (0.15, 0.6)
    distance: Range = (0.45, 0.75)
    contrast: Range = (0.025, 0.035)
    noise: Range = (0.008, 0.035)
    blur: Range = (0.4, 1.2)
    background_width: Range = (0.35, 0.8)


class Recorded(NamedTuple):
    """Patterns, and what is known of them.

    Attributes
    ----------
    patterns
        Intensities relative to the mean of the background, of shape (n, height, width).
    rotations
        From the sample's frame to the crystals', of shape (n, 3, 3).
    detectors
        One for each pattern.
    """

    patterns: NDArray[np.float32]
    rotations: NDArray[np.float32]
    detectors: list[Detector]


def record(
    master: NDArray[np.float32], count: int, conditions: Conditions, rng: np.random.Generator
) -> Recorded:
    """Simulate patterns of one phase in random orientations.

    Parameters
    ----------
    master
        Its intensities at the nodes of the square, standardised, of shape (nodes,).
    count
        How many patterns.
    conditions
        How they are recorded.
    rng
        Draws all that is random.
    """
    height, width = conditions.size
    square = as_square(master)
    rotations = Rotation.random(count, rng=rng).as_matrix().astype(np.float32)
    centres = [
        rng.uniform(*which, count).tolist()
        for which in (conditions.centre_x, conditions.centre_y, conditions.distance)
    ]
    detectors = [Detector(centre) for centre in zip(*centres, strict=True)]
    patterns = np.empty((count, height, width), np.float32)
    for pattern, rotation, detector in zip(patterns, rotations, detectors, strict=True):
        directions = np.ascontiguousarray(detector.directions(conditions.size).T, np.float32)
        look_up(square, rotation, directions, pattern.reshape(-1))
    patterns = _blurred(patterns, rng.uniform(*conditions.blur, count))
    light = _backgrounds(conditions, count, rng)
    contrast = rng.uniform(*conditions.contrast, count)[:, None, None]
    least, most = np.log(conditions.noise).tolist()
    noise = np.exp(rng.uniform(least, most, count))[:, None, None]
    expected = light * (1 + contrast * patterns)
    recorded = expected + noise * np.sqrt(light) * rng.standard_normal(patterns.shape, np.float32)
    return Recorded(recorded.astype(np.float32), rotations, detectors)


def _blurred(patterns: NDArray[np.float32], sigmas: NDArray[np.float64]) -> NDArray[np.float32]:
    """Each pattern by its own Gaussian; beyond its edges the outermost pixels go on."""
    from scipy.ndimage import gaussian_filter

    blurred = [
        gaussian_filter(pattern, sigma, mode="nearest", truncate=3.0)
        for pattern, sigma in zip(patterns, sigmas, strict=True)
    ]
    return np.stack(blurred)


def _backgrounds(
    conditions: Conditions, count: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Gaussian light of mean 1, brightest somewhere about the middle."""
    height, width = conditions.size
    down, right = (np.arange(side) / height for side in (height, width))
    sigma, y, x = (
        rng.uniform(*which, count)[:, None]
        for which in (
            conditions.background_width,
            (0.3, 0.7),
            (0.3 * width / height, 0.7 * width / height),
        )
    )
    light = (
        np.exp(-((down - y) ** 2) / (2 * sigma**2))[:, :, None]
        * np.exp(-((right - x) ** 2) / (2 * sigma**2))[:, None]
    )
    return (light / light.mean(axis=(1, 2), keepdims=True)).astype(np.float32)
