"""``napari-kikuchi train-spots``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_kikuchi.cli.console import errors_told, output_for, report_result, run, shown
from napari_kikuchi.cli.options import DeviceOption, EventsOption, JsonOption


def train_spots(
    phase: Annotated[
        str,
        typer.Argument(
            metavar="PHASE", help="cu, ni, al, fe, ti or a CIF file.", show_default=False
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(help="Folder for the model, its checkpoint and its log.", show_default=False),
    ],
    minutes: Annotated[float, typer.Option(min=0.01, help="How long to train.")] = 60.0,
    voltage: Annotated[float, typer.Option(min=30, help="Of the beam, in kV.")] = 300.0,
    k_max: Annotated[float, typer.Option(min=0.1, help="Radius of the detector, in 1/Å.")] = 2.0,
    axes: Annotated[
        int, typer.Option(min=10, help="Orientations that are simulated, each of four thicknesses.")
    ] = 30_000,
    width: Annotated[int, typer.Option(min=4, help="Of the transformer.")] = 64,
    layers: Annotated[int, typer.Option(min=1, help="Of the transformer.")] = 3,
    batch: Annotated[int, typer.Option(min=1, help="Patterns in a batch.")] = 256,
    seed: Annotated[int, typer.Option(help="Of patterns and of what they suffer.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a training.")] = False,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
    events: EventsOption = False,
) -> None:
    """Train a transformer that proposes orientations of a crystal from diffraction spots.

    It learns from simulated patterns alone. On a GPU take a larger one.

    Stopped with Ctrl-C it keeps the best model so far; the same command with --resume goes on.

    [bold]napari-kikuchi train-spots cu --out runs/cu[/]

    [bold]napari-kikuchi train-spots cu --out runs/large --axes 200000 --width 256 --layers 6 --batch 2048 --device cuda[/]
    """  # noqa: E501
    output = output_for(as_json, events)
    with errors_told(output):
        from napari_kikuchi.crystals.crystal import open_crystal
        from napari_kikuchi.orientation.network import SpotArchitecture
        from napari_kikuchi.orientation.train import train_spot_model
        from napari_kikuchi.training import TrainingSettings

        job = train_spot_model(
            open_crystal(phase),
            out,
            TrainingSettings(epochs=None, minutes=minutes, batch=batch, seed=seed, device=device),
            architecture=SpotArchitecture(width=width, layers=layers, k_max=k_max),
            voltage=voltage,
            axes=axes,
            resume=resume,
        )
        path = run(job, output, going_on="The same command with --resume goes on from here.")
        report_result(
            output,
            f"The best model is [bold]{shown(path)}[/].\n"
            f"Use it with: napari-kikuchi orient SCAN --phase {phase} --model {shown(path)}",
            result=path,
        )
