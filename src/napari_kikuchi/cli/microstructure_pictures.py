"""``napari-kikuchi microstructure interpolate`` and ``reconstruct``."""

from __future__ import annotations

from enum import StrEnum
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_kikuchi.cli.console import errors_told, output_for, report_result, run, shown
from napari_kikuchi.cli.generator_options import (
    ModelOption,
    SeedOption,
    StepsOption,
    chosen_generator,
)
from napari_kikuchi.cli.options import (
    DeviceOption,
    EventsOption,
    JsonOption,
    MapsArgument,
    refuse_overwriting,
)

if TYPE_CHECKING:
    from napari_kikuchi.microstructure.likeness import Likeness


class AxisChoice(StrEnum):
    """Directions of the sample."""

    X = "x"
    Y = "y"
    Z = "z"


AlongOption = Annotated[
    AxisChoice, typer.Option(help="Direction of the sample whose crystal directions are coloured.")
]


def interpolate(
    one: Annotated[
        Path, typer.Argument(metavar="ONE", help="Map store to begin with.", show_default=False)
    ],
    other: Annotated[
        Path, typer.Argument(metavar="OTHER", help="Map store to end with.", show_default=False)
    ],
    out: Annotated[
        Path,
        typer.Argument(
            metavar="OUT.tif",
            help="Colours of the orientations to write, a page for each picture. Phases and a "
            "figure go beside it.",
            show_default=False,
        ),
    ],
    weights: Annotated[
        int,
        typer.Option(min=2, max=50, help="How many pictures, at weights from 0 to 1 of OTHER."),
    ] = 5,
    time: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="How much of the maps is lost in noise before grains are made anew: 0 lays one "
            "over the other, 1 leaves nothing of either.",
        ),
    ] = 0.5,
    along: AlongOption = AxisChoice.Z,
    model: ModelOption = None,
    seed: SeedOption = 0,
    steps: StepsOption = 20,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
    events: EventsOption = False,
) -> None:
    """Make pictures on the way from one map of orientations to another.

    Both are cut to the rows and columns that both have; their holes are filled in.

    [bold]napari-kikuchi microstructure interpolate one.zarr other.zarr way.tif --weights 7[/]
    """
    output = output_for(as_json, events)
    with errors_told(output):
        import numpy as np

        from napari_kikuchi.io.map_store import read_maps
        from napari_kikuchi.microstructure.interpolation_files import (
            interpolation_files,
            write_interpolation,
        )
        from napari_kikuchi.microstructure.scan_pictures import interpolate_maps

        files = interpolation_files(out)
        refuse_overwriting(*files)
        job = interpolate_maps(
            chosen_generator(model, device),
            read_maps(one),
            read_maps(other),
            np.linspace(0, 1, weights).tolist(),
            time=time,
            along=along.value,
            seed=seed,
            steps=steps,
        )
        found = run(job, output)
        run(write_interpolation(files, found), output)
        written = ", ".join(f"[bold]{shown(path)}[/]" for path in files)
        report_result(
            output,
            "\n".join([*found.remarks(), f"Wrote {written}."]),
            result=out,
            files=files._asdict(),
            weights=found.weights,
            shape=found.pictures.shape[2:],
            filled=found.filled,
        )


def reconstruct(
    maps: MapsArgument,
    out: Annotated[
        Path, typer.Argument(help="Map store of the error to write.", show_default=False)
    ],
    time: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="How much of the maps is lost in noise before: 0 only turns them into what the "
            "generator works on and back.",
        ),
    ] = 0.0,
    along: AlongOption = AxisChoice.Z,
    model: ModelOption = None,
    seed: SeedOption = 0,
    steps: StepsOption = 20,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
    events: EventsOption = False,
) -> None:
    """Make the colours and phases of maps anew, and map where they differ from what was measured.

    It tells how alike they are: PSNR and SSIM, in JSON without PSNR where nothing differs.

    [bold]napari-kikuchi microstructure reconstruct maps.zarr error.zarr --time 0.3[/]
    """
    output = output_for(as_json, events)
    with errors_told(output):
        from napari_kikuchi.io.map_store import read_maps, write_maps
        from napari_kikuchi.microstructure.scan_pictures import reconstruct_maps

        refuse_overwriting(out)
        job = reconstruct_maps(
            chosen_generator(model, device),
            read_maps(maps),
            time=time,
            along=along.value,
            seed=seed,
            steps=steps,
        )
        found = run(job, output)
        write_maps(out, found.error)
        report_result(
            output,
            f"{found.in_words()}\nWrote [bold]{shown(out)}[/].",
            result=out,
            colours=_figures(found.colours),
            phase=_figures(found.phase),
        )


def _figures(one: Likeness) -> dict[str, Any]:
    return {"psnr_db": one.psnr if isfinite(one.psnr) else None, "ssim": one.ssim}
