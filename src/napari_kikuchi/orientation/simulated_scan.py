"""4D-STEM scans whose truth is known, rendered where they are read: of any size, in little memory.

The sample is a recrystallised one: grains of several crystals with twins, around a hole in which
the specimen is amorphous.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.orientation.spot_calibration import Descan, SpotCalibration
from napari_kikuchi.orientation.spot_rendering import Exposure, SpotRenderer
from napari_kikuchi.pattern_source import put
from napari_kikuchi.scan import Scan
from napari_kikuchi.simulate.structure import Structure
from napari_kikuchi.simulate.wrought import Wrought, make_wrought

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.crystals.crystal import Crystal
    from napari_kikuchi.orientation.kinematical import KinematicalSpots

# Radius of the hole and its place, as shares of the scan.
_HOLE, _HOLE_AT = 0.2, (0.75, 0.25)
# Patterns rendered at a time.
_BATCH = 16
# Weaker spots than this share of the strongest are below any noise.
_WEAKEST = 2e-3


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
        exposure = self.exposure
        spots = self.truth.spots(positions)
        direct = exposure.direct_beam * spots[..., 2].max(axis=1, initial=0)
        # Through a hole all of the beam goes straight on.
        direct[direct == 0] = 1.0 if exposure.direct_beam else 0.0
        sharp = exposure.dose * (1 - exposure.background)
        share = sharp / (spots[..., 2].sum(axis=1) + direct).clip(min=1e-30)
        spots[..., 2] *= share[:, None]
        amorphous = self.truth.phases[tuple(positions.T)] < 0
        return self._renderer.sharp(positions, spots, share * direct) + self._renderer.diffuse(
            positions, np.full(len(positions), exposure.dose * exposure.background), amorphous
        )

    @cached_property
    def _renderer(self) -> SpotRenderer:
        return SpotRenderer(
            self.truth.calibration, self.pattern_shape, self.exposure.radius, self.exposure.form
        )


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
