"""``napari-kikuchi segment``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_kikuchi.cli.console import errors_told, output_for, report_result, run, shown
from napari_kikuchi.cli.options import (
    EventsOption,
    FurtherMapsOption,
    JsonOption,
    MapsArgument,
    read_stacks,
    refuse_overwriting,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.explore.wall_report import WallReport
    from napari_kikuchi.maps import MapStack


class Shade(StrEnum):
    """How walls look."""

    DARK = "dark"
    BRIGHT = "bright"


def segment(
    maps: MapsArgument,
    name: Annotated[
        str,
        typer.Option("--map", metavar="NAME", help="On which walls stand out.", show_default=False),
    ],
    out: Annotated[
        Path, typer.Option(help="Table of the figures to write, as CSV.", show_default=False)
    ],
    cells: Annotated[
        Path | None,
        typer.Option(help="Table of each cell to write, too, as CSV.", show_default=False),
    ] = None,
    borders: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Map of grains or domains at whose borders cells end, too.",
            show_default=False,
        ),
    ] = None,
    more: FurtherMapsOption = None,
    walls: Annotated[
        Shade | None,
        typer.Option(help="Against the interior of cells.", show_default="found out"),
    ] = None,
    as_json: JsonOption = False,
    events: EventsOption = False,
) -> None:
    """Find cell walls on a map: cell size, wall thickness and wall fraction, with their errors.

    [bold]napari-kikuchi segment scan.mine.zarr --map "pattern contrast" --out walls.csv[/]

    [bold]… --with scan.physics.zarr --borders grain --cells cells.csv[/]
    """
    output = output_for(as_json, events)
    with errors_told(output):
        from napari_kikuchi.explore.wall_report import report_walls
        from napari_kikuchi.io.gathered import gather
        from napari_kikuchi.io.tables import write_table

        targets = [path for path in (out, cells) if path is not None]
        refuse_overwriting(*targets)
        stack = gather(read_stacks(maps, more))
        job = report_walls(
            _map_of(stack, name),
            stack.step,
            dark=None if walls is None else walls is Shade.DARK,
            borders=None if borders is None else _map_of(stack, borders),
        )
        report = run(job, output)
        write_table(out, report.table())
        if cells is not None:
            write_table(cells, report.cells)
        written = " and ".join(f"[bold]{shown(path)}[/]" for path in targets)
        report_result(
            output, f"{_told(report)}\nWrote {written}.", figures=_figures(report), tables=targets
        )


def _map_of(stack: MapStack, name: str) -> NDArray:
    from napari_kikuchi.io.gathered import choose

    return choose(stack, [name]).map(0)


def _told(report: WallReport) -> str:
    from napari_kikuchi.explore.wall_report import in_words

    lines = [f"{name:>14}  {in_words(measure)}" for name, measure in report.figures.items()]
    return "\n".join([*lines, f"{'':>14}  {report.counted}"])


def _figures(report: WallReport) -> dict[str, Any]:
    from dataclasses import asdict
    from math import isfinite

    figures: dict[str, Any] = {
        name: {
            key: None if isinstance(value, float) and not isfinite(value) else value
            for key, value in asdict(measure).items()
        }
        for name, measure in report.figures.items()
    }
    walls = Shade.DARK if report.dark else Shade.BRIGHT
    return {**figures, "cells": report.count, "whole cells": report.whole, "walls": walls}
