"""``napari-kikuchi microstructure train-control``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def train_control(
    out: RunOption,
    base: Annotated[
        Path | None,
        typer.Option(
            metavar="MODEL",
            help="Trained generator, which stays as it is.",
            show_default="that of napari-kikuchi",
        ),
    ] = None,
    wishes: Annotated[
        str,
        typer.Option(
            metavar="WISH,WISH,…",
            help="What can be wished for: phase, fraction, diameter, coercivity.",
        ),
    ] = "phase,fraction,diameter",
    coercivities: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.npy",
            help="In T, of each slice, volume by volume; NaN where unknown.",
            show_default=False,
        ),
    ] = None,
    minutes: Annotated[float, typer.Option(min=0.01, help="How long to train.")] = 30.0,
    volumes: VolumesOption = 2000,
    size: SliceSizeOption = 64,
    batch: SliceBatchOption = 8,
    learning_rate: SliceRateOption = 5e-3,
    seed: Annotated[
        int, typer.Option(min=0, max=MOST_SEED, help="Of volumes, wishes, noise and weights.")
    ] = 0,
    resume: GoOnOption = False,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
    events: EventsOption = False,
) -> None:
    """Train a control of a generator, so that microstructures can be wished for.

    With volumes, size and seed of the generator's training it is validated on what neither has
    seen. Stopped with Ctrl-C it keeps the best model so far; the same command with --resume goes
    on.

    [bold]napari-kikuchi microstructure train-control --out runs/control[/]
    """
    output = output_for(as_json, events)
    with errors_told(output):
        from napari_kikuchi.microstructure.generator import MicrostructureGenerator
        from napari_kikuchi.microstructure.train_control import train_control
        from napari_kikuchi.training import TrainingSettings

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
        job = train_control(
            out,
            MicrostructureGenerator.chosen(base, "cpu"),
            settings,
            wishes=[name.strip() for name in wishes.split(",")],
            coercivities=None if coercivities is None else _table(coercivities),
            volumes=volumes,
            size=size,
            resume=resume,
        )
        path = run(
            job,
            output,
            going_on="Once it trains, the same command with --resume goes on from here.",
        )
        model = "" if base is None else f"--model {shown(base)} "
        report_result(
            output,
            f"The best model is [bold]{shown(path)}[/].\n"
            f"Use it with: napari-kikuchi microstructure generate OUT.zarr {model}"
            f"--control {shown(path)}",
            result=path,
        )


def _table(path: Path) -> NDArray[np.float64]:
    import numpy as np

    try:
        values = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(
            f"{path}: expected numbers as numpy.save writes them (.npy), found something else "
            f"({error})"
        ) from error
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiu":
        raise ValueError(f"{path}: expected an array of numbers, found something else")
    return values.astype(np.float64)
