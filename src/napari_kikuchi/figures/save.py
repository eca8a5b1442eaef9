"""Figures on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from napari_kikuchi import __version__
from napari_kikuchi.figures.text import FAMILIES
from napari_kikuchi.io.atomic import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DOTS_PER_INCH = 600
# matplotlib takes some settings from what the whole process shares, and gives back the old ones at
# the end: of two figures saved at once the second would write its text as paths, and give back the
# settings of the first for good.
_SETTINGS = Lock()


def figure_files(path: str | Path) -> tuple[Path, Path]:
    """The files, PNG and SVG, that a figure is saved as.

    Parameters
    ----------
    path
        Of one of the two; the other has the other ending. Both are added to any other name.
    """
    path = Path(path)
    name = path.stem if path.suffix.lower() in (".png", ".svg") else path.name
    return path.with_name(f"{name}.png"), path.with_name(f"{name}.svg")


def save_figure(
    figure: Figure, path: str | Path, provenance: Mapping[str, Any] | None = None
) -> tuple[Path, Path]:
    """Write a figure as PNG (600 dpi) and as SVG, whose text stays text, beside each other.

    Parameters
    ----------
    figure
        See :func:`~napari_kikuchi.figures.figure.map_figure`.
    path
        See :func:`figure_files`. Older files are replaced.
    provenance
        Stands in both as JSON: the description of their metadata.

    Returns
    -------
    tuple of pathlib.Path
        The PNG and the SVG.

    Raises
    ------
    TypeError
        If the provenance is not fit for JSON.
    """
    from matplotlib import rc_context

    png, svg = figure_files(path)
    told = json.dumps(dict(provenance or {}), ensure_ascii=False)
    made_by = f"napari-kikuchi {__version__}"
    with replacing(png) as partial:
        figure.savefig(
            partial,
            format="png",
            dpi=_DOTS_PER_INCH,
            metadata={"Software": made_by, "Description": told},
        )
    # Text stays text, in one of these fonts where another computer lacks that of this one; and the
    # salt makes the same figure the same file.
    settings = rc_context(
        {"svg.fonttype": "none", "font.sans-serif": FAMILIES, "svg.hashsalt": "figure"}
    )
    with replacing(svg) as partial, _SETTINGS, settings:
        figure.savefig(
            partial,
            format="svg",
            dpi=_DOTS_PER_INCH,
            metadata={"Creator": made_by, "Description": told, "Date": None},
        )
    return png, svg
