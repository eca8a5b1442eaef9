"""A foil of copper and iron by 4D-STEM, whose truth is known: a scan to try orientations on.

The foil is a wedge that begins at a hole, as an ion beam or an electrolyte leaves it, and it is
buckled. Spots and direct beam are by Bloch waves, of every position by itself: bright field images
show the fringes of equal thickness and the bend contours that a microscope shows.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi import __version__
from napari_kikuchi.calibration import Calibration
from napari_kikuchi.explore.inverse_pole_figures import ipf_colours
from napari_kikuchi.explore.orientation_channels import ipf_channels
from napari_kikuchi.explore.orientations import OrientationMap
from napari_kikuchi.io.hyperspy_writer import write_hspy
from napari_kikuchi.io.map_store import write_maps
from napari_kikuchi.io.origin import scan_origin
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.orientation.spot_calibration import Descan, SpotCalibration
from napari_kikuchi.orientation.spot_rendering import SpotRenderer
from napari_kikuchi.shared_cores import core_threads
from napari_kikuchi.simulate.kept_scan import kept_scan
from napari_kikuchi.simulate.scan import truth_path
from napari_kikuchi.simulate.wrought import Wrought, make_wrought

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.crystals.crystal import Crystal
    from napari_kikuchi.orientation.dynamical import DynamicalSpots

# Along these axes crystals show many spots.
_FIBRES = ((0, 0, 1), (0, 1, 1), (1, 1, 1))
_STEP = 0.005


@dataclass(frozen=True)
class FoilSettings:
    """How the foil lies in the microscope.

    Attributes
    ----------
    shape
        Rows and columns of the scan.
    pattern_shape
        Height and width of a pattern in pixels.
    seed
        The same seed makes the same scan.
    grains
        How many lie side by side, about, along the shorter side of the scan.
    twins
        Lamellae drawn for each grain of copper, on average; those that do not stand on edge are
        left out.
    thinnest, thickest
        Of the wedge, in Å.
    buckle, spread
        By how far the foil is tilted at most, and by how far axes of grains lie off its normal
        (standard deviation), in degrees.
    dose
        Counts of the incident beam at each position.
    diffuse
        Share of what the diffracted beams lose that arrives on the detector, anywhere.
    absorption
        See :class:`~napari_kikuchi.orientation.dynamical.DynamicalSpots`.
    voltage
        In kV.
    scale
        Of a pixel, in 1/Å.
    told_scale
        What the file tells of it, as a share: the camera length of a microscope is nominal.
    radius
        Of the discs, in pixels.
    """

    shape: tuple[int, int] = (40, 48)
    pattern_shape: tuple[int, int] = (96, 96)
    seed: int = 4
    grains: float = 2.6
    twins: float = 3.0
    thinnest: float = 80.0
    thickest: float = 300.0
    buckle: float = 0.8
    spread: float = 0.5
    dose: float = 200_000.0
    diffuse: float = 0.2
    absorption: float = 0.04
    voltage: float = 300.0
    scale: float = 0.036
    told_scale: float = 0.97
    radius: float = 2.5


@dataclass(frozen=True, eq=False)
class Foil:
    """What a simulated foil is.

    Attributes
    ----------
    settings
        What made it.
    crystals
        The phases.
    phases
        Number of the crystal at each position, int32 of shape (rows, columns); -1 in the hole.
    rotations
        From the sample's frame into the crystal's, float64 of shape (rows, columns, 3, 3); NaN in
        the hole.
    grain, twin
        Their numbers, int32 of shape (rows, columns); 0 outside twins.
    thickness
        In Å, of shape (rows, columns); 0 in the hole.
    calibration
        Of the detector.
    """

    settings: FoilSettings
    crystals: tuple[Crystal, ...]
    phases: NDArray[np.int32]
    rotations: NDArray[np.float64]
    grain: NDArray[np.int32]
    twin: NDArray[np.int32]
    thickness: NDArray[np.float64]
    calibration: SpotCalibration

    def patterns(self, row: int) -> NDArray[np.uint16]:
        """The patterns of a row, of shape (columns, height, width)."""
        settings = self.settings
        cols = settings.shape[1]
        beams = [self._beams(row, col) for col in range(cols)]
        spots = np.zeros((cols, max(map(len, beams)), 3))
        for one, found in zip(spots, beams, strict=True):
            one[: len(found)] = found
        positions = np.stack([np.full(cols, row), np.arange(cols)], axis=1)
        lost = settings.dose * (1 - spots[..., 2].sum(axis=1))
        spots[..., 2] *= settings.dose
        # The direct beam is the first.
        expected = self._renderer.sharp(positions, spots[:, 1:], spots[:, 0, 2])
        expected += self._renderer.diffuse(
            positions, settings.diffuse * lost.clip(min=0), np.zeros(cols, bool)
        )
        noise = np.random.default_rng([settings.seed, row])
        return noise.poisson(expected).clip(0, np.iinfo(np.uint16).max).astype(np.uint16)

    def truth(self, origin: dict[str, Any]) -> MapStack:
        """All of it as maps.

        Parameters
        ----------
        origin
            The scan, see :func:`~napari_kikuchi.io.origin.scan_origin`.
        """
        from scipy.spatial.transform import Rotation

        quaternions = np.full((*self.phases.shape, 4), np.nan)
        there = self.phases >= 0
        quaternions[there] = Rotation.from_matrix(self.rotations[there]).as_quat(
            canonical=True, scalar_first=True
        )
        laue_groups = [crystal.laue_group for crystal in self.crystals]
        colours = ipf_colours(OrientationMap(quaternions, laue_groups, self.phases + 1))
        channels = [
            Channel("phase", colormap="tab10", limits=(0.0, float(len(self.crystals)))),
            *(Channel(f"quaternion {part}") for part in "abcd"),
            *ipf_channels("IPF z"),
            Channel("grain", colormap="tab20"),
            Channel("twin", colormap="tab20"),
            Channel("thickness", "Å", "viridis"),
        ]
        values = [self.phases + 1, *np.moveaxis(quaternions, -1, 0), *colours]
        values += [np.where(there, self.grain, 0), self.twin, self.thickness]
        provenance = {
            "scan": origin,
            "method": "simulation",
            "version": __version__,
            "settings": asdict(self.settings),
            "indexing": {
                "phases": [crystal.settings() for crystal in self.crystals],
                "calibration": self.calibration.settings(),
            },
        }
        step = (_STEP, _STEP)
        return MapStack(np.stack(values).astype(np.float32), channels, step, provenance)

    def _beams(self, row: int, col: int) -> NDArray[np.float64]:
        """kx, ky and share of the incident beam of each beam, the direct one first."""
        phase = self.phases[row, col]
        if phase < 0:
            return np.array([[0.0, 0.0, 1.0]])
        rotation, thickness = self.rotations[row, col], self.thickness[row, col]
        beams = self._simulators[phase].beams(rotation, [thickness])
        return np.column_stack([beams.vectors[:, :2], beams.intensities[0]])

    @cached_property
    def _simulators(self) -> list[DynamicalSpots]:
        from napari_kikuchi.orientation.dynamical import DynamicalSpots

        settings = self.settings
        corner = np.hypot(*settings.pattern_shape) / 2 * settings.scale
        return [
            DynamicalSpots(
                crystal,
                voltage=settings.voltage,
                # Beams come up to half as far again.
                k_max=corner / 1.5,
                absorption=settings.absorption,
            )
            for crystal in self.crystals
        ]

    @cached_property
    def _renderer(self) -> SpotRenderer:
        settings = self.settings
        return SpotRenderer(self.calibration, settings.pattern_shape, settings.radius)


def make_foil(settings: FoilSettings | None = None) -> Foil:
    """Make the foil: grains, twins, wedge, hole and buckles."""
    from napari_kikuchi.crystals.crystal import Crystal

    settings = settings or FoilSettings()
    crystals = (Crystal.built_in("cu"), Crystal.built_in("fe"))
    shape = settings.shape
    size = _STEP * min(shape) / settings.grains
    grown = Wrought(
        grain_size=size,
        scatter=0.0,
        twin_widths=(size / 6, size / 4),
        twin_steepness=0.99,
        fibres=_FIBRES,
        fibre_spread=settings.spread,
    )
    # Of one seed, grains are the same with twins and without.
    plain, twinned = (
        make_wrought(*shape, (_STEP, _STEP), settings.seed, replace(grown, twins_per_grain=count))
        for count in (0.0, settings.twins)
    )
    rng = np.random.default_rng(settings.seed)
    order = rng.permutation(plain.grain.max() + 1) % len(crystals)
    phases = order[plain.grain].astype(np.int32)
    # The lamellae are those of face-centred cubic crystals: iron has none.
    copper = phases == 0
    quaternions = np.where(copper[..., None], twinned.orientations, plain.orientations)
    twin = np.where(copper, twinned.twin, 0)
    thickness, tilts = _wedge(settings)
    hole = thickness <= 0
    phases[hole], twin[hole] = -1, 0
    rotations = _buckled(quaternions, tilts)
    rotations[hole] = np.nan
    return Foil(
        settings,
        crystals,
        phases,
        rotations,
        plain.grain,
        twin,
        thickness,
        _calibration(settings),
    )


def simulate_foil(path: Path, settings: FoilSettings | None = None) -> Job[Path]:
    """Write a scan of the foil, and its truth beside it.

    Parameters
    ----------
    path
        An ``.hspy`` file; an older one is replaced. The truth goes to :func:`.truth_path`.
    settings
        Of foil and microscope.

    Yields
    ------
    Progress
        Patterns simulated so far.

    Returns
    -------
    pathlib.Path
        The scan.
    """
    from napari_kikuchi.io import open_scan

    yield Progress(0, 0, "Simulating a foil")
    foil = make_foil(settings)
    rows, cols = foil.settings.shape
    patterns = np.empty((rows, cols, *foil.settings.pattern_shape), np.uint16)
    with core_threads("foil") as threads:
        for row, found in enumerate(threads.map(foil.patterns, range(rows))):
            patterns[row] = found
            yield Progress((row + 1) * cols, rows * cols, "Simulating patterns")
    pixel = 10 * foil.settings.scale * foil.settings.told_scale
    write_hspy(path, patterns, (_STEP, _STEP), Calibration((pixel, pixel), "1/nm"))
    write_maps(truth_path(path), foil.truth(scan_origin(open_scan(path))))
    return path


def kept_foil() -> Job[Path]:
    """The scan of the usual foil: from an earlier time, or simulated now and kept.

    It lies among the user's data, and so does what is made of it.

    Yields
    ------
    Progress
        Patterns simulated so far; nothing if the scan was there.

    Returns
    -------
    pathlib.Path
        The scan, as of :func:`simulate_foil`.
    """
    return (yield from kept_scan("copper_iron.hspy", asdict(FoilSettings()), simulate_foil))


def _wedge(settings: FoilSettings) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Thickness, 0 in the hole, and tilts about x and y in degrees, of shape (rows, columns, 2)."""
    rows, cols = settings.shape
    y, x = np.mgrid[:rows, :cols] / min(rows, cols)
    # The hole's edge, about a corner, is not quite round.
    angle = np.arctan2(y + 0.25, x + 0.25)
    away = np.hypot(y + 0.25, x + 0.25) - 0.42 - 0.02 * np.sin(9 * angle)
    thickness = settings.thinnest + (settings.thickest - settings.thinnest) * away / away.max()
    tilts = np.stack([np.sin(4.0 * y + 1.5 * x), np.cos(3.0 * x - 2.0 * y)], axis=-1)
    return np.where(away > 0, thickness, 0.0), settings.buckle * tilts


def _buckled(quaternions: NDArray[np.float32], tilts: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.spatial.transform import Rotation

    vectors = np.deg2rad(np.concatenate([tilts, np.zeros_like(tilts[..., :1])], axis=-1))
    lattice = Rotation.from_quat(quaternions.reshape(-1, 4), scalar_first=True)
    turned = lattice * Rotation.from_rotvec(vectors.reshape(-1, 3))
    return turned.as_matrix().reshape(*quaternions.shape[:2], 3, 3)


def _calibration(settings: FoilSettings) -> SpotCalibration:
    (rows, cols), (height, width) = settings.shape, settings.pattern_shape
    return SpotCalibration(
        centre=(height / 2 - 1.3, width / 2 + 1.8),
        scale=settings.scale,
        descan=Descan(
            ((rows - 1) / 2, (cols - 1) / 2),
            ((1.5 / rows, 0.4 / cols), (-0.5 / rows, 2.0 / cols)),
        ),
    )
