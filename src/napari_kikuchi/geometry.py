"""Where the screen stood: the geometry of an EBSD scan, as programs and people write it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from napari_kikuchi.simulate.detector import Detector
from napari_kikuchi.untrusted import mapping, number, sequence, shown

Convention = Literal["bruker", "edax", "oxford"]


@dataclass(frozen=True)
class Geometry:
    """Geometry of an EBSD scan, the same for all its patterns.

    Attributes
    ----------
    pc
        Projection centre (x, y, z), x from the left in fractions of the pattern's width.
    convention
        Of the projection centre. ``"bruker"``: y from the top, y and z in fractions of the
        pattern's height. ``"edax"``: y from the bottom, in fractions of the height; z in fractions
        of the shorter side. ``"oxford"``: y from the bottom, y and z in fractions of the width.
    sample_tilt
        Of the sample from the horizontal, in degrees.
    detector_tilt
        Of the screen from the vertical, in degrees.

    Raises
    ------
    ValueError
        If the screen does not stand before the sample.
    """

    pc: tuple[float, float, float]
    convention: Convention = "bruker"
    sample_tilt: float = 70.0
    detector_tilt: float = 0.0

    def __post_init__(self) -> None:
        if not self.pc[2] > 0:
            raise ValueError(
                "the projection centre (x, y, z) needs a distance z above 0 between sample and "
                f"screen, not {self.pc}"
            )

    @classmethod
    def of_detector(cls, detector: Detector) -> Geometry:
        """The geometry of a detector, whatever its shape."""
        return cls(detector.pc, sample_tilt=detector.sample_tilt, detector_tilt=detector.tilt)

    @classmethod
    def from_settings(cls, settings: Any) -> Geometry:
        """The geometry that :meth:`settings` gave.

        Raises
        ------
        ValueError
            If they are others.
        """
        told = mapping(settings, "the geometry")
        x, y, z = (
            number(one, "a projection centre")
            for one in sequence(told.get("pc"), "the projection centre", 3)
        )
        convention: Any = told.get("convention")
        if convention not in get_args(Convention):
            raise ValueError(
                f"expected the convention of the projection centre as "
                f"{', '.join(get_args(Convention))}, found {shown(convention)}"
            )
        tilts = (number(told.get(name), name) for name in ("sample_tilt", "detector_tilt"))
        return cls((x, y, z), convention, *tilts)

    def detector(self, shape: tuple[int, int]) -> Detector:
        """The detector, whose projection centre is in Bruker's convention.

        Parameters
        ----------
        shape
            Height and width of a pattern in pixels, of which only the ratio matters.

        Notes
        -----
        kikuchipy and PyEBSDIndex convert alike.
        """
        height, width = shape
        x, y, z = self.pc
        match self.convention:
            case "edax":
                y, z = 1 - y, z * min(height, width) / height
            case "oxford":
                y, z = 1 - y * width / height, z * width / height
        return Detector((x, y, z), self.detector_tilt, self.sample_tilt)

    def settings(self) -> dict[str, Any]:
        """All of it, fit for JSON."""
        return {
            "pc": list(self.pc),
            "convention": self.convention,
            "sample_tilt": self.sample_tilt,
            "detector_tilt": self.detector_tilt,
        }
