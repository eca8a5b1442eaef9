"""Options that several commands share, and how their values are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_kikuchi.maps import MapStack

# torch takes no more.
MOST_SEED = 2**63 - 1
ScanArgument = Annotated[
    Path,
    typer.Argument(
        metavar="SCAN",
        help="Pattern file: .up1, .up2, or what kikuchipy reads (.h5, .h5oina, .dat…).",
        show_default=False,
    ),
]
MapsArgument = Annotated[
    Path, typer.Argument(metavar="MAPS", help="Map store of a scan.", show_default=False)
]
FurtherMapsOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--with",
        metavar="MAPS",
        help="Further maps of the same scan, such as physics maps beside latent features.",
        show_default=False,
    ),
]
DeviceOption = Annotated[
    str, typer.Option("--device", help="auto, cpu, cuda or mps.", show_default=True)
]
SchedulerOption = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Dask scheduler whose workers do it, or local for processes on this machine.",
        show_default="threads",
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Threads, or processes of --scheduler local.",
        show_default="as many as cores",
    ),
]
MaskOption = Annotated[
    Path | None,
    typer.Option(
        "--mask",
        help="Signal mask, a .npy of the size after binning, instead of the one found.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
EventsOption = Annotated[
    bool, typer.Option("--events", hidden=True, help="One JSON event per line, for the window.")
]


class Structure(StrEnum):
    """What to simulate."""

    WROUGHT = "wrought"
    ADDITIVE = "additive"


class Background(StrEnum):
    """Static background to subtract."""

    EXACT = "exact"
    SAMPLE = "sample"
    NONE = "none"


class Rescale(StrEnum):
    """What of a pattern becomes [-1, 1]."""

    RANGE = "range"
    DEVIATION = "deviation"
    COMMON = "common"


class Convention(StrEnum):
    """How a projection centre is written."""

    BRUKER = "bruker"
    EDAX = "edax"
    OXFORD = "oxford"


class Objective(StrEnum):
    """What a network is trained for."""

    VAE = "vae"
    CONTRASTIVE = "contrastive"


class Likelihood(StrEnum):
    """Scale of the reconstruction error."""

    CALIBRATED = "calibrated"
    UNIT = "unit"


def numbers(text: str, name: str, kinds: tuple[type, ...]) -> tuple[Any, ...]:
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


def read_stacks(maps: Path, further: Sequence[Path] | None) -> list[MapStack]:
    """The stacks of a map store and of further ones."""
    from napari_kikuchi.io.map_store import read_maps

    return [read_maps(path) for path in (maps, *(further or ()))]


def refuse_overwriting(*targets: Path) -> None:
    """Refuse files to write that would replace others, or each other.

    Raises
    ------
    FileExistsError
        If one of them exists.
    ValueError
        If two are the same.
    """
    for path in targets:
        if path.exists():
            raise FileExistsError(
                f"{path}: this exists and is not overwritten. Choose another name."
            )
    if len({path.resolve() for path in targets}) < len(targets):
        names = " and ".join(map(str, targets))
        raise ValueError(f"{names} are one file, for different tables: choose another name")


def load_mask(path: Path) -> NDArray[np.bool_]:
    """Read a signal mask.

    Raises
    ------
    ValueError
        If the file holds none.
    """
    import numpy as np

    try:
        mask = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(
            f"{path}: expected a signal mask as numpy.save writes it (.npy), found something else "
            f"({error})"
        ) from error
    if not isinstance(mask, np.ndarray) or mask.ndim != 2:
        found = f"shape {mask.shape}" if isinstance(mask, np.ndarray) else "several arrays"
        raise ValueError(f"{path}: a signal mask has rows and columns, found {found}")
    return mask.astype(bool)


def leave_out(options: Mapping[str, Any], reason: str) -> None:
    """Refuse options that would change nothing.

    Raises
    ------
    ValueError
        If one of them was given, that is, is not None.
    """
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise ValueError(f"{reason}: leave out {', '.join(given)}")


# Of trainings on slices of volumes of grains.
VolumesOption = Annotated[int, typer.Option(min=2, help="Volumes of grains to learn from.")]
SliceSizeOption = Annotated[int, typer.Option(min=8, help="Rows and columns of a slice.")]
SliceBatchOption = Annotated[int, typer.Option(min=1, help="Slices in a batch.")]
SliceRateOption = Annotated[float, typer.Option(min=1e-9, help="At its highest.")]
GoOnOption = Annotated[bool, typer.Option("--resume", help="Go on with a training.")]
RunOption = Annotated[
    Path,
    typer.Option(help="Folder for the model, its checkpoint and its log.", show_default=False),
]
