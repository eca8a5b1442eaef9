"""What the form of symmetry asks of the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from napari_kikuchi.geometry import Geometry
from napari_kikuchi.scan import Scan
from napari_kikuchi.ui.arguments import (
    flags,
    geometry_settings,
    opening_arguments,
    path_argument,
)


@dataclass(frozen=True)
class SymmetryRequest:
    """Symmetry maps, as ``napari-kikuchi symmetry`` takes them.

    Attributes
    ----------
    scan
        What to map.
    out
        Map store to write.
    geometry
        Where the screen stood.
    find_centre
        Find the projection centre from the patterns, and take only the tilts of the geometry.
    classifier
        File of it; None: the one that comes with the package.
    among
        Space groups that crystals of the scan may be of, as ``--among`` takes them; None: all.
    adapt
        Adapt the classifier to the scan first.
    grain_threshold
        Misorientation in degrees below which neighbours are of one crystal.
    restart
        Begin anew instead of going on with what was stopped.
    """

    scan: Scan
    out: Path
    geometry: Geometry
    find_centre: bool = False
    classifier: Path | None = None
    among: str | None = None
    adapt: bool = False
    grain_threshold: float | None = None
    restart: bool = False

    def arguments(self) -> list[str]:
        """The command line, without the program.

        Raises
        ------
        ValueError
            If the scan cannot be opened by another process.
        """
        geometry = geometry_settings(self.geometry)
        if self.find_centre:
            geometry |= {"pc": None, "convention": None}
        return [
            "symmetry",
            path_argument(self.scan),
            *flags(
                {
                    "out": self.out,
                    "model": self.classifier,
                    "among": self.among,
                    "adapt": self.adapt,
                    **geometry,
                    "grain_threshold": self.grain_threshold,
                    "restart": self.restart,
                }
            ),
            *opening_arguments(self.scan),
        ]
