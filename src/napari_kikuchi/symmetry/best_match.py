"""The known phase whose patterns are most like those of a grain, and its pattern as it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial.transform import Rotation

from napari_kikuchi.geometry import Geometry
from napari_kikuchi.images import bin_to, resized_mask
from napari_kikuchi.io.indexed import QUATERNION
from napari_kikuchi.io.known_voltage import voltage_of
from napari_kikuchi.symmetry.folding import unfold
from napari_kikuchi.symmetry.frames import cubic_operators
from napari_kikuchi.symmetry.levelled import Levelling
from napari_kikuchi.symmetry.sector import SIDE
from napari_kikuchi.untrusted import mapping

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.maps import MapStack
    from napari_kikuchi.scan import Scan
    from napari_kikuchi.symmetry.map_readings import SymmetryReadings
    from napari_kikuchi.symmetry.references import Match, References

# Of a grain: more change nothing, and someone waits.
_PATTERNS = 16
# A crystal's axes in the other setting of m-3.
_QUARTER = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]], np.float32)
# Height of simulated patterns in pixels: masters tell no more.
_HEIGHT = 160


@dataclass(frozen=True, eq=False)
class MatchedPattern:
    """A phase, and its pattern.

    Attributes
    ----------
    match
        How much the patterns of the grain are like those of the phase.
    image
        Of shape (height, width), whatever that of the recorded pattern; NaN where that has no
        signal.
    """

    match: Match
    image: NDArray[np.float32]


class BestMatches:
    """Matches of the grains of a scan, each found when it is first asked for.

    Parameters
    ----------
    scan
        Of the maps.
    stack
        Maps of its symmetry.
    readings
        Of those maps.
    phases
        To be compared with.

    Attributes
    ----------
    size
        Height and width of simulated patterns.

    Raises
    ------
    ValueError
        If the maps lack what is needed to read the patterns as they were read.
    """

    def __init__(
        self, scan: Scan, stack: MapStack, readings: SymmetryReadings, phases: References
    ) -> None:
        told = mapping(stack.provenance.get("symmetry"), "what the maps of symmetry were made with")
        detector = Geometry.from_settings(told.get("geometry")).detector(scan.pattern_shape)
        arrays, names = stack.arrays, stack.names
        if not {"screen", "mask"} <= arrays.keys() or not {*QUATERNION} <= {*names}:
            raise ValueError(
                f"expected the arrays screen and mask and the maps {', '.join(QUATERNION)}, found "
                f"{', '.join([*arrays, *names])}"
            )
        self._light, self._mask = arrays["screen"], arrays["mask"].astype(bool)
        if self._mask.ndim != 2 or self._mask.shape != self._light.shape:
            raise ValueError(
                f"expected screen and mask of one shape, found {self._light.shape} and "
                f"{self._mask.shape}"
            )
        self._scan, self._readings, self._phases = scan, readings, phases
        self._voltage = voltage_of(scan)
        self._quaternions = np.stack([stack.map(names.index(one)) for one in QUATERNION], axis=-1)
        self._levelling = Levelling(self._mask)
        self._weights = self._mask.ravel().astype(np.float32)
        seen = detector.directions(self._mask.shape)
        self._seen = np.ascontiguousarray(seen.T, np.float32)
        height, width = scan.pattern_shape
        shrink = min(1.0, _HEIGHT / height)
        self.size = max(1, round(height * shrink)), max(1, round(width * shrink))
        self._directions = detector.directions(self.size)
        self._outside = ~resized_mask(self._mask, self.size)
        self._known: dict[int, Match | None] = {}

    def at(self, row: int, col: int) -> MatchedPattern | None:
        """The best match of the grain of a position, as the crystal stands there.

        None where there is no grain, or no known phase of a group that goes with it.
        """
        reading = self._readings.at(row, col)
        if reading is None or not reading.grain:
            return None
        if reading.grain not in self._known:
            self._known[reading.grain] = self._best(reading.grain, reading.compatible)
        match = self._known[reading.grain]
        if match is None:
            return None
        rotation = self._rotations(reading.grain, np.array([[row, col]]))[0]
        if match.mirrored:
            rotation = _QUARTER @ rotation
        image = self._phases.pattern(match.index, rotation, self._directions, voltage=self._voltage)
        image = np.asarray(image, np.float32).reshape(self.size)
        return MatchedPattern(match, np.where(self._outside, np.float32(np.nan), image))

    def _best(self, grain: int, groups: tuple[int, ...]) -> Match | None:
        positions = self._readings.positions(grain)
        few = np.linspace(0, len(positions) - 1, min(_PATTERNS, len(positions))).round()
        chosen = positions[few.astype(int)]
        patterns, readable = self._scan.read_readable(chosen)
        if not readable.any():
            return None
        patterns = patterns[readable]
        levelled = self._levelling(bin_to(patterns, self._light.shape) / self._light)
        total, count = np.zeros((2, SIDE, SIDE), np.float32)
        rotations = self._rotations(grain, chosen[readable])
        for pattern, rotation in zip(levelled, rotations, strict=True):
            unfold(pattern.ravel(), self._weights, rotation, self._seen, total, count)
        found = self._phases.match(
            total.ravel(), count.ravel(), groups=groups or None, voltage=self._voltage
        )
        return found[0] if found else None

    def _rotations(self, grain: int, positions: NDArray[np.intp]) -> NDArray[np.float32]:
        """From the sample's frame to the crystal's at positions of a grain, of shape (n, 3, 3).

        Each pattern has been described with any of the axes that m-3m takes for alike: here all are
        as those of the grain's first position.
        """
        every = np.concatenate([self._readings.positions(grain)[:1], positions])
        quaternions = self._quaternions[every[:, 0], every[:, 1]]
        first, *rotations = Rotation.from_quat(quaternions, scalar_first=True).as_matrix()
        operators = cubic_operators()
        alike = operators @ np.array(rotations)[:, None]
        nearest = np.einsum("noij,ij->no", alike, first).argmax(axis=1)
        return alike[np.arange(len(alike)), nearest].astype(np.float32)
