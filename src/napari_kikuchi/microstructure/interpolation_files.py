"""Pictures on the way from one map to another, on disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_kikuchi.figures.content import CompositePanel, FigureContent
from napari_kikuchi.figures.figure import map_figure
from napari_kikuchi.figures.save import figure_files, save_figure
from napari_kikuchi.io.tiff_maps import write_tiff_maps
from napari_kikuchi.io.tiff_pictures import write_tiff_pictures
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.microstructure.pictures import PHASE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.microstructure.scan_pictures import Interpolation

_ENDINGS = (".tif", ".tiff")
# Between the pictures of a figure, in parts of their shorter side.
_BETWEEN = 1 / 16
# Points across the figure.
_SHOWN = 4096


class InterpolationFiles(NamedTuple):
    """Where an interpolation goes.

    Attributes
    ----------
    colours, phase
        TIFF with a page for each picture.
    png, svg
        Figure of all of them.
    """

    colours: Path
    phase: Path
    png: Path
    svg: Path


def interpolation_files(path: str | Path) -> InterpolationFiles:
    """The files of an interpolation: of the colours that which is asked for, others beside it.

    Raises
    ------
    ValueError
        If it is none for a TIFF.
    """
    path = Path(path)
    if path.suffix.lower() not in _ENDINGS:
        raise ValueError(
            f"{path}: expected a name that ends with {' or '.join(_ENDINGS)}, for a TIFF with a "
            "page for each picture"
        )
    return InterpolationFiles(
        path, path.with_name(f"{path.stem}.phase{path.suffix}"), *figure_files(path.with_suffix(""))
    )


def write_interpolation(files: InterpolationFiles, found: Interpolation) -> Job[None]:
    """Write the pictures of an interpolation, each with how it was made.

    Parameters
    ----------
    files
        Older ones are replaced. The colours come last: where they are, the others are, too.
    found
        Colours become 8 bits each, phases float32.

    Yields
    ------
    Progress
        What is being written.

    Raises
    ------
    ValueError
        If the pictures are too many for TIFF files that ImageJ reads.
    TypeError
        If the provenance is not fit for JSON.
    """
    yield Progress(0, 0, "Writing the pictures")
    names = [f"weight {weight:.3g}" for weight in found.weights]
    phases = MapStack(
        found.pictures[:, PHASE],
        [Channel(f"phase, {name}", limits=(0.0, 1.0)) for name in names],
        found.step,
        found.provenance,
    )
    yield from write_tiff_maps(files.phase, phases)
    yield Progress(0, 0, "Drawing the figure")
    every = _thinning(found.pictures)
    along = found.provenance["microstructure"]["along"]
    row = CompositePanel(
        _row(found.pictures[..., ::every, ::every]),
        (every * found.step[0], every * found.step[1]),
        limits=[(0.0, 1.0)] * 3,
        title=f"Crystal direction along {along}, and phase: {len(names)} weights from "
        f"{found.weights[0]:.3g} to {found.weights[-1]:.3g}",
    )
    save_figure(map_figure(FigureContent([row])), files.png, found.provenance)
    write_tiff_pictures(
        files.colours, found.pictures[:, :PHASE], names, found.step, found.provenance
    )


def _thinning(pictures: NDArray[np.float32]) -> int:
    """Of how many points along either side the figure shows one: pages have a width."""
    return max(1, len(pictures) * pictures.shape[3] // _SHOWN)


def _row(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colours beside each other and the phases below them, of shape (3, rows, columns)."""
    gap = max(1, round(_BETWEEN * min(pictures.shape[2:])))
    apart = ((0, 0), (0, 0), (0, gap), (0, gap))
    both = [
        np.pad(one, apart, constant_values=np.nan)
        for one in (pictures[:, :PHASE], np.repeat(pictures[:, PHASE:], 3, axis=1))
    ]
    tall = np.concatenate(both, axis=2)
    return np.concatenate(list(tall), axis=2)[:, :-gap, :-gap]
