"""``napari-kikuchi virtual``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_kikuchi.cli.cluster import workers_for
from napari_kikuchi.cli.console import errors_told, output_for, report_result, run, shown
from napari_kikuchi.cli.flattened import flattened
from napari_kikuchi.cli.options import (
    EventsOption,
    JsonOption,
    ScanArgument,
    SchedulerOption,
    WorkersOption,
)
from napari_kikuchi.cli.scan_options import PatternOptions

_GOING_ON = "The same command goes on from here."


@flattened
def virtual(
    path: ScanArgument,
    detector: Annotated[
        list[str] | None,
        typer.Option(
            "--detector",
            metavar="NAME=INNER,OUTER[,ROW,COL]",
            help="Radii of a disc or a ring in pixels, and its centre if that is not the "
            "direct beam; give it again for each map.",
            show_default="bright field and annular dark field",
        ),
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Begin anew where a run was stopped.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Map store to write.",
            show_default="SCAN.virtual.zarr beside the scan",
        ),
    ] = None,
    scheduler: SchedulerOption = None,
    workers: WorkersOption = None,
    *,
    opening: PatternOptions,
    as_json: JsonOption = False,
    events: EventsOption = False,
) -> None:
    """Map what virtual detectors count in each pattern of a 4D-STEM scan.

    Stopped with Ctrl-C it keeps the blocks that are done; the same command goes on from there.

    [bold]napari-kikuchi virtual scan.mib --detector "bright field=0,6" --detector "ring=12,18"[/]
    """
    output = output_for(as_json, events)
    with errors_told(output):
        from napari_kikuchi.io.origin import unreadable_told
        from napari_kikuchi.orientation.detectors import virtual_images
        from napari_kikuchi.orientation.round_detectors import (
            RoundDetector,
            default_detectors_path,
            detector_masks,
            seek_direct_beam,
            usual_detectors,
            without_dark_field_told,
        )
        from napari_kikuchi.orientation.technique import check_spots_expected

        given = [RoundDetector.parse(one) for one in detector or ()]
        scan = opening.open(path)
        check_spots_expected(scan.technique, path)
        target = default_detectors_path(path, scan.options) if out is None else out
        centre, told = (0.0, 0.0), ""
        if not given or any(one.centre is None for one in given):
            beam = run(seek_direct_beam(scan), output, going_on=_GOING_ON)
            centre = beam.centre
            if not given:
                given = usual_detectors(scan.pattern_shape, beam)
                told = without_dark_field_told(given, scan.pattern_shape, beam)
        masks = detector_masks(given, scan.pattern_shape, centre)
        with workers_for(scheduler, workers, output) as where:
            job = virtual_images(scan, masks, target, resume=not restart, **where)
            stack = run(job, output, going_on=_GOING_ON)
        report_result(
            output,
            f"Wrote [bold]{shown(target)}[/]: {', '.join(stack.names)}.\n"
            + "".join(f"{one}\n" for one in (told, unreadable_told(stack)) if one)
            + f"See them with: napari-kikuchi view {shown(target)}",
            result=target,
        )
