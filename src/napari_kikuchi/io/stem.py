"""4D-STEM scans: spots around the direct beam, in the files of many detectors."""

from __future__ import annotations

from pathlib import Path

from napari_kikuchi.io.empad import is_empad_raw, names_raw, read_empad
from napari_kikuchi.io.errors import PatternFileError
from napari_kikuchi.io.frame_headers import read_blo, read_mib, read_mrc, read_tvips
from napari_kikuchi.io.frames import scan_of_frames
from napari_kikuchi.io.signals import BERKELEY, HYPERSPY, PLAIN, Signal, find_signals, open_signal
from napari_kikuchi.scan import Scan

_FRAMES = {
    ".mib": read_mib,
    ".blo": read_blo,
    ".tvips": read_tvips,
    ".mrc": read_mrc,
    ".raw": read_empad,
    ".xml": read_empad,
}
EXTENSIONS = (*_FRAMES, ".dm4", ".emd", *HYPERSPY)
#: Folders, not files.
FOLDERS = (".zspy",)
# Direct Electron's, beside which a file tells of the scan.
_MOVIE = "movie"


def open_stem_file(
    path: Path,
    shape: tuple[int, int] | None = None,
    *,
    step: tuple[float, float] | None = None,
    scan: str | None = None,
    allow_partial: bool = False,
) -> Scan:
    """Open a 4D-STEM scan.

    Parameters
    ----------
    path
        Ends in one of :data:`EXTENSIONS`, or is an HDF5 file of which :func:`holds_stem` is true.
    shape, step, allow_partial
        As of :func:`open_scan`.
    scan
        Which array of a file that holds several.

    Returns
    -------
    Scan
        Its patterns are read when they are asked for.

    Raises
    ------
    PatternFileError
        If the file cannot be read as what it says it is, or its size does not fit its grid.
    UnknownGridError
        If nothing says what the rows and columns are.
    """
    read = _FRAMES.get(path.suffix.lower())
    if read is None or _is_described_movie(path, shape):
        name, signal = _choose(path, scan)
        return open_signal(path, name, signal, shape, step, allow_partial)
    if scan is not None:
        raise PatternFileError(
            f"{path}: has no scan {scan!r}; it holds one scan, without a name. Open it without "
            "scan= (--scan)."
        )
    return scan_of_frames(read(path), shape, step, allow_partial)


def _choose(path: Path, scan: str | None) -> tuple[str | None, Signal]:
    signals = find_signals(path)
    listing = ", ".join(map(repr, signals)) or "none"
    if not signals:
        raise PatternFileError(
            f"{path}: expected an array with four axes, rows and columns of a scan and height and "
            "width of its patterns, found none. It holds something else than a 4D-STEM scan."
        )
    if scan is not None and scan not in signals:
        raise PatternFileError(f"{path}: has no scan {scan!r}; it holds {listing}.")
    if scan is None and len(signals) > 1:
        raise PatternFileError(
            f"{path}: holds {len(signals)} scans: {listing}. Choose one with scan= (--scan)."
        )
    return scan, signals[scan or next(iter(signals))]


def _is_described_movie(path: Path, shape: tuple[int, int] | None) -> bool:
    return (
        shape is None
        and path.suffix.lower() in PLAIN
        and _MOVIE in path.name
        and bool(find_signals(path))
    )


def holds_stem(path: Path) -> bool:
    """Whether an HDF5 file holds a 4D-STEM scan of HyperSpy, Berkeley or py4DSTEM."""
    try:
        return path.suffix.lower() in BERKELEY and bool(find_signals(path))
    except PatternFileError:
        return False


def is_stem_file(path: Path) -> bool:
    """Whether a file that ends in one of :data:`EXTENSIONS` looks like a 4D-STEM scan.

    Cheap, and no promise that it is whole. Extensions that other trades use too are looked into;
    an ``.mrc`` file, which mostly is a tilt series, has to be told by what lies beside it.
    """
    suffix = path.suffix.lower()
    try:
        if suffix == ".raw":
            return is_empad_raw(path)
        if suffix == ".xml":
            return names_raw(path).endswith(".raw")
        if suffix == ".mrc":
            return _is_described_movie(path, None)
        if suffix in _FRAMES:
            return bool(_FRAMES[suffix](path))
        return bool(find_signals(path))
    except (PatternFileError, OSError):
        return False
