"""``napari-kikuchi symmetry``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_kikuchi.cli.console import Output, errors_told, output_for, report_result, run, shown
from napari_kikuchi.cli.flattened import flattened
from napari_kikuchi.cli.geometry_options import GeometryOptions
from napari_kikuchi.cli.options import (
    EventsOption,
    JsonOption,
    ScanArgument,
    WorkersOption,
    leave_out,
)
from napari_kikuchi.cli.scan_options import PatternOptions
from napari_kikuchi.symmetry.adapting_method import USUAL, AdaptingMethod

if TYPE_CHECKING:
    from napari_kikuchi.geometry import Geometry
    from napari_kikuchi.scan import Scan
    from napari_kikuchi.symmetry.adapted_to_scan import ScanAdaptation
    from napari_kikuchi.symmetry.classifier import SymmetryClassifier


@dataclass(frozen=True)
class AdaptingOptions:
    """How the classifier is adapted to the scan, if it is."""

    adapt: Annotated[
        bool,
        typer.Option(
            "--adapt", help="Adapt the classifier to this scan first, where that is needed."
        ),
    ] = False
    adapt_method: Annotated[
        AdaptingMethod | None,
        typer.Option(
            help="By the statistics of the scan; by maximum classifier discrepancy, with "
            "--adapt-phases; by a teacher, of about as many phases of each group.",
            show_default=USUAL.value,
        ),
    ] = None
    adapt_phases: Annotated[
        Path | None,
        typer.Option(
            metavar="LIBRARY",
            help="Phases of known groups, as phases makes them.",
            show_default="the known phases that come with this",
        ),
    ] = None

    def asked(self) -> ScanAdaptation | None:
        """What is to be done; None: nothing.

        Raises
        ------
        ValueError
            If it is told how, but not that the classifier is to be adapted.
        """
        from napari_kikuchi.symmetry.adapted_to_scan import ScanAdaptation

        if not self.adapt:
            leave_out(
                {"--adapt-method": self.adapt_method, "--adapt-phases": self.adapt_phases},
                "without --adapt the classifier is not adapted",
            )
            return None
        method = self.adapt_method or USUAL
        return ScanAdaptation(method.value, self.adapt_phases)


@flattened
def symmetry(
    path: ScanArgument,
    *,
    model: Annotated[
        Path | None,
        typer.Option(help="Classifier to use.", show_default="the one that comes with this"),
    ] = None,
    among: Annotated[
        str | None,
        typer.Option(
            metavar="GROUPS",
            help="Only of these space groups: common for the six most common ones, or numbers "
            "such as 225,229.",
            show_default="all that the classifier tells apart",
        ),
    ] = None,
    adapting: AdaptingOptions,
    geometry: GeometryOptions,
    grain_threshold: Annotated[
        float,
        typer.Option(
            min=0, help="Misorientation in degrees below which neighbours are of one crystal."
        ),
    ] = 3.0,
    restart: Annotated[
        bool, typer.Option("--restart", help="Begin anew where a run was stopped.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="Map store to write.", show_default="SCAN.symmetry.zarr beside the scan"),
    ] = None,
    workers: WorkersOption = None,
    opening: PatternOptions,
    as_json: JsonOption = False,
    events: EventsOption = False,
) -> None:
    """Map which crystal symmetry each pattern shows, before anyone has named a phase.

    Space groups of cubic crystals, with how sure they are and which others go with what was seen;
    all else is told to be unlike them. Where nothing tells the projection centre, it is found.

    Stopped with Ctrl-C it keeps the blocks that are done; the same command goes on from there.

    [bold]napari-kikuchi symmetry scan.up2 --pc 0.42,0.22,0.50[/]
    """
    output = output_for(as_json, events)
    with errors_told(output):
        from napari_kikuchi.io.origin import unreadable_told
        from napari_kikuchi.symmetry.classes import classes_of
        from napari_kikuchi.symmetry.classifier import SymmetryClassifier
        from napari_kikuchi.symmetry.maps import symmetry_maps
        from napari_kikuchi.symmetry.places import default_symmetry_path
        from napari_kikuchi.symmetry.summary import adaptation_told, symmetry_told

        adaptation = adapting.asked()
        chosen = None if among is None else classes_of(among)
        scan = opening.open(path)
        classifier = SymmetryClassifier.chosen(model)
        found, told_by = geometry.of(scan)
        if found is None:
            found = _found(scan, classifier, geometry, output, workers)
        target = default_symmetry_path(path, scan.options) if out is None else out
        job = symmetry_maps(
            scan,
            classifier,
            found,
            target,
            among=chosen,
            adaptation=adaptation,
            grain_threshold=grain_threshold,
            workers=workers,
            resume=not restart,
        )
        stack = run(job, output, going_on="The same command goes on from here.")
        centre = ", ".join(f"{one:.3f}" for one in found.pc)
        report_result(
            output,
            f"Wrote [bold]{shown(target)}[/].\n"
            + "".join(f"{line}\n" for line in symmetry_told(stack))
            + "".join(
                f"{told}\n"
                for told in (adaptation_told(stack.provenance), unreadable_told(stack))
                if told
            )
            + (f"Projection centre {centre}" + (f" of {shown(told_by)}" if told_by else "") + ".\n")
            + f"See them with: napari-kikuchi view {shown(target)}",
            result=target,
        )


def _found(
    scan: Scan,
    classifier: SymmetryClassifier,
    given: GeometryOptions,
    output: Output,
    workers: int | None,
) -> Geometry:
    """The geometry of a scan that tells none."""
    from napari_kikuchi.symmetry.find_centre import find_scan_centre

    tilts = {"sample_tilt": given.tilt, "detector_tilt": given.detector_tilt}
    job = find_scan_centre(
        scan,
        classifier.modes,
        workers=workers,
        **{name: tilt for name, tilt in tilts.items() if tilt is not None},
    )
    return run(job, output, going_on="Give it with --pc X,Y,Z.").geometry
