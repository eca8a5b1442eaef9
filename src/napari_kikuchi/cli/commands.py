"""The commands of ``napari-kikuchi``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from napari_kikuchi.cli.cluster import refuse_device, workers_for
from napari_kikuchi.cli.console import (
    Output,
    errors_told,
    output_for,
    report_result,
    run,
    shown,
)
from napari_kikuchi.cli.correlate import correlate
from napari_kikuchi.cli.export import export
from napari_kikuchi.cli.flattened import flattened
from napari_kikuchi.cli.map_symmetry import symmetry
from napari_kikuchi.cli.maps import maps
from napari_kikuchi.cli.microstructure import microstructure
from napari_kikuchi.cli.options import (
    DeviceOption,
    EventsOption,
    JsonOption,
    ScanArgument,
    SchedulerOption,
    Structure,
    WorkersOption,
    numbers,
)
from napari_kikuchi.cli.orient import orient
from napari_kikuchi.cli.scan_options import PatternOptions
from napari_kikuchi.cli.segment import segment
from napari_kikuchi.cli.spots import spots
from napari_kikuchi.cli.symmetry import phases, train_symmetry
from napari_kikuchi.cli.train import train
from napari_kikuchi.cli.train_spots import train_spots
from napari_kikuchi.cli.virtual import virtual

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
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
@flattened
def info(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="A scan, a model, a map store or spots.", show_default=False
        ),
    ],
    *,
    opening: PatternOptions,
    as_json: JsonOption = False,
) -> None:
    """Tell what a scan, a model, a map store or a file of spots holds, without its patterns."""
    output = output_for(as_json)
    with errors_told(output):
        from napari_kikuchi.cli.describe import describe

        content = describe(path, opening)
        if output is Output.JSON:
            print(json.dumps(content, indent=2))
            return
        width = max(len(key) for key in content)
        for key, value in content.items():
            print(f"{key:>{width}}  {value}")


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
    output = output_for(as_json, events)
    with errors_told(output):
        from napari_kikuchi.simulate import make_structure, simulate_scan

        made = make_structure(structure.value, rows, cols, step=step, seed=seed)
        job = simulate_scan(
            out, made, pattern_size=(size, size), noise=noise, seed=seed, device=device
        )
        path = run(job, output)
        report_result(
            output,
            f"Wrote [bold]{shown(path)}[/]: {rows} x {cols} patterns of {size} x {size}, and its "
            "truth.",
            result=path,
        )


app.command()(train)


@app.command()
@flattened
def encode(
    path: ScanArgument,
    model: Annotated[
        Path | None,
        typer.Option(help="Trained model.", show_default="the shipped one"),
    ] = None,
    linear: Annotated[
        bool,
        typer.Option("--linear", help="Principal components of this very scan: a first look."),
    ] = False,
    latent: Annotated[int, typer.Option(min=1, help="Features, with --linear.")] = 32,
    restart: Annotated[
        bool, typer.Option("--restart", help="Begin anew where an encoding was stopped.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Map store to write.",
            show_default="SCAN.MODEL.zarr beside the scan",
        ),
    ] = None,
    device: DeviceOption = "auto",
    scheduler: SchedulerOption = None,
    workers: WorkersOption = None,
    *,
    opening: PatternOptions,
    as_json: JsonOption = False,
    events: EventsOption = False,
) -> None:
    """Encode a scan: one map for each latent feature, ranked, in a store that napari opens.

    Stopped with Ctrl-C it keeps the blocks that are done; the same command goes on from there.
    """
    output = output_for(as_json, events)
    with errors_told(output):
        from napari_kikuchi.io.places import model_name
        from napari_kikuchi.latent.encoder import load_encoder
        from napari_kikuchi.latent.maps import advice, default_maps_path, encode_scan
        from napari_kikuchi.samples import shipped_encoder

        if linear and model is not None:
            raise ValueError("--linear fits an encoder of its own: leave out --model")
        scan = opening.open(path)
        source = shipped_encoder() if model is None else model
        name = f"linear-{latent}" if linear else model_name(source.absolute())
        target = default_maps_path(path, name, scan.options) if out is None else out
        refuse_device(scheduler, device)
        with workers_for(scheduler, workers, output) as where:
            if linear:
                from napari_kikuchi.cli.linear import encode_linear

                job = encode_linear(scan, latent, target, resume=not restart, **where)
            else:
                encoder = load_encoder(source, device=device)
                job = encode_scan(scan, encoder, target, model=source, resume=not restart, **where)
            stack = run(job, output, going_on="The same command goes on from here.")
        best = ", ".join(stack.channels[i].name for i in stack.ranking()[:4])
        advised = advice(stack)
        report_result(
            output,
            f"Wrote [bold]{shown(target)}[/]: {len(stack)} maps, first in rank {best}.\n"
            + (f"{advised}\n" if advised else "")
            + f"See them with: napari-kikuchi view {shown(target)}",
            result=target,
        )


app.command()(maps)
app.command()(virtual)
app.command()(spots)
app.command()(orient)
app.command("train-spots")(train_spots)
app.command()(symmetry)
app.command()(phases)
app.command("train-symmetry")(train_symmetry)
app.add_typer(microstructure)
app.command()(segment)
app.command()(correlate)
app.command()(export)


@app.command()
def decode(
    out: Annotated[
        Path,
        typer.Option(help="File to write: .up2 (16 bit) or .up1 (8 bit).", show_default=False),
    ],
    maps: Annotated[
        Path | None,
        typer.Argument(
            metavar="[MAPS]", help="Latent maps of an encoded scan.", show_default=False
        ),
    ] = None,
    random: Annotated[
        str | None,
        typer.Option(
            metavar="ROWS,COLS",
            help="Instead of maps: so many patterns of features drawn from the unit normal.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(help="Model that decodes.", show_default="the one that made the maps"),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of --random.")] = 0,
    restart: Annotated[
        bool, typer.Option("--restart", help="Begin anew where a decoding was stopped.")
    ] = False,
    device: DeviceOption = "auto",
    scheduler: SchedulerOption = None,
    workers: WorkersOption = None,
    as_json: JsonOption = False,
    events: EventsOption = False,
) -> None:
    """Decode latent features into patterns: what a model keeps of a scan, or what it imagines.

    Stopped with Ctrl-C it keeps the blocks that are done; the same command goes on from there.

    [bold]napari-kikuchi decode scan.mine.zarr --out reconstructed.up2[/]

    [bold]napari-kikuchi decode --random 8,8 --model model.safetensors --out imagined.up2[/]
    """
    output = output_for(as_json, events)
    with errors_told(output):
        from napari_kikuchi.cli.decode import decoded_scan
        from napari_kikuchi.latent.decode import write_decoded

        shape = None if random is None else numbers(random, "--random", (int, int))
        refuse_device(scheduler, device)
        scan = decoded_scan(maps, model, out, shape, seed, device)
        with workers_for(scheduler, workers, output) as where:
            job = write_decoded(out, scan, resume=not restart, **where)
            path = run(job, output, going_on="The same command goes on from here.")
        report_result(output, f"Wrote [bold]{shown(path)}[/]: {scan.count} patterns.", result=path)


@app.command()
def view(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Scans and map stores.", show_default=False),
    ],
) -> None:
    """Open scans and maps in napari."""
    with errors_told(Output.PERSON):
        from napari_kikuchi.ui.launch import view_files

        view_files(files)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for what the demo writes.")] = Path(
        "demo_output"
    ),
    screenshots: Annotated[
        bool,
        typer.Option("--screenshots", help="Take pictures of the session and close it."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Encode the sample scans and show them: the whole way, in a minute."""
    output = output_for(as_json)
    with errors_told(output):
        from napari_kikuchi.cli.samples import encode_samples
        from napari_kikuchi.ui.launch import photograph, view_files

        maps = run(encode_samples(out), output)
        listed = "\n".join(f"  {shown(path)}" for path in maps)
        if screenshots:
            pictures = photograph(maps, out)
            taken = "\n".join(f"  {shown(path)}" for path in pictures)
            text = f"Maps of the sample scans:\n{listed}\nPictures of the session:\n{taken}"
            report_result(output, text, maps=maps, pictures=pictures)
        else:
            text = f"Maps of the sample scans:\n{listed}\nThe window shows the first of them."
            report_result(output, text, maps=maps)
            view_files(maps[:1])
