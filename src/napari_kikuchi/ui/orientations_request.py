"""What the form of orientations asks of the command line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_kikuchi.scan import Scan
from napari_kikuchi.ui.arguments import flags, opening_arguments, path_argument

if TYPE_CHECKING:
    from napari_kikuchi.orientation.spot_calibration import SpotCalibration


@dataclass(frozen=True)
class OrientationsRequest:
    """Orientation maps, as ``napari-kikuchi orient`` takes them.

    Attributes
    ----------
    scan
        What to map.
    phases
        That may be there: names of known crystals, and CIF files.
    out
        Map store to write.
    voltage
        In kV.
    thickness
        Of the foil, from thin to thick, in Å; None: as it is usual.
    thin
        Whether the foil is so thin that there is single scattering only.
    radius
        Of a spot in pixels; None: found out.
    spots
        File of the spots of the scan; None: that beside the scan, where they are found first.
    calibration
        Of the detector, for :meth:`write_calibration` to write; None: found out, but for:
    rotation, flipped
        How the detector is turned against the scan, and whether it shows patterns mirrored.
    grain_threshold
        Misorientation in degrees above which neighbours belong to different grains.
    restart
        Begin anew instead of going on with what was stopped.
    """

    scan: Scan
    phases: Sequence[str | Path]
    out: Path
    voltage: float
    thickness: tuple[float, float] | None = None
    thin: bool = False
    radius: float | None = None
    spots: Path | None = None
    calibration: SpotCalibration | None = None
    rotation: float = 0.0
    flipped: bool = False
    grain_threshold: float | None = None
    restart: bool = False

    @property
    def calibration_file(self) -> Path | None:
        """Where the command reads the calibration."""
        return None if self.calibration is None else self.out.with_suffix(".calibration.json")

    def write_calibration(self) -> None:
        """Write the calibration, if there is one, before the command is started."""
        if self.calibration is not None and self.calibration_file is not None:
            told = replace(self.calibration, rotation=self.rotation, flipped=self.flipped)
            self.calibration_file.parent.mkdir(parents=True, exist_ok=True)
            self.calibration_file.write_text(json.dumps(told.settings()), "utf-8")

    def arguments(self) -> list[str]:
        """The command line, without the program.

        Raises
        ------
        ValueError
            If the scan cannot be opened by another process.
        """
        detector: dict[str, Any] = {"calibration": self.calibration_file}
        if self.calibration is None:
            detector = {
                "find_calibration": True,
                "rotation": self.rotation or None,
                "flipped": self.flipped,
            }
        thickness = self.thickness and "-".join(f"{one:g}" for one in self.thickness)
        return [
            "orient",
            path_argument(self.scan),
            *(part for phase in self.phases for part in ("--phase", str(phase))),
            *flags(
                {
                    "out": self.out,
                    "voltage": self.voltage,
                    "thickness": thickness,
                    "kinematical": self.thin,
                    "radius": self.radius,
                    "spots": self.spots,
                    **detector,
                    "grain_threshold": self.grain_threshold,
                    "restart": self.restart,
                }
            ),
            *opening_arguments(self.scan),
        ]
