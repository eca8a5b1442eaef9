"""The options that say where the screen stood, the same for every command that has to know it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_kikuchi.cli.options import Convention, leave_out, numbers

if TYPE_CHECKING:
    from pathlib import Path

    from napari_kikuchi.geometry import Geometry
    from napari_kikuchi.scan import Scan


@dataclass(frozen=True)
class GeometryOptions:
    """What is given of a geometry.

    Attributes
    ----------
    pc
        Three numbers, as a person writes them.
    convention, tilt, detector_tilt
        See :class:`~napari_kikuchi.geometry.Geometry`.
    """

    pc: Annotated[
        str | None,
        typer.Option(
            "--pc",
            metavar="X,Y,Z",
            help="Projection centre of the patterns.",
            show_default="what the truth of a simulated scan, the .ang file beside the scan, or "
            "its own HDF5 file tells",
        ),
    ] = None
    convention: Annotated[
        Convention | None,
        typer.Option(
            help="Of the projection centre: bruker has y from the top, edax and oxford from "
            "the bottom.",
            show_default="bruker",
        ),
    ] = None
    tilt: Annotated[
        float | None,
        typer.Option(
            help="Of the sample from the horizontal, in degrees.",
            show_default="as told, or 70",
        ),
    ] = None
    detector_tilt: Annotated[
        float | None,
        typer.Option(
            help="Of the screen from the vertical, in degrees.",
            show_default="as told, or 0",
        ),
    ] = None

    def given(self) -> dict[str, Any]:
        """What each option was given, by its name; None: nothing."""
        return {
            "--pc": self.pc,
            "--convention": self.convention,
            "--tilt": self.tilt,
            "--detector-tilt": self.detector_tilt,
        }

    def of(self, scan: Scan) -> tuple[Geometry | None, Path | None]:
        """What is given, or else what files tell; and the file that told the projection centre.

        Returns
        -------
        geometry
            None where no projection centre is given or told.
        told_by
            None where the projection centre was given.

        Raises
        ------
        ValueError
            If the projection centre is no three numbers, or none before the sample; if a convention
            is given without one.
        """
        from napari_kikuchi.geometry import Geometry
        from napari_kikuchi.io.known_geometry import known_geometry

        told_by = None
        if self.pc is not None:
            x, y, z = numbers(self.pc, "--pc", (float, float, float))
            geometry = Geometry((x, y, z), (self.convention or Convention.BRUKER).value)
        else:
            leave_out({"--convention": self.convention}, "it is that of --pc")
            known = known_geometry(scan)
            if known is None:
                return None, None
            geometry, told_by = known
        tilts = {"sample_tilt": self.tilt, "detector_tilt": self.detector_tilt}
        chosen: dict[str, Any] = {name: tilt for name, tilt in tilts.items() if tilt is not None}
        return replace(geometry, **chosen), told_by
