"""The options by which a scan is opened, the same for every command that opens one."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_kikuchi.cli.options import numbers

if TYPE_CHECKING:
    from napari_kikuchi.scan import Scan


@dataclass(frozen=True)
class ScanOptions:
    """How a scan is opened, whose patterns are taken as they are.

    Attributes
    ----------
    shape, step
        Pairs of numbers, as a person writes them.
    scan, allow_partial
        See :func:`napari_kikuchi.open_scan`.
    """

    shape: Annotated[
        str | None,
        typer.Option(
            metavar="ROWS,COLS",
            help="Grid of the scan, where the file does not say (UP2 version 1 without an .ang).",
        ),
    ] = None
    step: Annotated[
        str | None,
        typer.Option(metavar="Y,X", help="Distance between rows and columns in µm."),
    ] = None
    scan: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Which scan, of a file that holds several."),
    ] = None
    allow_partial: Annotated[
        bool,
        typer.Option(
            "--allow-partial", help="Open a scan cut short by a stopped acquisition, gaps marked."
        ),
    ] = False

    def given(self) -> dict[str, Any]:
        """Arguments of :func:`napari_kikuchi.open_scan`, as far as they were given.

        Raises
        ------
        ValueError
            If one is not the numbers that it should be.
        """
        found = {name: value for name, value in asdict(self).items() if value not in (None, False)}
        for name, kind in (("shape", int), ("step", float)):
            if name in found:
                found[name] = numbers(found[name], f"--{name}", (kind, kind))
        return found

    def open(self, path: Path) -> Scan:
        """Open a scan so.

        Raises
        ------
        ValueError
            If an option is not the numbers that it should be.
        PatternFileError, UnknownGridError
            See :func:`napari_kikuchi.open_scan`.
        """
        from napari_kikuchi.io import open_scan

        return open_scan(path, **self.given())


@dataclass(frozen=True)
class PatternOptions(ScanOptions):
    """How a scan is opened, and what is done to each of its patterns.

    Attributes
    ----------
    crop, flip
        See :func:`napari_kikuchi.open_scan`.
    """

    crop: Annotated[
        bool,
        typer.Option("--crop", help="Keep the central square of patterns that are not square."),
    ] = False
    flip: Annotated[bool, typer.Option("--flip", help="Turn each pattern upside down.")] = False
