"""What the header of an EDAX ``.ang`` file says of a scan: its grid and projection centre."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from napari_kikuchi.io.errors import PatternFileError
from napari_kikuchi.io.layout import MOST_POSITIONS
from napari_kikuchi.untrusted import shortened, shown

# Characters that are looked at: some kilobytes for each phase, and few phases.
_MOST_HEADER = 2**20


@dataclass(frozen=True)
class AngGrid:
    """Where the positions of a scan lie.

    Attributes
    ----------
    path
        The file that says so.
    rows
        Number of rows.
    cols_odd, cols_even
        Columns of the first, third, ... and of the second, fourth, ... row.
    grid
        Square or hexagonal.
    step
        Distance between rows and between columns, in µm; 0 where the file does not say.
    """

    path: Path
    rows: int
    cols_odd: int
    cols_even: int
    grid: Literal["square", "hexagonal"]
    step: tuple[float, float]


def read_ang_grid(path: Path) -> AngGrid | None:
    """Read the grid from an ``.ang`` file's header; None where the header has none.

    Raises
    ------
    PatternFileError
        If what the header says cannot be understood.
    """
    fields = _header_fields(path)
    if not {"NROWS", "NCOLS_ODD"} <= fields.keys():
        return None
    try:
        rows, cols_odd = int(fields["NROWS"]), int(fields["NCOLS_ODD"])
        cols_even = int(fields.get("NCOLS_EVEN", cols_odd))
        step = float(fields.get("YSTEP", 0)), float(fields.get("XSTEP", 0))
        if not (rows > 0 and min(cols_odd, cols_even) >= 0):
            raise ValueError("less than one row or column")
        if not 0 < rows * max(cols_odd, cols_even) <= MOST_POSITIONS:
            raise ValueError(f"not between 1 and {MOST_POSITIONS} positions")
    except ValueError as error:
        raise PatternFileError(
            f"{path}: expected NROWS, NCOLS_ODD, NCOLS_EVEN, XSTEP and YSTEP of a scan in its "
            f"header, but found {shown(fields)} ({shortened(error)}). Mend or remove it."
        ) from error
    hexagonal = fields.get("GRID", "").lower().startswith("hex")
    grid: Literal["square", "hexagonal"] = "hexagonal" if hexagonal else "square"
    return AngGrid(path, rows, cols_odd, cols_even, grid, step)


def read_ang_centre(path: Path) -> tuple[float, float, float] | None:
    """Read the projection centre from an ``.ang`` file's header, in EDAX's convention.

    None where the header has none, or none that can be one.
    """
    fields = _header_fields(path)
    try:
        x, y, z = (float(fields[f"{axis}-star"]) for axis in "xyz")
    except (KeyError, ValueError):
        return None
    return (x, y, z) if z > 0 and all(map(math.isfinite, (x, y, z))) else None


def companion_ang(path: Path) -> AngGrid | None:
    """Grid from the ``.ang`` file of the same name beside a pattern file; None without any."""
    beside = ang_beside(path)
    return None if beside is None else read_ang_grid(beside)


def ang_beside(path: Path) -> Path | None:
    """The ``.ang`` file of the same name beside a pattern file, if there is one."""
    places = (path.with_suffix(suffix) for suffix in (".ang", ".ANG"))
    return next((place for place in places if place.is_file()), None)


def _header_fields(path: Path) -> dict[str, str]:
    """What the comment lines before the first position say.

    As ``# KEY: value``, but the projection centre as ``# x-star value``.
    """
    wanted = {"GRID", "XSTEP", "YSTEP", "NCOLS_ODD", "NCOLS_EVEN", "NROWS"}
    centre = {"x-star", "y-star", "z-star"}
    fields = {}
    with path.open(encoding="latin-1") as file:
        # Not line by line: one that never ends would be read whole.
        for line in file.read(_MOST_HEADER).split("\n"):
            if not line.startswith("#"):
                break
            key, _, value = line[1:].partition(":")
            if key.strip() in wanted:
                fields[key.strip()] = value.strip()
            name, *values = line[1:].replace(":", " ").split() or [""]
            if name in centre and values:
                fields[name] = values[0]
    return fields
