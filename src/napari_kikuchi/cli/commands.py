"""The commands of ``napari-kikuchi``."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from napari_kikuchi.cli.console import Output, errors_told, report_result, run, terminal

app = typer.Typer(
    name="napari-kikuchi",
    help=(
        "See what Kikuchi patterns know: encode every pattern of an EBSD scan and map each latent "
        "feature back onto the surface.\n\n"
        "A first look takes seconds: [bold]napari-kikuchi encode SCAN --linear[/] needs no "
        "training. [bold]napari-kikuchi demo[/] shows the whole way on small sample scans."
    ),
    rich_markup_mode="rich",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ScanArgument = Annotated[
    Path,
    typer.Argument(
        metavar="SCAN",
        help="Pattern file: .up1 or .up2, or any format that kikuchipy reads (.h5, .h5oina, .dat…).",
        show_default=False,
    ),
]
ShapeOption = Annotated[
    str | None,
    typer.Option(
        "--shape",
        metavar="ROWS,COLS",
        help="Grid of the scan, where the file does not say (UP2 version 1 without an .ang).",
    ),
]
StepOption = Annotated[
    str | None,
    typer.Option("--step", metavar="Y,X", help="Distance between rows and columns in µm."),
]
CropOption = Annotated[
    bool, typer.Option("--crop", help="Keep the central square of patterns that are not square.")
]
PartialOption = Annotated[
    bool,
    typer.Option(
        "--allow-partial", help="Open a scan cut short by a stopped acquisition, gaps marked."
    ),
]
DeviceOption = Annotated[
    str, typer.Option("--device", help="auto, cpu, cuda, cuda:1, mps…", show_default=True)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
EventsOption = Annotated[
    bool, typer.Option("--events", hidden=True, help="One JSON event per line, for the window.")
]


class Structure(StrEnum):
    """What to simulate."""

    WROUGHT = "wrought"
    ADDITIVE = "additive"


def _output(as_json: bool, events: bool = False) -> Output:
    return Output.EVENTS if events else Output.JSON if as_json else Output.PERSON


def _numbers(text: str, name: str, kinds: tuple[type, ...]) -> tuple[Any, ...]:
    """Read ``1,2`` or ``1x2``."""
    parts = text.replace("x", ",").split(",")
    try:
        if len(parts) != len(kinds):
            raise ValueError
        return tuple(kind(part) for kind, part in zip(kinds, parts, strict=True))
    except ValueError:
        raise ValueError(
            f"{name} needs {len(kinds)} numbers separated by commas, not {text!r}"
        ) from None


def _scan_options(
    shape: str | None, step: str | None, crop: bool, allow_partial: bool
) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if shape is not None:
        options["shape"] = _numbers(shape, "--shape", (int, int))
    if step is not None:
        options["step"] = _numbers(step, "--step", (float, float))
    if crop:
        options["crop"] = True
    if allow_partial:
        options["allow_partial"] = True
    return options


@app.command()
def info(
    scan: ScanArgument,
    shape: ShapeOption = None,
    step: StepOption = None,
    crop: CropOption = False,
    allow_partial: PartialOption = False,
    as_json: JsonOption = False,
) -> None:
    """Tell what a scan, a model or a map store holds, without reading its patterns."""
    output = _output(as_json)
    with errors_told(output):
        from napari_kikuchi.cli.describe import describe

        options = _scan_options(shape, step, crop, allow_partial)
        content = describe(scan, options)
        if output is Output.JSON:
            print(json.dumps(content, indent=2))
            return
        width = max(len(key) for key in content)
        for key, value in content.items():
            terminal.print(f"[bold]{key:>{width}}[/]  ", end="")
            terminal.print(str(value), markup=False, highlight=False)


@app.command()
def simulate(
    structure: Annotated[Structure, typer.Argument(help="Kind of microstructure.")],
    out: Annotated[Path, typer.Argument(help="File to write: .up2 (16 bit) or .up1 (8 bit).")],
    rows: Annotated[int, typer.Option(min=1, help="Rows of the scan.")] = 64,
    cols: Annotated[int, typer.Option(min=1, help="Columns of the scan.")] = 64,
    size: Annotated[int, typer.Option(min=16, help="Height and width of a pattern.")] = 60,
    noise: Annotated[str, typer.Option(help="low, medium or high.")] = "medium",
    step: Annotated[float, typer.Option(min=0, help="Step in µm.")] = 0.5,
    seed: Annotated[int, typer.Option(help="The same seed makes the same scan.")] = 0,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
    events: EventsOption = False,
) -> None:
    """Simulate a scan whose truth is known, from the dynamical master pattern of nickel.

    The truth (grains, cells, walls, particles, twins, orientations) is written beside the scan as
    a map store, which napari opens too.
    """
    output = _output(as_json, events)
    with errors_told(output):
        from napari_kikuchi.simulate import make_structure, simulate_scan

        made = make_structure(structure.value, rows, cols, step=step, seed=seed)
        job = simulate_scan(
            out, made, pattern_size=(size, size), noise=noise, seed=seed, device=device
        )
        path = run(job, output)
        report_result(
            output,
            f"Wrote [bold]{path}[/]: {rows} x {cols} patterns of {size} x {size}, and its truth.",
            result=path,
        )
