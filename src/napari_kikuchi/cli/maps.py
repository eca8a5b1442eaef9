"""``napari-kikuchi maps``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from napari_kikuchi.cli.cluster import workers_for
from napari_kikuchi.cli.console import errors_told, output_for, report_result, run, shown
from napari_kikuchi.cli.flattened import flattened
from napari_kikuchi.cli.geometry_options import GeometryOptions
from napari_kikuchi.cli.options import (
    Background,
    EventsOption,
    JsonOption,
    MaskOption,
    ScanArgument,
    SchedulerOption,
    WorkersOption,
    leave_out,
    load_mask,
    numbers,
)
from napari_kikuchi.cli.scan_options import PatternOptions


@flattened
def maps(
    path: ScanArgument,
    kinds: Annotated[
        str,
        typer.Option(
            "--maps",
            metavar="KIND,…",
            help="quality, sharpness, contrast, intensity, and indexing.",
        ),
    ] = "quality,sharpness,contrast,intensity",
    *,
    geometry: GeometryOptions,
    phase: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.cif",
            help="What to index, or ni for nickel.",
            show_default="ni",
        ),
    ] = None,
    grain_threshold: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Misorientation in degrees above which neighbours belong to different grains.",
            show_default="5",
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(
            metavar="HxW",
            help="Average patterns down to so many pixels first.",
            show_default="as recorded",
        ),
    ] = None,
    background: Annotated[
        Background,
        typer.Option(
            help="Static background. Contrast is the difference from it; image quality and "
            "indexing take its smooth part away; none leaves patterns as recorded."
        ),
    ] = Background.SAMPLE,
    mask: MaskOption = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Begin anew where a run was stopped.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Map store to write.",
            show_default="SCAN.physics.zarr beside the scan",
        ),
    ] = None,
    scheduler: SchedulerOption = None,
    workers: WorkersOption = None,
    opening: PatternOptions,
    as_json: JsonOption = False,
    events: EventsOption = False,
) -> None:
    """Map what classical methods say of each pattern, to stand beside latent features.

    Image quality, sharpness, contrast, intensity; with indexing: orientations, KAM, GROD, grains.

    Stopped with Ctrl-C it keeps the blocks that are done; the same command goes on from there.

    [bold]napari-kikuchi maps scan.up2 --maps quality,indexing --pc 0.42,0.22,0.50[/]
    """
    output = output_for(as_json, events)
    with errors_told(output):
        from napari_kikuchi.explore.orientations import GRAIN_THRESHOLD
        from napari_kikuchi.io.origin import unreadable_told
        from napari_kikuchi.physics.indexing import NICKEL, HoughIndexing
        from napari_kikuchi.physics.maps import Kind, default_physics_path, physics_maps
        from napari_kikuchi.recipe import Recipe

        chosen = cast("list[Kind]", [kind.strip() for kind in kinds.split(",")])
        given = {
            **geometry.given(),
            "--phase": phase,
            "--grain-threshold": grain_threshold,
        }
        if "indexing" not in chosen:
            leave_out(given, "only --maps indexing uses geometry, phase and grains")
        scan = opening.open(path)
        indexing, told_by = None, None
        if "indexing" in chosen:
            found, told_by = geometry.of(scan)
            if found is not None:
                indexing = HoughIndexing(found, NICKEL if phase is None else phase)
        pixels = scan.pattern_shape if size is None else numbers(size, "--size", (int, int))
        target = default_physics_path(path, scan.options) if out is None else out
        with workers_for(scheduler, workers, output) as where:
            job = physics_maps(
                scan,
                chosen,
                target,
                indexing=indexing,
                recipe=Recipe(
                    size=pixels,
                    background=background.value,
                    mask=None if mask is None else load_mask(mask),
                ),
                grain_threshold=GRAIN_THRESHOLD if grain_threshold is None else grain_threshold,
                resume=not restart,
                **where,
            )
            stack = run(job, output, going_on="The same command goes on from here.")
        report_result(
            output,
            f"Wrote [bold]{shown(target)}[/]: {', '.join(stack.names)}.\n"
            + "".join(f"{told}\n" for told in [unreadable_told(stack)] if told)
            + ("" if told_by is None else f"Projection centre of {shown(told_by)}.\n")
            + f"See them with: napari-kikuchi view {shown(target)}",
            result=target,
        )
