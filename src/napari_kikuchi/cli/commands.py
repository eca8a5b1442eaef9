"""The commands of ``napari-kikuchi``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from napari_kikuchi.cli.console import Output, errors_told, report_result, run, shown
from napari_kikuchi.cli.options import (
    Background,
    CropOption,
    DeviceOption,
    EventsOption,
    FlipOption,
    JsonOption,
    Likelihood,
    Objective,
    PartialOption,
    ScanArgument,
    ScanNameOption,
    ShapeOption,
    StepOption,
    Structure,
    leave_out,
    load_mask,
    numbers,
    scan_options,
)

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


def _output(as_json: bool, events: bool = False) -> Output:
    return Output.EVENTS if events else Output.JSON if as_json else Output.PERSON


@app.command()
def info(
    path: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A scan, a model or a map store.", show_default=False),
    ],
    shape: ShapeOption = None,
    step: StepOption = None,
    scan_name: ScanNameOption = None,
    crop: CropOption = False,
    flip: FlipOption = False,
    allow_partial: PartialOption = False,
    as_json: JsonOption = False,
) -> None:
    """Tell what a scan, a model or a map store holds, without reading its patterns."""
    output = _output(as_json)
    with errors_told(output):
        from napari_kikuchi.cli.describe import describe

        options = scan_options(shape, step, scan_name, crop, flip, allow_partial)
        content = describe(path, options)
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
            f"Wrote [bold]{shown(path)}[/]: {rows} x {cols} patterns of {size} x {size}, and its "
            "truth.",
            result=path,
        )


@app.command()
def train(
    scans: Annotated[
        list[Path],
        typer.Argument(metavar="SCAN...", help="One or several pattern files.", show_default=False),
    ],
    out: Annotated[
        Path,
        typer.Option(help="Folder for the model, its checkpoint and its log.", show_default=False),
    ],
    preset: Annotated[
        str | None,
        typer.Option(
            help="Network: quick-16, quick-32, quick-64 (60 x 60 pixels, for CPUs) or "
            "published-16 to published-256 (120 x 120, for GPUs).  [default: quick-32]",
            show_default=False,
        ),
    ] = None,
    linear: Annotated[
        bool, typer.Option("--linear", help="Principal components instead: ready in seconds.")
    ] = False,
    latent: Annotated[int, typer.Option(min=1, help="Features of a linear encoder.")] = 32,
    size: Annotated[
        str | None,
        typer.Option(
            metavar="HxW",
            help="Pixels after binning, for a linear encoder.  [default: 60x60]",
            show_default=False,
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Stop after so many passes.  [default: 50, or none with --minutes]",
            show_default=False,
        ),
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0, help="Stop after so many minutes of training.")
    ] = None,
    patterns: Annotated[
        int,
        typer.Option(min=2, help="Patterns drawn at random from each scan; in all for --linear."),
    ] = 16_000,
    seed: Annotated[int, typer.Option(help="Of the draw, the weights and the batches.")] = 0,
    init: Annotated[
        Path | None,
        typer.Option(
            help="Start from this trained model, to adapt it to new scans.", show_default=False
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the checkpoint in the folder.")
    ] = False,
    watch: Annotated[
        str | None,
        typer.Option(
            metavar="R0,R1,C0,C1",
            help="Map rows R0 to R1 and columns C0 to C1 of the first scan as training goes.",
        ),
    ] = None,
    background: Annotated[
        Background | None,
        typer.Option(help="Static background of each map.  [default: sample]", show_default=False),
    ] = None,
    mask: Annotated[
        Path | None,
        typer.Option(
            help="Signal mask, a .npy of the size after binning, instead of the one found.",
            show_default=False,
        ),
    ] = None,
    objective: Annotated[
        Objective | None,
        typer.Option(
            help="contrastive: noise that a camera adds shall not move a pattern in latent space; "
            "half as fast.  [default: vae]",
            show_default=False,
        ),
    ] = None,
    beta: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Weight of the divergence from the unit normal: more of it, fewer active "
            "features and blurrier reconstructions.  [default: 1]",
            show_default=False,
        ),
    ] = None,
    likelihood: Annotated[
        Likelihood | None,
        typer.Option(
            help="calibrated keeps weak features alive; unit is the published one.  "
            "[default: calibrated]",
            show_default=False,
        ),
    ] = None,
    device: DeviceOption = "auto",
    threads: Annotated[
        int | None, typer.Option(min=1, help="Processor threads.  [default: all]")
    ] = None,
    shape: ShapeOption = None,
    step: StepOption = None,
    scan_name: ScanNameOption = None,
    crop: CropOption = False,
    flip: FlipOption = False,
    allow_partial: PartialOption = False,
    as_json: JsonOption = False,
    events: EventsOption = False,
) -> None:
    """Train an encoder on the patterns of one or several scans.

    Stopped with Ctrl-C it keeps the best model so far; the same command with --resume goes on.

    [bold]napari-kikuchi train scan.up2 --out runs/first --minutes 10[/]

    [bold]napari-kikuchi train scan.up2 --out runs/adapted --init model.safetensors --minutes 5[/]
    """
    output = _output(as_json, events)
    with errors_told(output):
        from napari_kikuchi.io import open_scan
        from napari_kikuchi.latent.presets import preset as preset_named
        from napari_kikuchi.preprocess import Recipe

        if linear:
            networks_only = {
                "--preset": preset,
                "--epochs": epochs,
                "--minutes": minutes,
                "--init": init,
                "--resume": resume or None,
                "--watch": watch,
                "--objective": objective,
                "--beta": beta,
                "--likelihood": likelihood,
            }
            leave_out(networks_only, "--linear trains no network")
        if init is not None:
            of_recipe = {"--size": size, "--background": background, "--mask": mask}
            leave_out(of_recipe, "the model given with --init brings its own recipe")
        options = scan_options(shape, step, scan_name, crop, flip, allow_partial)
        opened = [open_scan(path, **options) for path in scans]
        if size is not None:
            pixels = numbers(size, "--size", (int, int))
        else:
            pixels = (60, 60) if preset is None else preset_named(preset).size
        recipe = Recipe(
            size=pixels,
            background=(background or Background.SAMPLE).value,
            mask=None if mask is None else load_mask(mask),
            seed=seed,
        )
        if linear:
            from napari_kikuchi.cli.linear import train_linear

            path = run(train_linear(opened, recipe, out, latent, patterns, seed), output)
        else:
            from napari_kikuchi.latent.train import LIVE_FILE, VaeTraining, train_vae
            from napari_kikuchi.scan import Block
            from napari_kikuchi.training import TrainingSettings

            region = None
            if watch is not None:
                top, bottom, left, right = numbers(watch, "--watch", (int,) * 4)
                region = Block(slice(top, bottom), slice(left, right))
            if epochs is None and minutes is None:
                epochs = 50
            training = TrainingSettings(
                epochs=epochs, minutes=minutes, seed=seed, device=device, threads=threads
            )
            settings = VaeTraining(
                preset=preset,
                objective=(objective or Objective.VAE).value,
                beta=1.0 if beta is None else beta,
                likelihood=(likelihood or Likelihood.CALIBRATED).value,
                patterns_per_scan=patterns,
                training=training,
            )
            job = train_vae(
                opened,
                None if init is not None else recipe,
                settings,
                out,
                init=init,
                resume=resume,
                watch=region,
            )
            path = run(
                job,
                output,
                live=None if region is None else out / LIVE_FILE,
                going_on="The same command with --resume goes on from here.",
            )
        report_result(output, f"The best model is [bold]{shown(path)}[/].", result=path)


@app.command()
def encode(
    scan: ScanArgument,
    model: Annotated[
        Path | None,
        typer.Option(help="Trained model.  [default: the shipped one]", show_default=False),
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
            help="Map store to write.  [default: SCAN.MODEL.zarr beside the scan]",
            show_default=False,
        ),
    ] = None,
    device: DeviceOption = "auto",
    shape: ShapeOption = None,
    step: StepOption = None,
    scan_name: ScanNameOption = None,
    crop: CropOption = False,
    flip: FlipOption = False,
    allow_partial: PartialOption = False,
    as_json: JsonOption = False,
    events: EventsOption = False,
) -> None:
    """Encode a scan: one map for each latent feature, ranked, in a store that napari opens.

    Stopped with Ctrl-C it keeps the blocks that are done; the same command goes on from there.
    """
    output = _output(as_json, events)
    with errors_told(output):
        from napari_kikuchi.io import open_scan
        from napari_kikuchi.io.places import model_name
        from napari_kikuchi.latent.encoder import load_encoder
        from napari_kikuchi.latent.maps import default_maps_path, encode_scan
        from napari_kikuchi.samples import shipped_encoder

        if linear and model is not None:
            raise ValueError("--linear fits an encoder of its own: leave out --model")
        options = scan_options(shape, step, scan_name, crop, flip, allow_partial)
        opened = open_scan(scan, **options)
        source = shipped_encoder() if model is None else model
        name = f"linear-{latent}" if linear else model_name(source.absolute())
        target = default_maps_path(scan, name, scan_name) if out is None else out
        if linear:
            from napari_kikuchi.cli.linear import encode_linear

            job = encode_linear(opened, latent, target, resume=not restart)
        else:
            encoder = load_encoder(source, device=device)
            job = encode_scan(opened, encoder, target, model=source, resume=not restart)
        stack = run(job, output, going_on="The same command goes on from here.")
        best = ", ".join(stack.channels[i].name for i in stack.ranking()[:4])
        report_result(
            output,
            f"Wrote [bold]{shown(target)}[/]: {len(stack)} maps, first in rank {best}.\n"
            f"See them with: napari-kikuchi view {shown(target)}",
            result=target,
        )


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
    output = _output(as_json)
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
