"""Numbers by which microstructures are compared: of phases, and of grains."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Widths in pixels of the derivatives of Gaussians whose products are the Gram matrix.
_WIDTHS = (1.0, 2.0, 4.0)
_ORDERS = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0))


class Descriptors(NamedTuple):
    """What a map of two phases is like.

    Attributes
    ----------
    two_point, lineal_path, fraction, variation, gram
        See the functions of this module.
    """

    two_point: NDArray[np.float64]
    lineal_path: NDArray[np.float64]
    fraction: float
    variation: float
    gram: NDArray[np.float64]


def describe(phase: NDArray[np.bool_]) -> Descriptors:
    """All descriptors of where the second phase is.

    Parameters
    ----------
    phase
        Of shape (rows, columns).
    """
    return Descriptors(
        two_point(phase),
        lineal_path(phase),
        float(phase.mean()),
        variation(phase),
        gram_matrix(phase),
    )


def differences(one: Descriptors, other: Descriptors) -> dict[str, float]:
    """Mean absolute differences of descriptors, by their names."""
    return {
        name: float(np.abs(np.asarray(a) - np.asarray(b)).mean())
        for name, a, b in zip(Descriptors._fields, one, other, strict=True)
    }


def two_point(phase: NDArray[np.bool_], reach: int | None = None) -> NDArray[np.float64]:
    """Two-point correlation: how often both ends of a vector lie in the phase.

    Of all pairs of pixels of the map that are so far apart; the map is not repeated.

    Parameters
    ----------
    phase
        Where it is, of shape (rows, columns).
    reach
        Of the vectors, up, down, left and right, in pixels; None: half of the shorter side.

    Returns
    -------
    numpy.ndarray
        Of shape (2 reach + 1, 2 reach + 1), the vector 0 in the middle.
    """
    from scipy.signal import fftconvolve

    reach = min(phase.shape) // 2 if reach is None else reach
    inside, all_of = phase.astype(np.float64), np.ones(phase.shape)
    lags = tuple(slice(side - 1 - reach, side + reach) for side in phase.shape)
    together, pairs = (fftconvolve(one, one[::-1, ::-1])[lags].round() for one in (inside, all_of))
    return together / pairs


def lineal_path(phase: NDArray[np.bool_], reach: int | None = None) -> NDArray[np.float64]:
    """Lineal path: how often a line lies in the phase with all of its pixels.

    Parameters
    ----------
    phase
        Where it is, of shape (rows, columns).
    reach
        Of the lines, in pixels; None: half of the shorter side.

    Returns
    -------
    numpy.ndarray
        Of lines down and to the right, of 1 to ``reach`` pixels; of shape (2, reach).
    """
    reach = min(phase.shape) // 2 if reach is None else reach
    out = np.empty((2, reach))
    for axis, lines in enumerate((phase.T, phase)):
        whole = lines
        for length in range(reach):
            if length:
                whole = whole[:, :-1] & lines[:, length:]
            out[axis, length] = whole.mean()
    return out


def variation(phase: NDArray[np.bool_]) -> float:
    """Borders between the phases: pairs of neighbours that differ, per pixel."""
    across = sum(np.count_nonzero(np.diff(phase, axis=axis)) for axis in (0, 1))
    return across / phase.size


def boundary(phase: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels of the second phase that have one of the first beside, above or below them."""
    around = np.pad(phase, 1, mode="edge")
    inside = around[2:, 1:-1] & around[:-2, 1:-1] & around[1:-1, 2:] & around[1:-1, :-2]
    return phase & ~inside


def boundary_agreement(
    one: NDArray[np.bool_], other: NDArray[np.bool_], within: float = 1.0
) -> float:
    """Share of the boundary of a phase that lies at that of another map.

    Parameters
    ----------
    one, other
        Where the second phase is, of shape (rows, columns).
    within
        How far away it may lie, in pixels.

    Returns
    -------
    float
        Of the :func:`boundary` pixels of ``one``; NaN if there are none.
    """
    from scipy.ndimage import distance_transform_edt

    wanted, found = boundary(one), boundary(other)
    if not wanted.any():
        return float("nan")
    if not found.any():
        return 0.0
    return float((distance_transform_edt(~found)[wanted] <= within).mean())


def gram_matrix(phase: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Which structures occur together: mean products of filtered maps.

    The filters are derivatives of Gaussians of several widths; their absolute values are taken.
    Gram matrices of a network that has learned from photographs, as others use, are other numbers.

    Returns
    -------
    numpy.ndarray
        Of shape (filters, filters).
    """
    from scipy.ndimage import gaussian_filter

    values = phase.astype(np.float64)
    filtered = np.stack(
        [
            width ** sum(order) * np.abs(gaussian_filter(values, width, order, mode="reflect"))
            for width in _WIDTHS
            for order in _ORDERS
        ]
    ).reshape(len(_WIDTHS) * len(_ORDERS), -1)
    return filtered @ filtered.T / values.size


def grain_diameters(grains: NDArray[np.integer]) -> NDArray[np.float64]:
    """Diameters in pixels of circles as large as the grains of a map.

    Parameters
    ----------
    grains
        Number of the grain of each pixel; negative ones are of none.
    """
    areas = np.bincount(grains[grains >= 0].ravel())
    return np.sqrt(4 / np.pi * areas[areas > 0])


def size_distance(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Kolmogorov-Smirnov distance of two samples of grain diameters, 0 to 1."""
    from scipy.stats import ks_2samp

    return float(ks_2samp(one, other).statistic)
