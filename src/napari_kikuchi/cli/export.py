"""``napari-kikuchi export``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

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


def export(
    maps: MapsArgument,
    out: Annotated[
        Path,
        typer.Argument(
            metavar="OUT",
            help="File to write: .tif for ImageJ and Fiji, .h5 for plain HDF5; with orientations "
            ".ang for MTEX and EDAX, .ctf for MTEX and AZtec, .orix.h5 for orix and kikuchipy, "
            ".dream3d for DREAM.3D and DAMASK.",
            show_default=False,
        ),
    ],
    names: Annotated[
        str | None,
        typer.Option("--maps", metavar="NAME,…", help="Maps to write.", show_default="all"),
    ] = None,
    more: FurtherMapsOption = None,
    as_json: JsonOption = False,
    events: EventsOption = False,
) -> None:
    """Write maps for other programs: ImageJ, MATLAB, MTEX, AZtec, orix, DREAM.3D.

    [bold]napari-kikuchi export scan.mine.zarr maps.tif --maps "feature 3,pattern contrast"[/]

    [bold]napari-kikuchi export scan.physics.zarr scan.ang --with scan.mine.zarr[/]
    """
    output = output_for(as_json, events)
    with errors_told(output):
        from napari_kikuchi.io.export import export_maps

        refuse_overwriting(out)
        stacks = read_stacks(maps, more)
        there = [name for stack in stacks for name in stack.names]
        chosen = None if names is None else names_in(names, there)
        path = run(export_maps(out, stacks, chosen), output)
        report_result(output, f"Wrote [bold]{shown(path)}[/].", result=path)


def names_in(text: str, there: Sequence[str]) -> list[str]:
    """Names between commas, where names of maps may have a comma themselves.

    Of several readings, that with the longest names first is taken.
    """
    parts = [part.strip() for part in text.split(",")]
    names = []
    while parts:
        joined = [", ".join(parts[:end]) for end in range(len(parts), 0, -1)]
        name = next((one for one in joined if one in there), parts[0])
        names.append(name)
        del parts[: name.count(",") + 1]
    return names
