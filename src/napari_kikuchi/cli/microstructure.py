"""``napari-kikuchi microstructure``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_kikuchi.cli.console import errors_told, output_for, report_result, run, shown
from napari_kikuchi.cli.generator_options import (
    ModelOption,
    SeedOption,
    StepsOption,
    chosen_generator,
)
from napari_kikuchi.cli.microstructure_pictures import interpolate, reconstruct
from napari_kikuchi.cli.options import (
    DeviceOption,
    EventsOption,
    JsonOption,
    MapsArgument,
    leave_out,
    numbers,
    refuse_overwriting,
)
from napari_kikuchi.cli.train_control import train_control
from napari_kikuchi.cli.train_generator import train

if TYPE_CHECKING:
    from napari_kikuchi.microstructure.wishes import Wishes

microstructure = typer.Typer(
    name="microstructure",
    help="Fill in maps of orientations, go on with them past their edges, generate new ones.",
    rich_markup_mode="rich",
    no_args_is_help=True,
)
for command in (interpolate, reconstruct, train, train_control):
    microstructure.command()(command)


class Grains(StrEnum):
    """Kinds of polycrystals."""

    EQUIAXED = "equiaxed"
    ROLLED = "rolled"
    RECRYSTALLISED = "recrystallised"


CandidatesOption = Annotated[
    int, typer.Option(min=1, help="Make so many and take the most typical one.")
]
ScaleOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="For large grains: fill in by every so many pixels first.",
        show_default="as suits the grains",
    ),
]
OutOption = Annotated[
    Path | None, typer.Option(help="Map store to write.", show_default="beside the maps")
]


@microstructure.command()
def fill(
    maps: MapsArgument,
    model: ModelOption = None,
    out: OutOption = None,
    candidates: CandidatesOption = 1,
    scale: ScaleOption = None,
    seed: SeedOption = 0,
    steps: StepsOption = 20,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
    events: EventsOption = False,
) -> None:
    """Fill in a map of orientations where nothing was indexed.

    What was measured stays as it is; a map tells what was filled in. Grains go on into what is
    filled in; new ones have orientations that occur in the map, where it has one of their colour.

    [bold]napari-kikuchi microstructure fill scan.orientations.zarr[/]
    """
    target = _beside(maps, "filled") if out is None else out
    _fill(maps, "0", target, model, candidates, scale, seed, steps, device, as_json, events)


@microstructure.command()
def extend(
    maps: MapsArgument,
    by: Annotated[
        str,
        typer.Option(metavar="N or T,B,L,R", help="Pixels to add all round, or on each side."),
    ],
    model: ModelOption = None,
    out: OutOption = None,
    candidates: CandidatesOption = 1,
    scale: ScaleOption = None,
    seed: SeedOption = 0,
    steps: StepsOption = 20,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
    events: EventsOption = False,
) -> None:
    """Go on with a map of orientations past its edges; its holes are filled in, too.

    [bold]napari-kikuchi microstructure extend maps.zarr --by 32[/]
    """
    target = _beside(maps, "extended") if out is None else out
    _fill(maps, by, target, model, candidates, scale, seed, steps, device, as_json, events)


@microstructure.command()
def generate(
    out: Annotated[Path, typer.Argument(help="Map store to write.", show_default=False)],
    model: ModelOption = None,
    shape: Annotated[
        str | None,
        typer.Option(
            metavar="ROWSxCOLUMNS", help="Of the map.", show_default="128x128, or that of --phase"
        ),
    ] = None,
    step: Annotated[float, typer.Option(min=1e-6, help="Of the map, in µm.")] = 1.0,
    tileable: Annotated[
        bool, typer.Option("--tileable", help="Opposite edges go on into each other.")
    ] = False,
    control: Annotated[
        Path | None,
        typer.Option(
            help="Leads the model to what is wished for, as train-control makes it.",
            show_default="that of the package's generator",
        ),
    ] = None,
    phase: Annotated[
        Path | None,
        typer.Option(
            metavar="PICTURE|MAPS",
            help="Wished for: a PNG, bright where the second phase is, or maps with phases.",
            show_default=False,
        ),
    ] = None,
    fraction: Annotated[
        float | None,
        typer.Option(help="Wished for: share of the second phase, 0 to 1.", show_default=False),
    ] = None,
    diameter: Annotated[
        float | None,
        typer.Option(
            help="Wished for: of circles as large as the mean grain, in pixels.", show_default=False
        ),
    ] = None,
    coercivity: Annotated[
        float | None, typer.Option(help="Wished for: in T.", show_default=False)
    ] = None,
    seed: SeedOption = 0,
    steps: StepsOption = 20,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
    events: EventsOption = False,
) -> None:
    """Generate a map of grains of two cubic phases, of any size.

    What is wished for leads it.

    [bold]napari-kikuchi microstructure generate made.zarr --shape 256x256 --tileable[/]

    [bold]napari-kikuchi microstructure generate made.zarr --fraction 0.3[/]
    """
    output = output_for(as_json, events)
    with errors_told(output):
        from napari_kikuchi.io.map_store import write_maps
        from napari_kikuchi.microstructure.scan_filling import generate_maps

        refuse_overwriting(out)
        wished = _wished(phase, fraction, diameter, coercivity)
        if not wished.names:
            leave_out({"--control": control}, "nothing is wished for")
        generator = chosen_generator(model, device)
        if wished.names:
            generator = generator.controlled(control)
        job = generate_maps(
            generator,
            _shape(shape, wished),
            step=step,
            tileable=tileable,
            wished=wished,
            seed=seed,
            steps=steps,
        )
        write_maps(out, run(job, output))
        report_result(output, f"Wrote [bold]{shown(out)}[/].", result=out)


@microstructure.command()
def polycrystal(
    out: Annotated[Path, typer.Argument(help="Map store to write.", show_default=False)],
    grains: Annotated[Grains, typer.Option(help="What they are like.")] = Grains.EQUIAXED,
    size: Annotated[int, typer.Option(min=2, help="Rows and columns of the map.")] = 128,
    diameter: Annotated[float, typer.Option(min=1, help="Of the mean grain, in pixels.")] = 10.0,
    spread: Annotated[
        float,
        typer.Option(min=0, max=0.5, help="Standard deviation of the logarithm of their radii."),
    ] = 0.3,
    fraction: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the grains of the second phase.")
    ] = 0.3,
    components: Annotated[
        int, typer.Option(min=0, help="Of the texture: preferred orientations; 0 for none.")
    ] = 0,
    step: Annotated[float, typer.Option(min=1e-6, help="Of the map, in µm.")] = 1.0,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Make a slice of a polycrystal of two cubic phases, without any generator.

    [bold]napari-kikuchi microstructure polycrystal made.zarr --grains rolled --diameter 8[/]
    """
    output = output_for(as_json)
    with errors_told(output):
        from dataclasses import asdict

        from napari_kikuchi.io.map_store import write_maps
        from napari_kikuchi.microstructure.maps import (
            cubic_phases,
            grain_maps,
            polycrystal_orientations,
        )
        from napari_kikuchi.microstructure.polycrystal import PolycrystalSettings, Volume

        refuse_overwriting(out)
        settings = PolycrystalSettings(
            kind=grains.value,
            diameter=diameter,
            spread=spread,
            fraction=fraction,
            components=components,
        )
        plane = Volume(settings, size, seed).slice(1, 0.5)
        told = {
            "method": "polycrystal",
            "settings": {**asdict(settings), "size": size, "seed": seed},
        }
        orientations = polycrystal_orientations(plane)
        write_maps(out, grain_maps(orientations, cubic_phases(), told, step=(step, step)))
        report_result(
            output, f"Wrote [bold]{shown(out)}[/]: {len(plane.phases)} grains.", result=out
        )


def _fill(
    maps: Path,
    by: str,
    out: Path,
    model: Path | None,
    candidates: int,
    scale: int | None,
    seed: int,
    steps: int,
    device: str,
    as_json: bool,
    events: bool,
) -> None:
    output = output_for(as_json, events)
    with errors_told(output):
        from napari_kikuchi.io.map_store import read_maps, write_maps
        from napari_kikuchi.microstructure.scan_filling import fill_maps

        refuse_overwriting(out)
        job = fill_maps(
            chosen_generator(model, device),
            read_maps(maps),
            margins=_margins(by),
            scale=scale,
            candidates=candidates,
            seed=seed,
            steps=steps,
        )
        write_maps(out, run(job, output))
        report_result(output, f"Wrote [bold]{shown(out)}[/].", result=out)


def _beside(maps: Path, done: str) -> Path:
    """Where what was done to some maps goes."""
    store = maps.resolve()
    return store.with_name(f"{store.name.removesuffix('.zarr')}.{done}.zarr")


def _margins(by: str) -> tuple[int, int, int, int]:
    """Read ``8``, or ``8,0,8,0``."""
    parts = by.split(",")
    if len(parts) not in (1, 4) or not all(part.strip().isdecimal() for part in parts):
        raise ValueError(
            f"--by needs one number of pixels for all sides, or four separated by commas (above, "
            f"below, left and right), not {by!r}"
        )
    top, bottom, left, right = [int(part) for part in parts] * (4 // len(parts))
    return top, bottom, left, right


def _wished(
    phase: Path | None, fraction: float | None, diameter: float | None, coercivity: float | None
) -> Wishes:
    from napari_kikuchi.io.phase_images import read_phases
    from napari_kikuchi.microstructure.wishes import Wishes

    phases = None if phase is None else read_phases(phase)
    return Wishes(phases, fraction, diameter, coercivity)


def _shape(told: str | None, wished: Wishes) -> tuple[int, int]:
    """Rows and columns of the map."""
    if told is None and wished.phase is not None:
        return wished.phase.shape
    return numbers("128x128" if told is None else told, "--shape", (int, int))
