"""``napari-kikuchi spots``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_kikuchi.cli.cluster import refuse_device, workers_for
from napari_kikuchi.cli.console import errors_told, output_for, report_result, run, shown
from napari_kikuchi.cli.flattened import flattened
from napari_kikuchi.cli.options import (
    DeviceOption,
    EventsOption,
    JsonOption,
    ScanArgument,
    SchedulerOption,
    WorkersOption,
)
from napari_kikuchi.cli.scan_options import PatternOptions

if TYPE_CHECKING:
    from napari_kikuchi.orientation.scan_spots import ScanSpots


@flattened
def spots(
    path: ScanArgument,
    radius: Annotated[
        float | None,
        typer.Option(
            min=0.5,
            help="Of a spot, in pixels.",
            show_default="found in the patterns",
        ),
    ] = None,
    least: Annotated[
        float,
        typer.Option(min=0, help="Spots below this share of a pattern's strongest are left out."),
    ] = 0.005,
    least_noise: Annotated[
        float,
        typer.Option(min=0, help="So are those below so many standard deviations of the noise."),
    ] = 4.0,
    spacing: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Of two spots nearer than this, in pixels, the weaker one is left out.",
            show_default="the diameter of a spot",
        ),
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="Spots of a pattern, the strongest.")] = 64,
    restart: Annotated[
        bool, typer.Option("--restart", help="Begin anew where a run was stopped.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="File to write.", show_default="SCAN.spots beside the scan"),
    ] = None,
    device: DeviceOption = "auto",
    scheduler: SchedulerOption = None,
    workers: WorkersOption = None,
    *,
    opening: PatternOptions,
    as_json: JsonOption = False,
    events: EventsOption = False,
) -> None:
    """Find the diffraction spots of a 4D-STEM scan, and the direct beam among them.

    They are kept in pixels: what is made of them later needs no new search.

    Stopped with Ctrl-C it keeps the blocks that are done; the same command goes on from there.

    [bold]napari-kikuchi spots scan.mib --shape 256,256[/]
    """
    output = output_for(as_json, events)
    with errors_told(output):
        from napari_kikuchi.orientation.detection_settings import Detection
        from napari_kikuchi.orientation.find_spots import default_spots_path, find_spots
        from napari_kikuchi.orientation.spot_radius import guess_radius
        from napari_kikuchi.orientation.technique import check_spots_expected

        scan = opening.open(path)
        check_spots_expected(scan.technique, path)
        target = default_spots_path(path, scan.options) if out is None else out
        detection = Detection(
            round(guess_radius(scan), 2) if radius is None else radius,
            least=least,
            least_noise=least_noise,
            spacing=spacing,
            most=most,
        )
        refuse_device(scheduler, device)
        with workers_for(scheduler, workers, output) as where:
            job = find_spots(scan, target, detection, device=device, resume=not restart, **where)
            found = run(job, output, going_on="The same command goes on from here.")
        summary = _summary(found)
        report_result(
            output,
            f"Wrote [bold]{shown(target)}[/]: spots of {summary['patterns']:,} patterns, "
            f"{summary['median spots']:g} in the median, of {detection.radius:g} pixels radius.\n"
            + _beam_told(summary)
            + (f"\n{told}" if (told := summary["unreadable"]) else ""),
            result=target,
            **summary,
        )


def _summary(found: ScanSpots) -> dict[str, Any]:
    """What was found, fit for JSON."""
    import numpy as np

    from napari_kikuchi.io.origin import unreadable_told
    from napari_kikuchi.orientation.beam_place import NoBeamError
    from napari_kikuchi.orientation.find_calibration import find_beam_of_scan

    counts = found.counts[found.present]
    summary: dict[str, Any] = {
        "patterns": len(counts),
        "median spots": float(np.median(counts)) if len(counts) else 0.0,
        "radius": found.detection.radius,
        "unreadable": unreadable_told(found.provenance),
        "beam": None,
    }
    try:
        beam = find_beam_of_scan(found)
    except NoBeamError:
        return summary
    summary["beam"] = {
        "centre": list(beam.centre),
        "seen": beam.share > 0,
        "shift": beam.wandering,
        "spread": list(beam.spread),
    }
    return summary


def _beam_told(summary: dict[str, Any]) -> str:
    beam = summary["beam"]
    if beam is None:
        return "The direct beam was not found among them."
    row, column = beam["centre"]
    place = f"The direct beam is at row {row:.1f}, column {column:.1f}"
    if not beam["seen"]:
        return f"{place}, by pairs of spots around it: it is not seen itself."
    return (
        f"{place}, shifts by {beam['shift']:.1f} pixels over the scan and scatters by "
        f"{max(beam['spread']):.2f}."
    )
