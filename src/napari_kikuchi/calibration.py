"""How large a pixel of the detector is in a diffraction pattern."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# Of the units that files name, in one of ours; pint writes "1 / nm".
_RECIPROCAL = {
    "1/nm": 1.0,
    "nm^-1": 1.0,
    "nm⁻¹": 1.0,
    "1/Å": 10.0,
    "Å^-1": 10.0,
    "Å⁻¹": 10.0,
    "1/A": 10.0,
    "A^-1": 10.0,
    "1/m": 1e-9,
}
_ANGLE = {"mrad": 1.0, "rad": 1e3, "µrad": 1e-3, "μrad": 1e-3}


@dataclass(frozen=True)
class Calibration:
    """Size of a detector pixel in a diffraction pattern.

    Attributes
    ----------
    pixel
        Of height and width, in ``unit``.
    unit
        ``"1/nm"``: scattering vector as 1/d; ``"mrad"``: scattering angle.
    """

    pixel: tuple[float, float]
    unit: Literal["1/nm", "mrad"]

    @classmethod
    def of_axes(cls, scales: tuple[float, float], units: tuple[str, str]) -> Calibration | None:
        """What two axes of a file say; None if that is no size in units that are known.

        Parameters
        ----------
        scales
            Of height and width.
        units
            Of each, as the file writes them.
        """
        if not all(0 < scale < float("inf") for scale in scales):
            return None
        written = [unit.replace(" ", "") for unit in units]
        if all(unit in _RECIPROCAL for unit in written):
            height, width = (
                scale * _RECIPROCAL[unit] for scale, unit in zip(scales, written, strict=True)
            )
            return cls((height, width), "1/nm")
        if all(unit in _ANGLE for unit in written):
            height, width = (
                scale * _ANGLE[unit] for scale, unit in zip(scales, written, strict=True)
            )
            return cls((height, width), "mrad")
        return None
