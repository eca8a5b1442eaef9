"""Where the direct beam is among the spots of many patterns, and how it wanders over a scan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.orientation.spot_calibration import Descan

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Of strongest spots so many lie where the beam is, if it is there to be seen.
_MOSTLY = 0.5
# Strongest spots of a pattern of which pairs are taken, and the most patterns.
_PAIRED, _PAIRED_PATTERNS = 24, 400
# Another centre is better if this share more of the spots has one opposite it, of so many in a
# pattern at least; intensities of such a pair differ by no more than this factor.
_MORE_PAIRED, _LEAST_PAIRED, _ALIKE = 0.25, 4.0, 5.0
# With no beam to be seen, this share is enough.
_SOME_PAIRED = 0.1
# A wandering is told if it is above so many of its standard errors, and pixels over the scan.
_SIGNIFICANT, _LEAST_WANDERING = 4.0, 0.1
# How much closer the beam is looked for in each round.
_CLOSER = 0.6


class NoBeamError(ValueError):
    """Spots that do not show where the direct beam is."""


@dataclass(frozen=True)
class BeamPlace:
    """Where the direct beam is.

    Attributes
    ----------
    centre
        Row and column in pixels, on average over the scan.
    descan
        How it wanders; None: not, as far as patterns tell.
    spread
        Standard deviation along rows and columns of what that leaves, in pixels, as the median
        deviation tells it.
    wandering
        Largest distance of two places over the scan, in pixels.
    share
        Of patterns that show the beam; 0 if it is blocked and its place that about which spots lie
        in pairs.
    """

    centre: tuple[float, float]
    descan: Descan | None
    spread: tuple[float, float]
    wandering: float
    share: float


def find_beam(
    pixels: NDArray[np.float32],
    positions: NDArray[np.integer],
    shape: tuple[int, int],
    radius: float,
) -> BeamPlace:
    """Find the direct beam.

    Parameters
    ----------
    pixels
        Column, row and intensity of spots, strongest first, of shape (n, most, 3).
    positions
        Row and column of the scan for each pattern, of shape (n, 2).
    shape
        Rows and columns of the scan.
    radius
        Of a spot in pixels.

    Raises
    ------
    NoBeamError
        If the strongest spots lie here and there, and no place has spots in pairs around it.
    """
    seen = pixels[:, 0, 2] > 0
    pixels, positions = pixels[seen], positions[seen]
    if len(pixels) < 3:
        raise NoBeamError(
            f"expected spots in at least 3 patterns to find the direct beam, found {len(pixels)}. "
            "Say where the direct beam is and how large a pixel (--centre and --scale), or let "
            "weaker spots be found"
        )
    reach = max(2.0, radius)
    terms = _terms(positions, shape)
    places = pixels[:, 0, 1::-1].astype(np.float64)
    fit = _robust_plane(terms, places, reach)
    share = float(np.mean(_away(places, terms @ fit) < reach))
    paired = _paired_centre(pixels, radius)
    if paired is not None:
        there, number = _pairing(pixels, paired, radius)
        here, _ = _pairing(pixels, fit[0], radius)
        # A lone crystal with its beam blocked has its strongest spot in one place, too.
        better = number > _LEAST_PAIRED and there > here + _MORE_PAIRED
        if better or (share <= _MOSTLY and there > _SOME_PAIRED):
            fit = np.zeros((3, 2))
            fit[0] = paired
            # As it wanders, it may be a little further away; a weak beam is one, too.
            seen = _away(pixels[..., 1::-1], paired) < 2 * reach
            share = float(np.mean((seen & (pixels[..., 2] > 0)).any(axis=1)))
            if share <= _MOSTLY:
                return BeamPlace((float(paired[0]), float(paired[1])), None, (0.0, 0.0), 0.0, 0.0)
            return _measured(pixels, terms, fit, shape, 2 * reach)
    if share <= _MOSTLY:
        raise NoBeamError(
            f"expected the direct beam as the strongest spot of most patterns, found that in "
            f"{share:.0%} of {len(pixels)} patterns, and no place with spots in pairs around it. "
            "Give the centre of the patterns."
        )
    return _measured(pixels, terms, fit, shape, reach)


def _terms(positions: NDArray[np.integer], shape: tuple[int, int]) -> NDArray[np.float64]:
    """1 and the distance down and to the right from the middle of the scan, of shape (n, 3)."""
    away = positions - _middle(shape)
    return np.column_stack([np.ones(len(away)), away])


def _middle(shape: tuple[int, int]) -> NDArray[np.float64]:
    return (np.array(shape) - 1) / 2


def _robust_plane(
    terms: NDArray[np.float64], places: NDArray[np.float64], reach: float
) -> NDArray[np.floating]:
    """Coefficients of shape (3, 2) of places that most agree on: Cauchy weights, ever narrower."""
    fit: NDArray[np.floating] = np.zeros((3, 2))
    fit[0] = np.median(places, axis=0)
    width = max(reach, float(np.median(_away(places, fit[0]))) * 2)
    while width > reach / 2:
        for _ in range(3):
            weight = 1 / (1 + (_away(places, terms @ fit) / width) ** 2)
            root = np.sqrt(weight)[:, None]
            fit = np.linalg.lstsq(root * terms, root * places, rcond=None)[0]
        width *= _CLOSER
    return fit


def _measured(
    pixels: NDArray, terms: NDArray, fit: NDArray, shape: tuple[int, int], reach: float
) -> BeamPlace:
    """The beam wherever a pattern shows it near its place, strongest or not."""
    expected = terms @ fit
    near = (_away(pixels[..., 1::-1], expected[:, None]) < reach) & (pixels[..., 2] > 0)
    found = near.any(axis=1)
    places = pixels[found, near.argmax(axis=1)[found], 1::-1].astype(np.float64)
    terms = terms[found]
    fit = _robust_plane(terms, places, reach)
    rest = places - terms @ fit
    spread = 1.4826 * np.median(np.abs(rest - np.median(rest, axis=0)), axis=0)
    corners = np.array([(row, col) for row in (0, shape[0] - 1) for col in (0, shape[1] - 1)])
    at_corners = _terms(corners, shape)[:, 1:] @ fit[1:]
    wandering = float(_away(at_corners[:, None], at_corners[None]).max())
    # Of a slope through places that are spread evenly over the scan, times its extent.
    error = float(np.hypot(*spread)) * np.sqrt(12 / len(places))
    wanders = wandering > max(_SIGNIFICANT * error, _LEAST_WANDERING)
    row, col = fit[0] if wanders else np.median(places, axis=0)
    down, right = fit[1:]
    descan = Descan(
        (float(_middle(shape)[0]), float(_middle(shape)[1])),
        ((float(down[0]), float(right[0])), (float(down[1]), float(right[1]))),
    )
    return BeamPlace(
        (float(row), float(col)),
        descan if wanders else None,
        (float(spread[0]), float(spread[1])),
        wandering,
        float(found.mean()),
    )


def _paired_centre(pixels: NDArray[np.float32], radius: float) -> NDArray[np.float64] | None:
    """The place around which most pairs of spots lie: their midpoints gather there."""
    from scipy.ndimage import gaussian_filter

    chosen = pixels[:: -(-len(pixels) // _PAIRED_PATTERNS), :_PAIRED]
    first, second = np.triu_indices(chosen.shape[1], 1)
    there = _alike(chosen[:, first, 2], chosen[:, second, 2])
    middles = ((chosen[:, first, 1::-1] + chosen[:, second, 1::-1]) / 2)[there]
    if not len(middles):
        return None
    size = np.ceil(chosen[..., 1::-1].max(axis=(0, 1))).astype(int) + 1
    edges = [np.arange(side + 1) - 0.5 for side in size]
    votes = np.histogram2d(middles[:, 0], middles[:, 1], bins=edges)[0]
    blur = max(1.0, radius / 3)
    sharp = gaussian_filter(votes, blur) - gaussian_filter(votes, 5 * blur)
    peak = np.array(np.unravel_index(sharp.argmax(), sharp.shape), np.float64)
    return np.median(middles[_away(middles, peak) < 2 * blur], axis=0)


def _pairing(
    pixels: NDArray[np.float32], centre: NDArray[np.float64], radius: float
) -> tuple[float, float]:
    """Share of the strongest spots that have one opposite, and their number in a pattern.

    Those at the centre do not count.
    """
    chosen = pixels[:: -(-len(pixels) // _PAIRED_PATTERNS), :_PAIRED]
    places, intensity = chosen[..., 1::-1] - centre, chosen[..., 2]
    there = (intensity > 0) & (_away(places, np.zeros(2)) > 2 * radius)
    apart = _away(places[:, :, None], -places[:, None])
    opposite = (apart < max(2.0, radius / 2)) & there[:, None] & there[:, :, None]
    opposite &= _alike(intensity[:, :, None], intensity[:, None])
    paired = opposite.any(axis=2).sum()
    return float(paired / max(1, there.sum())), float(paired / len(chosen))


def _alike(one: NDArray, other: NDArray) -> NDArray[np.bool_]:
    """Whether intensities are those of spots, and could be of one reflection and its inverse."""
    return (np.minimum(one, other) > 0) & (np.maximum(one, other) < _ALIKE * np.minimum(one, other))


def _away(places: NDArray, other: NDArray) -> NDArray[np.float64]:
    difference = places - other
    return np.hypot(difference[..., 0], difference[..., 1])
