"""``napari-kikuchi phases`` and ``napari-kikuchi train-symmetry``."""

from __future__ import annotations

from enum import StrEnum
from functools import reduce
from pathlib import Path
from typing import Annotated

import typer

from napari_kikuchi.cli.console import errors_told, output_for, report_result, run, shown
from napari_kikuchi.cli.options import DeviceOption, EventsOption, JsonOption, WorkersOption


class Reads(StrEnum):
    """What a network reads."""

    BANDS = "bands"
    EDGES = "edges"
    BOTH = "both"


class Groups(StrEnum):
    """Of which space groups phases are simulated."""

    COMMON = "common"
    OTHERS = "others"
    ALL = "all"
    KNOWN = "known"


def phases(
    out: Annotated[Path, typer.Argument(help="Library to write: a folder.", show_default=False)],
    per_group: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Phases of each of the space groups; of known phases, how often each.",
            show_default="500; 4 of known phases",
        ),
    ] = None,
    groups: Annotated[
        Groups,
        typer.Option(
            help="The six most common cubic space groups, the 30 others, or all 36; or metals and "
            "compounds that people meet, instead of random phases."
        ),
    ] = Groups.COMMON,
    seed: Annotated[int, typer.Option(help="The same seed makes the same phases.")] = 0,
    workers: WorkersOption = None,
    as_json: JsonOption = False,
    events: EventsOption = False,
) -> None:
    """Simulate a library of cubic phases, of which symmetry is learned.

    Known structure types and random ones are filled with elements at random; their master patterns
    are computed by Bloch waves. Phases whose patterns are those of a higher symmetry are found.

    Stopped with Ctrl-C it keeps the phases that are done; the same command goes on from there, and
    with more phases of each group it goes on with a finished library.

    [bold]napari-kikuchi phases phases.zarr --per-group 700[/]

    [bold]napari-kikuchi phases others.zarr --groups others --per-group 60[/]

    [bold]napari-kikuchi phases known.zarr --groups known --per-group 4[/]
    """
    output = output_for(as_json, events)
    with errors_told(output):
        from napari_kikuchi.symmetry.classes import CUBIC_GROUPS, SIX_GROUPS
        from napari_kikuchi.symmetry.phase_library import make_library

        chosen = {
            Groups.COMMON: SIX_GROUPS,
            Groups.OTHERS: tuple(one for one in CUBIC_GROUPS if one not in SIX_GROUPS),
            Groups.ALL: CUBIC_GROUPS,
            Groups.KNOWN: None,
        }[groups]
        each = per_group or (4 if groups is Groups.KNOWN else 500)
        job = make_library(out, each, groups=chosen, seed=seed, workers=workers)
        library = run(job, output, going_on="The same command goes on from here.")
        as_others = int((library.shown != library.classes).sum())
        report_result(
            output,
            f"[bold]{shown(out)}[/] holds {len(library)} phases, of which {as_others} show a "
            f"higher symmetry than they have.\n"
            f"Learn from them with: napari-kikuchi train-symmetry "
            f"{'RANDOM ' if groups is Groups.KNOWN else ''}{shown(out)} --out RUN",
            result=out,
        )


def train_symmetry(
    libraries: Annotated[
        list[Path],
        typer.Argument(
            metavar="LIBRARY...", help="One or more, as phases makes them.", show_default=False
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(help="Folder for the model, its checkpoint and its log.", show_default=False),
    ],
    minutes: Annotated[float, typer.Option(min=0.01, help="How long to train.")] = 30.0,
    patterns: Annotated[int, typer.Option(min=1, help="That are recorded of each phase.")] = 24,
    width: Annotated[int, typer.Option(min=1, help="Of the network.")] = 64,
    reads: Annotated[
        Reads,
        typer.Option(help="What of the bands: their profiles, or where these fall, or both."),
    ] = Reads.EDGES,
    batch: Annotated[int, typer.Option(min=2, help="Phases in a batch.")] = 96,
    fold: Annotated[int, typer.Option(min=0, max=4, help="Fifth that is held out.")] = 0,
    kinematical: Annotated[
        bool, typer.Option("--kinematical", help="Learn from bands alone.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of patterns and weights.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a training.")] = False,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
    events: EventsOption = False,
) -> None:
    """Train a classifier that tells the space groups of cubic crystals from their patterns.

    It learns from simulated phases alone; a fifth of the random ones is held out. Groups whose
    patterns have the same Laue class and the same reflections are one class.

    Stopped with Ctrl-C it keeps the best model so far; the same command with --resume goes on.

    [bold]napari-kikuchi train-symmetry phases.zarr others.zarr known.zarr --out runs/symmetry[/]
    """
    output = output_for(as_json, events)
    with errors_told(output):
        from napari_kikuchi.symmetry.phase_library import PhaseLibrary, open_library
        from napari_kikuchi.symmetry.train import train_classifier
        from napari_kikuchi.training import TrainingSettings

        phases = reduce(PhaseLibrary.joined, map(open_library, libraries))
        job = train_classifier(
            phases,
            out,
            TrainingSettings(
                epochs=None,
                minutes=minutes,
                batch=batch,
                learning_rate=2e-3,
                validate_every=100,
                seed=seed,
                device=device,
            ),
            patterns=patterns,
            width=width,
            reads=reads.value,
            fold=fold,
            kinematical=kinematical,
            resume=resume,
        )
        path = run(job, output, going_on="The same command with --resume goes on from here.")
        report_result(output, f"The best model is [bold]{shown(path)}[/].", result=path)
