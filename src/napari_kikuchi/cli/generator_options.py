"""Options of commands that use a generator of microstructures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_kikuchi.cli.options import MOST_SEED

if TYPE_CHECKING:
    from napari_kikuchi.microstructure.generator import MicrostructureGenerator

ModelOption = Annotated[
    Path | None,
    typer.Option(
        help="Trained generator, as train makes it.", show_default="that of napari-kikuchi"
    ),
]
SeedOption = Annotated[
    int, typer.Option(min=0, max=MOST_SEED, help="The same seed gives the same result.")
]
StepsOption = Annotated[int, typer.Option(min=1, help="From noise to a microstructure.")]


def chosen_generator(model: Path | None, device: str) -> MicrostructureGenerator:
    """The generator of a file; None: the one that comes with the package.

    Raises
    ------
    FileNotFoundError, ModelFileError, ValueError
        As :meth:`.MicrostructureGenerator.load`.
    """
    from napari_kikuchi.microstructure.generator import MicrostructureGenerator

    return MicrostructureGenerator.chosen(model, device)
