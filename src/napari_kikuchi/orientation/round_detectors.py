"""Round virtual detectors, as a person names and places them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_kikuchi.explore.averages import mean_pattern
from napari_kikuchi.io.places import beside, scan_label
from napari_kikuchi.jobs import Job
from napari_kikuchi.orientation.detectors import DirectBeam, annulus, find_direct_beam

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_kikuchi.scan import Scan

# Radii of the usual detectors over that of the direct beam: its soft edge belongs to the bright
# field, and no part of it to the dark field.
_BRIGHT, _DARK = 1.4, 2.0
BRIGHT_FIELD, DARK_FIELD = "bright field", "annular dark field"
# Enough that the direct beam stands out of the spots of single patterns.
_SAMPLE = 256


@dataclass(frozen=True)
class RoundDetector:
    """A disc or a ring.

    Attributes
    ----------
    name
        Of the map that it makes.
    inner, outer
        Radii in pixels; a disc has no inner one.
    centre
        Row and column in pixels; None: that of the direct beam.

    Raises
    ------
    ValueError
        If it has no name or no area.
    """

    name: str
    inner: float
    outer: float
    centre: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        numbers = (self.inner, self.outer, *(self.centre or ()))
        if not (self.name and 0 <= self.inner < self.outer and all(map(math.isfinite, numbers))):
            raise ValueError(
                "expected a virtual detector with a name, an inner radius from 0 and a larger "
                f"outer one in pixels, found {self.name!r} from {self.inner:g} to {self.outer:g}"
            )

    @classmethod
    def parse(cls, text: str) -> RoundDetector:
        """Read ``NAME=inner,outer`` or ``NAME=inner,outer,row,column``, all in pixels.

        Raises
        ------
        ValueError
            If the text is something else, or as for the class.
        """
        name, _, given = text.rpartition("=")
        try:
            numbers = [float(part) for part in given.split(",")]
            if len(numbers) not in (2, 4):
                raise ValueError
        except ValueError:
            raise ValueError(
                "expected a virtual detector as NAME=inner,outer or NAME=inner,outer,row,column in "
                f"pixels, found {text!r}"
            ) from None
        inner, outer, *rest = numbers
        return cls(name.strip(), inner, outer, (rest[0], rest[1]) if rest else None)

    def __str__(self) -> str:
        """As :meth:`parse` reads it."""
        numbers = (self.inner, self.outer, *(self.centre or ()))
        return f"{self.name}={','.join(f'{one:.9g}' for one in numbers)}"

    def mask(self, shape: tuple[int, int], centre: tuple[float, float]) -> NDArray[np.bool_]:
        """Its pixels.

        Parameters
        ----------
        shape
            Height and width of a pattern.
        centre
            Of the direct beam, where the detector has none of its own.

        Raises
        ------
        ValueError
            If it lies beside the pattern.
        """
        return annulus(shape, self.centre or centre, self.inner, self.outer)


def usual_detectors(shape: tuple[int, int], beam: DirectBeam) -> list[RoundDetector]:
    """Bright field and annular dark field.

    The bright field holds the direct beam; the dark field begins outside it and reaches to the
    nearest edge of the pattern, so that all directions count alike.

    Parameters
    ----------
    shape
        Height and width of a pattern.
    beam
        See :func:`~napari_kikuchi.orientation.detectors.find_direct_beam`.

    Returns
    -------
    list of RoundDetector
        Both; the bright field alone where the direct beam leaves no pixel for the other.
    """
    row, col = beam.centre
    height, width = shape
    radius = max(beam.radius, 1.0)
    nearest = min(row, col, height - 1 - row, width - 1 - col)
    dark = _DARK * radius
    found = [RoundDetector(BRIGHT_FIELD, 0, _BRIGHT * radius, beam.centre)]
    farthest = math.hypot(max(row, height - 1 - row), max(col, width - 1 - col))
    if farthest >= dark:
        # Of a beam at the edge there is no such ring: one of the beam's own width.
        outer = nearest if nearest > dark else dark + radius
        found.append(RoundDetector(DARK_FIELD, dark, outer, beam.centre))
    return found


def without_dark_field_told(
    detectors: Iterable[RoundDetector], shape: tuple[int, int], beam: DirectBeam
) -> str:
    """Why there is no dark field among the usual detectors, in words; nothing if there is one.

    Parameters
    ----------
    detectors, shape, beam
        What :func:`usual_detectors` gave, of what.
    """
    if any(one.name == DARK_FIELD for one in detectors):
        return ""
    return (
        f"There is no {DARK_FIELD}: a direct beam of {beam.radius:.1f} pixels radius leaves no "
        f"room for one in patterns of {shape[0]} x {shape[1]} pixels."
    )


def seek_direct_beam(scan: Scan) -> Job[DirectBeam]:
    """Find the direct beam in the mean of a sample of a scan's patterns.

    Yields
    ------
    Progress
        Patterns read so far.

    Raises
    ------
    OSError
        If the file cannot give them.
    """
    return find_direct_beam((yield from mean_pattern(scan, scan.draw(_SAMPLE))))


def detector_masks(
    detectors: Iterable[RoundDetector], shape: tuple[int, int], centre: tuple[float, float]
) -> dict[str, NDArray[np.bool_]]:
    """What :func:`~napari_kikuchi.orientation.detectors.virtual_images` takes.

    Raises
    ------
    ValueError
        If two have one name, or as :meth:`RoundDetector.mask`.
    """
    masks: dict[str, NDArray[np.bool_]] = {}
    for one in detectors:
        if one.name in masks:
            raise ValueError(f"expected a name of its own for each detector, found two {one.name}")
        masks[one.name] = one.mask(shape, centre)
    return masks


def default_detectors_path(scan_path: str | Path, options: Mapping[str, Any] | None = None) -> Path:
    """Where the maps go: ``<scan>.virtual.zarr`` beside the scan, if that can be written to.

    Parameters
    ----------
    scan_path
        File of the scan.
    options
        With which the scan was opened, see :func:`~napari_kikuchi.io.places.scan_label`.
    """
    scan_path = Path(scan_path)
    return beside(scan_path, f"{scan_label(scan_path, options or {})}.virtual.zarr")
