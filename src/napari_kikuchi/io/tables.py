"""Tables for spreadsheets."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_kikuchi.io.atomic import replacing

if TYPE_CHECKING:
    from numpy.typing import NDArray


def write_table(path: str | Path, table: Mapping[str, Sequence[Any] | NDArray]) -> None:
    """Write a table as CSV, in UTF-8.

    Parameters
    ----------
    path
        File to write; an older one is replaced.
    table
        Columns by name, all of one length; names hold the unit.

    Raises
    ------
    ValueError
        If the columns differ in length.
    """
    # A spreadsheet takes UTF-8 for what it is where a mark begins it.
    with (
        replacing(Path(path)) as partial,
        partial.open("w", newline="", encoding="utf-8-sig") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))
