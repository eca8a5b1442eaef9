"""``napari-kikuchi train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from napari_kikuchi.cli.console import errors_told, output_for, report_result, run, shown
from napari_kikuchi.cli.flattened import flattened
from napari_kikuchi.cli.options import (
    Background,
    DeviceOption,
    EventsOption,
    JsonOption,
    Likelihood,
    MaskOption,
    Objective,
    Rescale,
    leave_out,
    load_mask,
    numbers,
)
from napari_kikuchi.cli.scan_options import PatternOptions


@flattened
def train(
    paths: Annotated[
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
            help="Network: principal-16 to -128 or quick-16 to -128 (60 x 60 pixels, for "
            "CPUs), or published-16 to -256 (120 x 120, for GPUs).",
            show_default="principal-32",
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
            help="Pixels after binning, for a linear encoder.",
            show_default="60x60",
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Stop after so many passes.",
            show_default="50, or none with --minutes",
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
        typer.Option(help="Static background of each map.", show_default="sample"),
    ] = None,
    rescale: Annotated[
        Rescale | None,
        typer.Option(
            help="range: darkest to brightest pixel, as published; deviation: four standard "
            "deviations, which noise does not scale at random; common: the same scale "
            "for every pattern, which keeps its contrast.",
            show_default="common",
        ),
    ] = None,
    mask: MaskOption = None,
    objective: Annotated[
        Objective | None,
        typer.Option(
            help="contrastive: noise that a camera adds shall not move a pattern in latent "
            "space; half as fast.",
            show_default="vae",
        ),
    ] = None,
    beta: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Weight of the divergence from the unit normal: more of it, fewer active "
            "features and blurrier reconstructions.",
            show_default="1",
        ),
    ] = None,
    kl_warm_up: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Steps over which --beta grows to its value: features are first learnt, "
            "then saved.",
            show_default="600",
        ),
    ] = None,
    likelihood: Annotated[
        Likelihood | None,
        typer.Option(
            help="calibrated keeps weak features alive; unit is the published one.",
            show_default="calibrated",
        ),
    ] = None,
    device: DeviceOption = "auto",
    devices: Annotated[
        int,
        typer.Option(min=1, help="How many such devices here share every batch."),
    ] = 1,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Processor threads.", show_default="all")
    ] = None,
    *,
    opening: PatternOptions,
    as_json: JsonOption = False,
    events: EventsOption = False,
) -> None:
    """Train an encoder on the patterns of one or several scans.

    Stopped with Ctrl-C it keeps the best model so far; the same command with --resume goes on.

    [bold]napari-kikuchi train scan.up2 --out runs/first --minutes 10[/]

    [bold]napari-kikuchi train scan.up2 --out runs/adapted --init model.safetensors --minutes 5[/]
    """
    output = output_for(as_json, events)
    with errors_told(output):
        from napari_kikuchi.latent.presets import preset as preset_named
        from napari_kikuchi.recipe import Recipe

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
                "--kl-warm-up": kl_warm_up,
                "--likelihood": likelihood,
                "--devices": None if devices == 1 else devices,
            }
            leave_out(networks_only, "--linear trains no network")
        if init is not None:
            of_recipe = {
                "--size": size,
                "--background": background,
                "--mask": mask,
                "--rescale": rescale,
            }
            leave_out(of_recipe, "the model given with --init brings its own recipe")
        scans = [opening.open(path) for path in paths]
        if size is not None:
            pixels = numbers(size, "--size", (int, int))
        else:
            pixels = (60, 60) if preset is None else preset_named(preset).size
        recipe = Recipe(
            size=pixels,
            background=(background or Background.SAMPLE).value,
            mask=None if mask is None else load_mask(mask),
            rescale=(rescale or Rescale.COMMON).value,
            seed=seed,
        )
        if linear:
            from napari_kikuchi.cli.linear import train_linear

            path = run(train_linear(scans, recipe, out, latent, patterns, seed), output)
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
                epochs=epochs,
                minutes=minutes,
                seed=seed,
                device=device,
                devices=devices,
                threads=threads,
            )
            chosen: dict[str, Any] = {
                "objective": objective,
                "beta": beta,
                "kl_warm_up": kl_warm_up,
                "likelihood": likelihood,
            }
            settings = VaeTraining(
                preset=preset,
                patterns_per_scan=patterns,
                training=training,
                **{name: value for name, value in chosen.items() if value is not None},
            )
            job = train_vae(
                scans,
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
