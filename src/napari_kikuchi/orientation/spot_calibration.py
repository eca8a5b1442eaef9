"""From pixels of a detector to reciprocal space: where spots are, and where they would be.

The sample's frame has x down along the rows of a scan, y to the right along its columns, and z up
to the gun. A detector that is neither turned nor mirrored shows x down and y to the right, too.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.orientation.spots import Spots
from napari_kikuchi.orientation.window import Window
from napari_kikuchi.untrusted import mapping, number, positive, sequence, truth

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Descan:
    """How the direct beam wanders over the detector as it is scanned over the sample.

    Attributes
    ----------
    origin
        Row and column of the scan at which the direct beam is at the centre of the calibration.
    gradient
        By how many pixels the beam moves along the rows of the detector for each step down and to
        the right, and by how many along its columns: of shape (2, 2).
    """

    origin: tuple[float, float]
    gradient: tuple[tuple[float, float], tuple[float, float]]

    def shifts(self, positions: ArrayLike) -> NDArray[np.float64]:
        """How far the beam is from the centre.

        Parameters
        ----------
        positions
            Row and column of the scan, of shape (..., 2).

        Returns
        -------
        numpy.ndarray
            Rows and columns in pixels, of shape (..., 2).
        """
        away = np.asarray(positions, np.float64) - self.origin
        return away @ np.transpose(self.gradient)


@dataclass(frozen=True)
class SpotCalibration:
    """What turns places on a detector into reciprocal lattice vectors, and back.

    Attributes
    ----------
    centre
        Row and column of the direct beam in pixels; 0 is the centre of the first one.
    scale
        Of a pixel in 1/Å: the geometric mean along the axes of the image of a circle.
    rotation
        By which the detector is turned against the scan, in degrees from x towards y: a spot on
        the detector's x axis lies at this angle in the sample's frame.
    flipped
        Whether the detector shows y mirrored. It is mirrored back before it is turned.
    ratio
        Of the axes of the image of a circle, from 1.
    ratio_angle
        Of the longer one, in degrees from the detector's rows towards its columns, as it is shown.
    beam_radius
        What lies within it around the centre is the direct beam and no spot, in pixels.
    descan
        How the direct beam wanders; None: it stays at the centre.

    Raises
    ------
    ValueError
        If the scale is not above 0, the ratio below 1, or a number is not finite.
    """

    centre: tuple[float, float]
    scale: float
    rotation: float = 0.0
    flipped: bool = False
    ratio: float = 1.0
    ratio_angle: float = 0.0
    beam_radius: float = 0.0
    descan: Descan | None = None

    def __post_init__(self) -> None:
        for name in ("rotation", "ratio_angle"):
            number(getattr(self, name), name.replace("_", " "))
        for coordinate in self.centre:
            number(coordinate, "the centre")
        positive(self.scale, "the scale of a pixel in 1/Å")
        number(self.ratio, "the ratio of the axes of a circle's image", 1, 10)
        number(self.beam_radius, "the radius of the direct beam", 0)

    def centres(self, positions: ArrayLike | None = None) -> NDArray[np.float64]:
        """Where the direct beam is.

        Parameters
        ----------
        positions
            Row and column of the scan, of shape (n, 2); None: wherever it is on average.

        Returns
        -------
        numpy.ndarray
            Row and column in pixels, of shape (n, 2), or (1, 2) for all positions.
        """
        if positions is None or self.descan is None:
            return np.asarray([self.centre], np.float64)
        return self.centre + self.descan.shifts(positions)

    def to_spots(self, pixels: ArrayLike, positions: ArrayLike | None = None) -> Spots:
        """Spots in the sample's frame, without the direct beam.

        Parameters
        ----------
        pixels
            Column, row and intensity as spots were detected, of shape (n, most, 3).
        positions
            Row and column of the scan for each pattern, of shape (n, 2), for which the direct beam
            may wander; None: it is at the centre.

        Returns
        -------
        Spots
            Of n patterns, each spot in its place of the list; what is no spot is a row of zeros.
        """
        pixels = np.asarray(pixels, np.float32)
        away = self._from_centre(pixels, positions)
        seen = (pixels[..., 2] > 0) & (np.hypot(*np.moveaxis(away, -1, 0)) > self.beam_radius)
        values = np.empty(pixels.shape, np.float32)
        values[..., :2] = away @ self._to_sample.T
        values[..., 2] = pixels[..., 2]
        return Spots(np.where(seen[..., None], values, np.float32(0)))

    def to_pixels(
        self, kx: ArrayLike, ky: ArrayLike, positions: ArrayLike | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Where vectors of the sample's frame are on the detector.

        Parameters
        ----------
        kx, ky
            In 1/Å, of the same shape (n, ...), or (...) without positions.
        positions
            As for :meth:`to_spots`.

        Returns
        -------
        column, row
            In pixels, of the shape of ``kx``.
        """
        vectors = np.stack([np.asarray(kx, np.float64), np.asarray(ky, np.float64)], axis=-1)
        away = vectors @ np.linalg.inv(self._to_sample).T
        row, column = self.centres(positions).T
        inner = (slice(None), *(None,) * (away.ndim - 2)) if positions is not None else 0
        return away[..., 1] + column[inner], away[..., 0] + row[inner]

    def window(self, shape: tuple[int, int]) -> Window:
        """What the detector shows, where the direct beam is at the centre.

        Parameters
        ----------
        shape
            Height and width of a pattern in pixels.
        """
        return Window.of(self._to_sample, self.centre, shape)

    def settings(self) -> dict[str, Any]:
        """All of it, fit for JSON."""
        return asdict(self)

    @classmethod
    def from_settings(cls, settings: Any) -> SpotCalibration:
        """Read what :meth:`settings` gave, which others may have written.

        Raises
        ------
        ValueError
            If something is missing, of another type or out of its limits.
        """
        found = mapping(settings, "the calibration")
        descan = found.get("descan")
        return cls(
            _pair(found.get("centre"), "the centre"),
            number(found.get("scale"), "the scale"),
            number(found.get("rotation", 0.0), "the rotation"),
            truth(found.get("flipped", False), "flipped"),
            number(found.get("ratio", 1.0), "the ratio of axes"),
            number(found.get("ratio_angle", 0.0), "the angle of the longer axis"),
            number(found.get("beam_radius", 0.0), "the radius of the direct beam"),
            None if descan is None else _descan(descan),
        )

    def _from_centre(
        self, pixels: NDArray[np.float32], positions: ArrayLike | None
    ) -> NDArray[np.float64]:
        """Rows and columns from the direct beam, of shape (n, most, 2)."""
        return pixels[..., 1::-1].astype(np.float64) - self.centres(positions)[:, None]

    @property
    def _to_sample(self) -> NDArray[np.float64]:
        """From rows and columns on the detector to x and y of the sample, of shape (2, 2)."""
        along = _turn(self.ratio_angle)
        round_again = along @ np.diag([self.ratio**-0.5, self.ratio**0.5]) @ along.T
        mirror = np.diag([1.0, -1.0 if self.flipped else 1.0])
        return self.scale * _turn(self.rotation) @ mirror @ round_again


def _turn(degrees: float) -> NDArray[np.float64]:
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[cosine, -sine], [sine, cosine]])


def _pair(found: Any, what: str) -> tuple[float, float]:
    first, second = (number(each, what) for each in sequence(found, what, 2))
    return first, second


def _descan(settings: Any) -> Descan:
    found = mapping(settings, "descan")
    first, second = (
        _pair(row, "the gradient of descan")
        for row in sequence(found.get("gradient"), "the gradient of descan", 2)
    )
    return Descan(_pair(found.get("origin"), "the origin of descan"), (first, second))
