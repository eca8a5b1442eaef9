"""Finds the calibration of a scan from its spots."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.calibration import Calibration
from napari_kikuchi.crystals.beam import Beam
from napari_kikuchi.orientation.beam_place import BeamPlace, NoBeamError, find_beam
from napari_kikuchi.orientation.ring_fit import RingFit, RingFitter
from napari_kikuchi.orientation.scan_spots import ScanSpots
from napari_kikuchi.orientation.spot_calibration import SpotCalibration

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.crystals.crystal import Crystal

# Patterns from which it is found.
_PATTERNS = 2000
# What lies within so many radii of a spot is the direct beam.
_BEAM_RADII = 1.5
# The outermost spots lie within these lengths of reciprocal lattice vectors, in 1/Å, whatever the
# scale; how much a scale that a file tells may be off, and its standard error, as shares.
_OUTERMOST = (0.6, 3.0)
_TOLD_WITHIN = 1.25
_ERROR_OF_TOLD = 0.1
# Beyond this share, one that is found makes doubtful what the file tells, or the crystals.
_DOUBTFUL = 0.05
# Of a fit with the right crystals, the score is twice as high.
_POOR = 0.35
# Of distances of spots: beyond this share of them there may be none but false ones.
_REACH = 0.98
# Reflections that are simulated; less of a crystal with a large cell.
_MOST_REFLECTIONS = 50_000


@dataclass(frozen=True)
class FoundCalibration:
    """A calibration, and what it is founded on.

    Attributes
    ----------
    calibration
        How the detector is turned against the scan and whether it is mirrored, spots do not tell:
        it is as it was given.
    beam
        Where the direct beam was found, or said to be.
    rings
        How the scale was fitted to crystals; None: the file told it.
    told
        The scale that the file tells, in 1/Å; None if it tells none.
    """

    calibration: SpotCalibration
    beam: BeamPlace
    rings: RingFit | None
    told: float | None = None

    @property
    def doubt(self) -> str:
        """What speaks against the scale, for a person to read; empty if nothing does."""
        if self.rings is None:
            return ""
        found, told = self.rings.scale, self.told
        reasons = []
        if told is not None and abs(math.log(found / told)) > _DOUBTFUL:
            reasons.append(
                f"it is {abs(found / told - 1):.0%} {'above' if found > told else 'below'} the "
                f"{told:.5g} 1/Å that was told"
            )
        if self.rings.score < _POOR:
            reasons.append("few spots lie on its rings")
        elif not self.rings.sure:
            reasons.append(f"{self.rings.second_scale:.5g} 1/Å would fit about as well")
        if not reasons:
            return ""
        return (
            f"The scale of {found:.5g} 1/Å per pixel is doubtful: {', and '.join(reasons)}. "
            "Compare the rings of the phases with the patterns: if they do not fit, name other "
            "phases, or give the scale"
        )


def find_calibration(
    spots: ScanSpots,
    crystals: Sequence[Crystal] = (),
    *,
    told: Calibration | None = None,
    voltage: float = 300.0,
    centre: tuple[float, float] | None = None,
    rotation: float = 0.0,
    flipped: bool = False,
    elliptic: bool = True,
    seed: int = 0,
) -> FoundCalibration:
    """Find where the direct beam is, and how large a pixel is.

    Parameters
    ----------
    spots
        Of a scan.
    crystals
        Of which the sample is made: the scale is that at which spots lie as far from the direct
        beam as theirs do.
    told
        What the file of the scan tells, :attr:`.Scan.calibration`. Without crystals it is the
        scale; with them the scale is looked for within a quarter of it, and near it rather than
        far from it.
    voltage
        In kV.
    centre
        Row and column of the direct beam, where spots do not show it; None: found among them.
    rotation, flipped
        As :class:`SpotCalibration` has them.
    elliptic
        Whether to look for a distortion of the patterns as well, with crystals.
    seed
        Of the draw of patterns.

    Returns
    -------
    FoundCalibration
        See its ``beam`` and ``rings`` for how sure it is.

    Raises
    ------
    NoBeamError
        If the direct beam is not found.
    ValueError
        If there are neither crystals nor a scale that is told, or too few spots.
    ScanLostError, SpotFileError
        See :meth:`.ScanSpots.rows`.
    """
    if not crystals and told is None:
        raise ValueError(
            f"{spots.path}: the scan does not tell how large a pixel is. Give a crystal of the "
            "sample, or the scale"
        )
    positions = _draw(spots, seed)
    pixels = spots.read(positions)
    radius = spots.detection.radius
    if centre is None:
        beam = _beam(spots, pixels, positions)
    else:
        beam = BeamPlace(centre, None, (0.0, 0.0), 0.0, 0.0)
    scale, ratio, ratio_angle = (1.0, 1.0, 0.0) if told is None else _told(told, voltage)
    calibration = SpotCalibration(
        beam.centre,
        scale,
        rotation,
        flipped,
        ratio,
        ratio_angle,
        beam_radius=_BEAM_RADII * radius,
        descan=beam.descan,
    )
    rings = None
    if crystals:
        away, groups = _away(calibration, pixels, positions)
        about = None if told is None else scale
        beam_radius = calibration.beam_radius
        try:
            rings = _fit(away, groups, crystals, voltage, beam_radius, about, elliptic)
        except ValueError as error:
            raise ValueError(f"{spots.path}: {error}") from error
        calibration = replace(
            calibration, scale=rings.scale, ratio=rings.ratio, ratio_angle=rings.ratio_angle
        )
    return FoundCalibration(calibration, beam, rings, None if told is None else scale)


def find_beam_of_scan(spots: ScanSpots, *, seed: int = 0) -> BeamPlace:
    """Find the direct beam, as :func:`find_calibration` does, where nothing tells the scale.

    Parameters
    ----------
    spots
        Of a scan.
    seed
        Of the draw of patterns.

    Raises
    ------
    NoBeamError
        If it is not found.
    ScanLostError, SpotFileError
        See :meth:`.ScanSpots.rows`.
    """
    positions = _draw(spots, seed)
    return _beam(spots, spots.read(positions), positions)


def _beam(
    spots: ScanSpots, pixels: NDArray[np.float32], positions: NDArray[np.integer]
) -> BeamPlace:
    try:
        return find_beam(pixels, positions, spots.shape, spots.detection.radius)
    except NoBeamError as error:
        raise NoBeamError(f"{spots.path}: {error}") from error


def _draw(spots: ScanSpots, seed: int) -> NDArray[np.int64]:
    """Positions of patterns with spots, in the order of the scan, of shape (n, 2)."""
    there = np.argwhere(spots.counts > 0)
    count = min(_PATTERNS, len(there))
    return there[np.sort(np.random.default_rng(seed).choice(len(there), count, replace=False))]


def _told(told: Calibration, voltage: float) -> tuple[float, float, float]:
    """Scale in 1/Å and ratio of axes that a file tells, and along which the image is longer."""
    down, right = (
        size / 10 if told.unit == "1/nm" else 2 * math.sin(size / 2000) / Beam(voltage).wavelength
        for size in told.pixel
    )
    # The smaller a pixel is, the longer is the image along it.
    return math.sqrt(down * right), max(down, right) / min(down, right), 90.0 * (right < down)


def _away(
    calibration: SpotCalibration, pixels: NDArray[np.float32], positions: NDArray[np.integer]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Rows and columns from the direct beam of all other spots, and the number of the pattern."""
    away = pixels[..., 1::-1] - calibration.centres(positions)[:, None]
    seen = (pixels[..., 2] > 0) & (np.hypot(away[..., 0], away[..., 1]) > calibration.beam_radius)
    return away[seen], np.nonzero(seen)[0]


def _fit(
    away: NDArray[np.float64],
    groups: NDArray[np.int64],
    crystals: Sequence[Crystal],
    voltage: float,
    beam_radius: float,
    scale: float | None,
    elliptic: bool,
) -> RingFit:
    reach = float(np.quantile(np.hypot(*away.T), _REACH)) if len(away) else beam_radius
    if scale is None:
        scales = (_OUTERMOST[0] / reach, _OUTERMOST[1] / reach)
    else:
        scales = (scale / _TOLD_WITHIN, scale * _TOLD_WITHIN)
    largest = max(crystal.volume for crystal in crystals)
    k_max = min(scales[1] * reach, (3 * _MOST_REFLECTIONS / (4 * math.pi * largest)) ** (1 / 3))
    limits = (beam_radius, max(reach, 2 * beam_radius))
    fit = RingFitter(crystals, voltage, k_max)
    likely = None if scale is None else (scale, _ERROR_OF_TOLD)
    return fit(away, groups, limits, scales, likely=likely, elliptic=elliptic)
