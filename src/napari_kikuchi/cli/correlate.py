"""``napari-kikuchi correlate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_kikuchi.cli.console import errors_told, output_for, report_result, shown
from napari_kikuchi.cli.options import (
    EventsOption,
    JsonOption,
    MapsArgument,
    read_stacks,
    refuse_overwriting,
)


def correlate(
    maps: MapsArgument,
    out: Annotated[Path, typer.Option(help="Table to write, as CSV.", show_default=False)],
    other: Annotated[
        Path | None,
        typer.Option(
            "--against",
            metavar="MAPS",
            help="Orientations of the same scan found in another way.",
            show_default="the same maps",
        ),
    ] = None,
    as_json: JsonOption = False,
    events: EventsOption = False,
) -> None:
    """Tell over which distances the zone axes of an orientation map stay alike.

    The table has the two-point correlation of the zone axes over the distance: 1 for equal axes,
    0 for unrelated ones.

    [bold]napari-kikuchi correlate scan.orientations.zarr --out correlation.csv[/]
    """
    output = output_for(as_json, events)
    with errors_told(output):
        from napari_kikuchi.explore.orientations import orientations_in
        from napari_kikuchi.io.gathered import gather
        from napari_kikuchi.io.tables import write_table
        from napari_kikuchi.orientation.correlation import axis_correlation, half_distance

        refuse_overwriting(out)
        stacks = read_stacks(maps, None if other is None else [other])
        gather(stacks)  # Only maps of one scan have the same positions.
        correlation = axis_correlation(*map(orientations_in, stacks))
        table = correlation.over_distance(stacks[0].step)
        write_table(out, table)
        half = half_distance(table)
        falls = f"falls to one half at {half:.4g} µm" if half > 0 else "does not fall to one half"
        report_result(
            output,
            f"Wrote [bold]{shown(out)}[/]. The correlation of the zone axes {falls}.",
            result=out,
            half_distance_um=half if half > 0 else None,
        )
