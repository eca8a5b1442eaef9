"""``napari-kikuchi microstructure train``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from napari_kikuchi.cli.console import errors_told, output_for, report_result, run, shown
from napari_kikuchi.cli.options import (
    MOST_SEED,
    DeviceOption,
    EventsOption,
    GoOnOption,
    JsonOption,
    RunOption,
    SliceBatchOption,
    SliceRateOption,
    SliceSizeOption,
    VolumesOption,
    numbers,
)


class ProcessChoice(StrEnum):
    """From noise to microstructures."""

    FLOW = "flow"
    DIFFUSION = "diffusion"


def train(
    out: RunOption,
    minutes: Annotated[float, typer.Option(min=0.01, help="How long to train.")] = 60.0,
    process: Annotated[
        ProcessChoice, typer.Option(help="Rectified flow, or denoising diffusion.")
    ] = ProcessChoice.FLOW,
    widths: Annotated[
        str, typer.Option(metavar="N,N,…", help="Features at each level of the network.")
    ] = "32,64,96",
    layers: Annotated[int, typer.Option(min=1, help="Of convolutions, on each level.")] = 1,
    block: Annotated[
        int, typer.Option(min=1, help="Sides of a block of pixels that it takes as one place.")
    ] = 2,
    rounds: Annotated[
        int, typer.Option(min=0, help="How often pixels become means of their grain, at the end.")
    ] = 3,
    volumes: VolumesOption = 2000,
    size: SliceSizeOption = 64,
    batch: SliceBatchOption = 8,
    learning_rate: SliceRateOption = 5e-3,
    seed: Annotated[
        int, typer.Option(min=0, max=MOST_SEED, help="Of volumes, noise and weights.")
    ] = 0,
    resume: GoOnOption = False,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
    events: EventsOption = False,
) -> None:
    """Train a generator of microstructures on slices of random volumes of grains.

    Stopped with Ctrl-C it keeps the best model so far; the same command with --resume goes on.

    [bold]napari-kikuchi microstructure train --out runs/grains --minutes 60[/]
    """
    output = output_for(as_json, events)
    with errors_told(output):
        from napari_kikuchi.microstructure.network import GeneratorArchitecture
        from napari_kikuchi.microstructure.train import train_generator
        from napari_kikuchi.training import TrainingSettings

        levels = numbers(widths, "--widths", (int,) * len(widths.split(",")))
        architecture = GeneratorArchitecture.from_settings(
            {
                "widths": list(levels),
                "layers": layers,
                "block": block,
                "rounds": rounds,
                "process": process.value,
            }
        )
        settings = TrainingSettings(
            epochs=None,
            minutes=minutes,
            batch=batch,
            learning_rate=learning_rate,
            optimizer="muon",
            validate_every=500,
            seed=seed,
            device=device,
        )
        job = train_generator(
            out, settings, architecture=architecture, volumes=volumes, size=size, resume=resume
        )
        path = run(
            job,
            output,
            going_on="Once it trains, the same command with --resume goes on from here.",
        )
        report_result(output, f"The best model is [bold]{shown(path)}[/].", result=path)
