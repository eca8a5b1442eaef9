"""EBSD scans in HDF5 files, read where each maker puts them.

Files of the h5ebsd family (Jackson et al. 2014, doi:10.1186/2193-9772-3-4) have a group for each
scan, with ``EBSD/Header`` and ``EBSD/Data`` in it, and name their contents each in its own way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.io.errors import PatternFileError
from napari_kikuchi.io.layout import Stored, choose_layout, grid_candidates, known_step
from napari_kikuchi.io.sources import HDF5Source
from napari_kikuchi.scan import Scan

if TYPE_CHECKING:
    import h5py

EXTENSIONS = (".h5", ".hdf5", ".h5ebsd", ".h5oina", ".oh5")


@dataclass(frozen=True)
class _Names:
    """What a maker calls the patterns, best first, and the rows, columns and steps."""

    patterns: tuple[str, ...]
    rows: str
    cols: str
    step_y: str
    step_x: str
    grid: str = ""


_MAKERS = {
    "edax": _Names(("Pattern",), "nRows", "nColumns", "Step Y", "Step X", "Grid Type"),
    "oxford instruments": _Names(
        ("Processed Patterns", "Unprocessed Patterns"), "Y Cells", "X Cells", "Y Step", "X Step"
    ),
    "bruker nano": _Names(("RawPatterns",), "NROWS", "NCOLS", "YSTEP", "XSTEP", "Grid Type"),
    "kikuchipy": _Names(("patterns",), "n_rows", "n_columns", "step_y", "step_x"),
}
_SQUARE = ("", "sqrgrid", "isometric")
_HEXAGONAL = "hexgrid"
_EMSOFT = "EMData/EBSD/EBSDPatterns"


@dataclass(frozen=True)
class _Found:
    """Patterns in scan order, of shape (patterns, height, width), and their grid."""

    dataset: h5py.Dataset
    rows: int
    cols: int
    step: tuple[float, float] = (0.0, 0.0)
    hexagonal: bool = False


def choose_scan(path: Path, scan: str | None) -> str | None:
    """Check which scan of an HDF5 file to open.

    Returns
    -------
    str or None
        Its name; None where there is only one and none was asked for.

    Raises
    ------
    PatternFileError
        If this is no HDF5 file, has no such scan, or has several of which none is chosen.
    """
    import h5py

    try:
        with h5py.File(path, mode="r") as file:
            names = scan_names(file)
    # h5py raises what the library stumbles over.
    except (OSError, RuntimeError, LookupError, ValueError) as error:
        raise PatternFileError(
            f"{path}: expected an HDF5 file, but its {path.stat().st_size} bytes cannot be opened "
            f"as one ({error}). Copy it again from its source."
        ) from error
    listing = ", ".join(map(repr, names)) or "one scan, without a name"
    if scan is not None and scan not in names:
        raise PatternFileError(f"{path}: has no scan {scan!r}; it holds {listing}.")
    if scan is None and len(names) > 1:
        raise PatternFileError(
            f"{path}: holds {len(names)} scans: {listing}. Choose one with scan= (--scan)."
        )
    return scan


def open_h5ebsd(
    path: Path,
    shape: tuple[int, int] | None = None,
    *,
    step: tuple[float, float] | None = None,
    scan: str | None = None,
    allow_partial: bool = False,
) -> Scan | None:
    """Open an HDF5 file of EDAX, Oxford, Bruker, kikuchipy or EMsoft.

    Parameters
    ----------
    path
        The file.
    shape, step, allow_partial
        As of :func:`open_scan`.
    scan
        As :func:`choose_scan` gave it.

    Returns
    -------
    Scan or None
        None for a file of another maker, or whose patterns are not in scan order.

    Raises
    ------
    PatternFileError
        If the file holds more or fewer patterns than its scan has positions.
    """
    import h5py

    with h5py.File(path, mode="r") as file:
        found = _emsoft(file) or _of_known_maker(file, scan)
        if found is None:
            return None
        origin, rows, cols = "the file", found.rows, found.cols
        if shape is not None:
            origin, (rows, cols) = f"shape={tuple(shape)}", shape
        dataset = found.dataset
        pattern_bytes = int(np.prod(dataset.shape[1:])) * dataset.dtype.itemsize
        stored = Stored(path, dataset.nbytes, 0, pattern_bytes)
        candidate = choose_layout(
            stored,
            list(grid_candidates(stored, origin, rows, cols, found.hexagonal)),
            allow_partial=allow_partial,
        )
        name = dataset.name
    return Scan(
        source=HDF5Source(path, name, candidate.layout),
        step=step or known_step(found.step),
        name=path.stem if scan is None else f"{path.stem} {scan}",
        path=path,
        grid=candidate.grid,
        present=candidate.layout.present,
    )


def _emsoft(file: h5py.File) -> _Found | None:
    """Simulated patterns, which lie on no grid: one row."""
    if _EMSOFT not in file or file[_EMSOFT].ndim != 3:
        return None
    return _Found(file[_EMSOFT], 1, len(file[_EMSOFT]))


def _of_known_maker(file: h5py.File, scan: str | None) -> _Found | None:
    names = _MAKERS.get(maker_of(file))
    scans = scan_names(file)
    if names is None or not scans:
        return None
    ebsd = file[scan or scans[0]]["EBSD"]
    if "SEM/IX" in ebsd:
        # Bruker's regions of interest are stored in the order of acquisition.
        return None
    header = stripped(ebsd["Header"])
    grid = _text(header.get(names.grid.lower()))
    data = next((ebsd["Data"][name] for name in names.patterns if name in ebsd["Data"]), None)
    if data is None or data.ndim != 3 or grid not in (*_SQUARE, _HEXAGONAL):
        return None
    try:
        rows, cols = (int(_number(header[key.lower()])) for key in (names.rows, names.cols))
    except KeyError:
        return None
    step_y, step_x = (_number(header.get(key.lower(), 0)) for key in (names.step_y, names.step_x))
    return _Found(data, rows, cols, (step_y, step_x), grid == _HEXAGONAL)


def maker_of(file: h5py.File) -> str:
    """Who made a file, in lower case; empty where it does not tell."""
    return _text(stripped(file).get("manufacturer"))


def scan_names(file: h5py.File) -> list[str]:
    """Names of the scans in a file."""
    import h5py

    # All at once: h5py keeps its lock as long as a loop over members is not over, which after an
    # error is as long as somebody keeps that.
    return [
        name
        for name, group in list(file.items())
        if isinstance(group, h5py.Group) and "EBSD/Data" in group and "EBSD/Header" in group
    ]


def stripped(group: h5py.Group) -> Mapping[str, h5py.Dataset | h5py.Group]:
    """Members by their names in lower case; some EDAX names begin with a space."""
    return {name.strip().lower(): member for name, member in group.items()}


def _number(value: Any) -> float:
    return float(np.ravel(value)[0])


def _text(value: Any) -> str:
    """Text of a dataset, of one or of several characters, in lower case; empty for None."""
    if value is None:
        return ""
    content = np.ravel(value[()])[0]
    text = content.decode("latin-1") if isinstance(content, bytes) else str(content)
    return text.strip().lower()
