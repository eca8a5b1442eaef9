"""4D-STEM scans whose truth is known, rendered where they are read: of any size, in little memory.

The sample is a recrystallised one: grains of several crystals with twins, around a hole in which
the specimen is amorphous.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from napari_kikuchi.orientation.spot_calibration import Descan, SpotCalibration
from napari_kikuchi.pattern_source import put
from napari_kikuchi.scan import Scan
from napari_kikuchi.simulate.structure import Structure
from napari_kikuchi.simulate.wrought import Wrought, make_wrought

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.orientation.crystal import Crystal
    from napari_kikuchi.orientation.kinematical import KinematicalSpots

# Width of the edge of a disc in pixels.
_EDGE = 0.7
# A Gaussian spot has this standard deviation in radii, and is drawn out to so many radii.
_GAUSSIAN, _GAUSSIAN_REACH = 0.5, 2.0
# Of the diffuse background: how far from the direct beam it falls to 1/e, and, where the specimen
# is amorphous, radius and width of the halo; in 1/Å.
_DIFFUSE, _HALO, _HALO_WIDTH = 0.5, 0.45, 0.08
# Radius of the hole and its place, as shares of the scan.
_HOLE, _HOLE_AT = 0.2, (0.75, 0.25)
# Patterns rendered at a time.
_BATCH = 16
# Weaker spots than this share of the strongest are below any noise.
_WEAKEST = 2e-3


@dataclass(frozen=True)
class Exposure:
    """How patterns are recorded.

    Attributes
    ----------
    dose
        Mean counts of a pattern.
    radius
        Of a spot in pixels.
    form
        ``"disc"``: of a convergent beam; ``"gaussian"``: a spot that is blurred, with a standard
        deviation of half the radius.
    direct_beam
        Counts of the direct beam over those of the strongest spot; 0: it is blocked.
    background
        Share of the dose that is diffuse.
    """

    dose: float = 50_000.0
    radius: float = 3.0
    form: Literal["disc", "gaussian"] = "disc"
    direct_beam: float = 5.0
    background: float = 0.3


@dataclass(frozen=True, eq=False)
class SpotTruth:
    """What a simulated scan shows.

    Attributes
    ----------
    crystals
        The phases.
    phases
        Number of the crystal at each position, int32 of shape (rows, columns); -1 for none.
    rotations
        From the sample's frame into the crystal's, float32 of shape (rows, columns, 3, 3); NaN
        where there is no crystal.
    structure
        Grains and twins.
    calibration
        Of the detector.
    voltage
        In kV.
    thickness
        Of the crystals along the beam, in Å.
    """

    crystals: tuple[Crystal, ...]
    phases: NDArray[np.int32]
    rotations: NDArray[np.float32]
    structure: Structure
    calibration: SpotCalibration
    voltage: float
    thickness: float

    def spots(self, positions: NDArray[np.integer]) -> NDArray[np.float32]:
        """Spots of some patterns, without the direct beam.

        Parameters
        ----------
        positions
            Row and column of each, of shape (n, 2).

        Returns
        -------
        numpy.ndarray
            kx and ky in 1/Å in the sample's frame and relative intensity, of shape (n, most, 3);
            rows of zeros are no spots.
        """
        where = tuple(np.asarray(positions).T)
        phases, rotations = self.phases[where], self.rotations[where]
        most = max(each.most_spots for each in self._simulators)
        found = np.zeros((len(phases), most, 3), np.float32)
        for number, simulator in enumerate(self._simulators):
            chosen = np.flatnonzero(phases == number)
            found[chosen, : simulator.most_spots] = simulator(rotations[chosen]).numpy()
        return found

    @cached_property
    def _simulators(self) -> list[KinematicalSpots]:
        from napari_kikuchi.orientation.kinematical import KinematicalSpots

        return [
            KinematicalSpots(
                crystal,
                voltage=self.voltage,
                k_max=2.0,
                thickness=self.thickness,
                min_intensity=_WEAKEST,
            )
            for crystal in self.crystals
        ]


def simulate_spot_scan(
    shape: tuple[int, int],
    crystals: Sequence[Crystal],
    *,
    pattern_shape: tuple[int, int] = (128, 128),
    calibration: SpotCalibration | None = None,
    exposure: Exposure | None = None,
    grains: float = 4.0,
    voltage: float = 300.0,
    thickness: float = 100.0,
    step: float = 0.002,
    seed: int = 0,
) -> tuple[Scan, SpotTruth]:
    """Simulate a 4D-STEM scan.

    Parameters
    ----------
    shape
        Rows and columns of the scan.
    crystals
        The phases, which share the grains out among themselves.
    pattern_shape
        Height and width of a pattern in pixels.
    calibration
        Of the detector; None: 1.6 1/Å from the middle to the nearer edge, with a beam off the
        middle that wanders by a hundredth of the detector over the scan.
    exposure
        How patterns are recorded.
    grains
        How many lie side by side, about, along the shorter side of the scan.
    voltage
        In kV.
    thickness
        Of the crystals, in Å.
    step
        In µm.
    seed
        The same seed makes the same scan, pattern for pattern, in any order of reading.

    Returns
    -------
    scan, truth
        The patterns are uint16 and are rendered when they are read.
    """
    calibration = _usual(shape, pattern_shape) if calibration is None else calibration
    size = step * min(shape) / grains
    made = make_wrought(
        *shape,
        (step, step),
        seed,
        Wrought(grain_size=size, twins_per_grain=1.0, twin_widths=(size / 4, size / 2)),
    )
    of_grain = np.random.default_rng(seed).permutation(made.grain.max() + 1) % len(crystals)
    hole = _hole(shape)
    phases = np.where(hole, -1, of_grain[made.grain]).astype(np.int32)
    rotations = _matrices(made.orientations)
    rotations[hole] = np.nan
    truth = SpotTruth(tuple(crystals), phases, rotations, made, calibration, voltage, thickness)
    source = _RenderedSpots(truth, pattern_shape, exposure or Exposure(), seed)
    return Scan(source, step=(step, step), name="spots", technique="4D-STEM"), truth


@dataclass(frozen=True, eq=False)
class _RenderedSpots:
    """Renders patterns when they are read."""

    truth: SpotTruth
    pattern_shape: tuple[int, int]
    exposure: Exposure
    seed: int

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Rows, columns, pattern height and pattern width."""
        rows, cols = self.truth.phases.shape
        return rows, cols, *self.pattern_shape

    @property
    def dtype(self) -> np.dtype:
        """Type of a pixel."""
        return np.dtype(np.uint16)

    def read_run(self, row: int, start: int, stop: int, out: NDArray | None = None) -> NDArray:
        """Patterns ``start`` to ``stop`` of one row, of shape (stop - start, height, width)."""
        patterns = np.empty((stop - start, *self.pattern_shape), np.uint16)
        for first in range(start, stop, _BATCH):
            cols = np.arange(first, min(first + _BATCH, stop))
            expected = self._expected(np.stack([np.full_like(cols, row), cols], axis=1))
            for col, counts in zip(cols, expected, strict=True):
                noise = np.random.default_rng([self.seed, row, int(col)])
                patterns[col - start] = noise.poisson(counts).clip(0, np.iinfo(np.uint16).max)
        return put(patterns, out)

    def _expected(self, positions: NDArray[np.integer]) -> NDArray[np.float64]:
        """Mean counts of each pixel, of shape (n, height, width)."""
        exposure, calibration = self.exposure, self.truth.calibration
        spots = self.truth.spots(positions)
        column, row = calibration.to_pixels(spots[..., 0], spots[..., 1], positions)
        centres = np.broadcast_to(calibration.centres(positions), (len(positions), 2))
        direct = exposure.direct_beam * spots[..., 2].max(axis=1, initial=0, keepdims=True)
        # Through a hole all of the beam goes straight on.
        direct[direct == 0] = 1.0 if exposure.direct_beam else 0.0
        counts = np.concatenate([spots[..., 2], direct], axis=1)
        sharp = exposure.dose * (1 - exposure.background)
        counts *= sharp / counts.sum(axis=1, keepdims=True).clip(min=1e-30)
        column = np.concatenate([column, centres[:, 1:]], axis=1)
        row = np.concatenate([row, centres[:, :1]], axis=1)
        return self._draw(column, row, counts) + self._diffuse(positions, centres)

    def _draw(self, column: NDArray, row: NDArray, counts: NDArray) -> NDArray[np.float64]:
        (n, _), (height, width) = counts.shape, self.pattern_shape
        reach = _GAUSSIAN_REACH if self.exposure.form == "gaussian" else 1.0
        half = int(np.ceil(reach * self.exposure.radius + 1))
        pattern, spot = np.nonzero(counts)
        column, row, counts = (each[pattern, spot, None, None] for each in (column, row, counts))
        window = np.arange(-half, half + 1)
        y, x = np.rint(row).astype(int) + window[:, None], np.rint(column).astype(int) + window
        values = self._profile(np.hypot(y - row, x - column))
        values *= counts / values.sum(axis=(1, 2), keepdims=True)
        inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        flat = (pattern[:, None, None] * height + y) * width + x
        drawn = np.zeros(n * height * width)
        np.add.at(drawn, flat[inside], values[inside])
        return drawn.reshape(n, height, width)

    def _profile(self, distance: NDArray) -> NDArray[np.float64]:
        radius = self.exposure.radius
        if self.exposure.form == "gaussian":
            return np.exp(-((distance / (_GAUSSIAN * radius)) ** 2) / 2)
        return np.clip((radius - distance) / _EDGE + 0.5, 0, 1)

    def _diffuse(self, positions: NDArray[np.integer], centres: NDArray) -> NDArray[np.float64]:
        height, width = self.pattern_shape
        y, x = np.ogrid[:height, :width]
        radius = self.truth.calibration.scale * np.hypot(
            y - centres[:, 0, None, None], x - centres[:, 1, None, None]
        )
        amorphous = (self.truth.phases[tuple(positions.T)] < 0)[:, None, None]
        halo = np.exp(-(((radius - _HALO) / _HALO_WIDTH) ** 2) / 2)
        share = np.where(amorphous, halo, 0) + np.exp(-radius / _DIFFUSE)
        share /= share.sum(axis=(1, 2), keepdims=True)
        return self.exposure.dose * self.exposure.background * share


def _usual(shape: tuple[int, int], pattern_shape: tuple[int, int]) -> SpotCalibration:
    height, width = pattern_shape
    rows, cols = shape
    wander = min(pattern_shape) / 100
    return SpotCalibration(
        centre=(height / 2 - 1.3, width / 2 + 2.2),
        scale=3.2 / min(pattern_shape),
        rotation=12.0,
        descan=Descan(
            ((rows - 1) / 2, (cols - 1) / 2),
            ((wander / rows, 0.2 * wander / cols), (-0.3 * wander / rows, wander / cols)),
        ),
    )


def _hole(shape: tuple[int, int]) -> NDArray[np.bool_]:
    rows, cols = shape
    y, x = np.ogrid[:rows, :cols]
    away = np.hypot(y - _HOLE_AT[0] * rows, x - _HOLE_AT[1] * cols)
    return away < _HOLE * min(shape)


def _matrices(quaternions: NDArray[np.float32]) -> NDArray[np.float32]:
    from scipy.spatial.transform import Rotation

    flat = Rotation.from_quat(quaternions.reshape(-1, 4), scalar_first=True).as_matrix()
    return flat.astype(np.float32).reshape(*quaternions.shape[:2], 3, 3)
