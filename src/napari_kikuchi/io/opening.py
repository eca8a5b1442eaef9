"""Open a scan, whatever its file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_kikuchi.file_state import FileState
from napari_kikuchi.io import h5ebsd, stem, up2, vendors
from napari_kikuchi.io.errors import PatternFileError
from napari_kikuchi.io.layout import MOST_POSITIONS
from napari_kikuchi.io.sources import CroppedSource, FlippedSource
from napari_kikuchi.scan import Scan

#: What :func:`open_scan` opens.
EXTENSIONS = (*up2.PIXEL_TYPES, *h5ebsd.EXTENSIONS, *vendors.EXTENSIONS, *stem.EXTENSIONS)


def open_scan(
    path: str | Path,
    shape: tuple[int, int] | None = None,
    *,
    step: float | tuple[float, float] | None = None,
    scan: str | None = None,
    crop: bool = False,
    flip: bool = False,
    allow_partial: bool = False,
) -> Scan:
    """Open a file of diffraction patterns.

    Parameters
    ----------
    path
        EDAX ``.up1``, ``.up2``, ``.oh5``, ``.h5``; Oxford ``.h5oina``, ``.ebsp``; Bruker ``.h5``;
        NORDIF ``.dat``; EMsoft and kikuchipy ``.h5``. Of 4D-STEM: Merlin ``.mib``, ASTAR ``.blo``,
        TVIPS ``.tvips``, ``.mrc``, EMPAD ``.raw`` or ``.xml``, Gatan ``.dm4``, HyperSpy ``.hspy``
        and ``.zspy``, Berkeley ``.emd``, py4DSTEM ``.h5``.
    shape
        Rows and columns of the scan; by default those in the file, or in the ``.ang`` file of the
        same name beside a UP1 or UP2 file.
    step
        Distance between positions, or between rows and between columns, in µm; by default what
        the file says, else 1.
    scan
        Which scan, of a file that holds several.
    crop
        Whether to keep only the central square of each pattern.
    flip
        Whether to turn each pattern upside down.
    allow_partial
        Whether to open a file whose size does not fit its grid, as a stopped acquisition leaves
        it: positions without a whole pattern are then marked in :attr:`Scan.present`, and what
        follows the last position is left out.

    Returns
    -------
    Scan
        Nothing but the header is read. ``open_scan(scan.path, **scan.options)`` opens it again.

    Raises
    ------
    PatternFileError
        If there is no such file or it cannot be read as what it says it is.
    UnknownGridError
        If nothing says what the rows and columns are.
    """
    path = Path(path).expanduser().absolute()
    _check_file(path)
    _check_shape(path, shape)
    options: dict[str, Any] = {
        "shape": None if shape is None else [int(size) for size in shape],
        "step": None if step is None else list(_pair(path, step)),
        "scan": scan,
        "crop": crop,
        "flip": flip,
        "allow_partial": allow_partial,
    }
    found = _open(path, shape, None if step is None else _pair(path, step), scan, allow_partial)
    source = found.source
    if crop:
        source = CroppedSource(source)
    if flip:
        source = FlippedSource(source)
    given = {name: value for name, value in options.items() if value not in (None, False)}
    return replace(found, source=source, options=given, state=FileState.of(path))


def _open(
    path: Path,
    shape: tuple[int, int] | None,
    step: tuple[float, float] | None,
    scan: str | None,
    allow_partial: bool,
) -> Scan:
    suffix = path.suffix.lower()
    if suffix in stem.EXTENSIONS or stem.holds_stem(path):
        return stem.open_stem_file(path, shape, step=step, scan=scan, allow_partial=allow_partial)
    if suffix in h5ebsd.EXTENSIONS:
        scan = h5ebsd.choose_scan(path, scan)
        found = h5ebsd.open_h5ebsd(path, shape, step=step, scan=scan, allow_partial=allow_partial)
        if found is not None:
            return found
    elif scan is not None:
        raise PatternFileError(
            f"{path}: has no scan {scan!r}; it holds one scan, without a name. Open it without "
            "scan= (--scan)."
        )
    if suffix in up2.PIXEL_TYPES:
        return up2.open_up2(path, shape, step=step, allow_partial=allow_partial)
    return vendors.open_vendor_file(path, shape, step=step, scan=scan, allow_partial=allow_partial)


def _check_file(path: Path) -> None:
    if path.suffix.lower() not in EXTENSIONS:
        raise PatternFileError(
            f"{path}: expected a pattern file ({', '.join(EXTENSIONS)}), found "
            f"{path.suffix or 'no extension'}."
        )
    if path.is_dir() and path.suffix.lower() in stem.FOLDERS:
        return
    if path.is_dir():
        raise PatternFileError(f"{path}: expected a pattern file, found a folder.")
    if not path.is_file():
        raise PatternFileError(
            f"{path}: there is no such file. Was it moved, or is its drive not connected?"
        )


def _check_shape(path: Path, shape: tuple[int, int] | None) -> None:
    if shape is None:
        return
    if len(shape) != 2 or min(shape) < 1 or shape[0] * shape[1] > MOST_POSITIONS:
        raise PatternFileError(
            f"{path}: expected shape=(rows, columns) with 1 to {MOST_POSITIONS} positions, found "
            f"{tuple(shape)}."
        )


def _pair(path: Path, step: float | tuple[float, float]) -> tuple[float, float]:
    """Step between rows and between columns."""
    step_y, step_x = (step, step) if isinstance(step, int | float) else step
    if not (0 < step_y < float("inf") and 0 < step_x < float("inf")):
        raise PatternFileError(f"{path}: expected a step in µm greater than 0, found {step}.")
    return float(step_y), float(step_x)
