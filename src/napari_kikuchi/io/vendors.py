"""Pattern files of other makers, through kikuchipy.

kikuchipy parses. The patterns are read past its lazy arrays wherever the file holds them in scan
order, because those arrays read chunks of up to 128 MiB for one pattern.
"""

from __future__ import annotations

import math
import warnings
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.io.errors import PatternFileError
from napari_kikuchi.io.layout import Candidate, Layout, Stored, choose_layout
from napari_kikuchi.io.sources import FlatSource, HDF5Source, RawSource
from napari_kikuchi.scan import Scan

if TYPE_CHECKING:
    import dask.array as da
    import h5py
    from numpy.typing import NDArray

_HDF5_EXTENSIONS = (".h5", ".hdf5", ".h5ebsd", ".h5oina", ".oh5")
EXTENSIONS = (*_HDF5_EXTENSIONS, ".ebsp", ".dat")


def open_vendor_file(
    path: Path,
    shape: tuple[int, int] | None = None,
    *,
    step: tuple[float, float] | None = None,
    scan: str | None = None,
    allow_partial: bool = False,
) -> Scan:
    """Open a pattern file that kikuchipy reads.

    Parameters
    ----------
    path
        EDAX, Oxford, Bruker, EMsoft or kikuchipy HDF5, Oxford ``.ebsp``, or NORDIF ``.dat`` with
        its ``Setting.txt`` beside it.
    shape
        Rows and columns; by default those that the file gives, or one row where it gives none.
    step
        Distance between rows and between columns, in µm; by default that of the file, else 1.
    scan
        Which scan of an HDF5 file that has several.
    allow_partial
        Whether to open a file that holds fewer patterns than its scan has positions, with the
        missing positions marked.

    Returns
    -------
    Scan
        Its patterns are read when they are asked for.

    Raises
    ------
    PatternFileError
        If kikuchipy cannot read the file, it holds several scans of which none is chosen, or no
        patterns, or more or fewer than its scan has positions.
    """
    scan = _choose_scan(path, scan)
    if path.suffix.lower() == ".dat" and not path.with_name("Setting.txt").is_file():
        raise PatternFileError(
            f"{path}: expected its Setting.txt in the same folder, which says how large scan and "
            "patterns are, but found none. Copy it there."
        )
    signal = _load(path, scan)
    candidate = Candidate("the file", Layout.regular(*_map_shape(signal)))
    if shape is not None:
        candidate = Candidate(f"shape={tuple(shape)}", Layout.regular(*shape))
    source = _source(path, scan, signal, candidate, allow_partial)
    return Scan(
        source=source,
        step=step or _step(signal),
        name=path.stem if scan is None else f"{path.stem} {scan}",
        path=path,
        present=source.layout.present,
    )


def is_vendor_file(path: Path) -> bool:
    """Whether a file looks like patterns of one of these makers, without reading it as such.

    HDF5 files are told apart by their groups, so that those of other trades are left to others; a
    NORDIF ``.dat`` by the settings beside it.
    """
    suffix = path.suffix.lower()
    if not path.is_file() or suffix not in EXTENSIONS:
        return False
    if suffix == ".dat":
        return (path.parent / "Setting.txt").is_file()
    if suffix not in _HDF5_EXTENSIONS:
        return True
    import h5py

    try:
        with h5py.File(path, mode="r") as file:
            return "EMData/EBSD/EBSDPatterns" in file or any(map(_holds_patterns, file.values()))
    except OSError:
        return False


class KikuchipySource(FlatSource):
    """Patterns as kikuchipy's lazy arrays give them.

    Parameters
    ----------
    path
        The file.
    scan
        Which scan of it; None if it has only one.
    layout
        Which patterns belong to which row.
    """

    def __init__(self, path: Path, scan: str | None, layout: Layout) -> None:
        self.path = path
        self.scan = scan
        self.layout = layout
        self.pattern_shape = self._patterns.shape[1:]
        self.dtype = self._patterns.dtype

    @cached_property
    def _patterns(self) -> da.Array:
        data = _load(self.path, self.scan).data
        return data.reshape(-1, *data.shape[-2:])

    def _fill(self, out: NDArray, first: int) -> None:
        # Whoever reads from several threads has made them: no more here.
        part = self._patterns[first : first + len(out)]
        out[:] = part.compute(scheduler="synchronous")

    def __reduce__(self) -> tuple:
        return type(self), (self.path, self.scan, self.layout)

    def __dask_tokenize__(self) -> Any:
        from dask.base import normalize_token

        return normalize_token((*self.__reduce__()[1], self.path.stat().st_mtime_ns))


def _choose_scan(path: Path, scan: str | None) -> str | None:
    """Name of the scan to open; None where the file does not name its only one."""
    names = _scan_names(path)
    listing = ", ".join(repr(name) for name in names) or "one scan without a name"
    if scan is not None and scan not in names:
        raise PatternFileError(f"{path}: has no scan {scan!r}; it holds {listing}.")
    if scan is None and len(names) > 1:
        raise PatternFileError(
            f"{path}: holds {len(names)} scans: {listing}. Choose one with scan= (--scan)."
        )
    return scan


def _scan_names(path: Path) -> list[str]:
    if path.suffix.lower() not in _HDF5_EXTENSIONS:
        return []
    import h5py

    try:
        with h5py.File(path, mode="r") as file:
            return [name for name, group in file.items() if _holds_patterns(group)]
    except OSError as error:
        raise PatternFileError(
            f"{path}: expected an HDF5 file of {path.stat().st_size} bytes, but it cannot be "
            f"opened as one ({error}). Copy it again from its source."
        ) from error


def _holds_patterns(group: h5py.Group | h5py.Dataset) -> bool:
    import h5py

    return isinstance(group, h5py.Group) and "EBSD/Data" in group


def _load(path: Path, scan: str | None) -> Any:
    """Lazy kikuchipy signal of a file."""
    import kikuchipy

    options = {} if scan is None else {"scan_group_names": scan}
    with warnings.catch_warnings():
        # About a lacking static background, which we find ourselves, and about too few patterns,
        # which we report as an error.
        warnings.simplefilter("ignore")
        try:
            if path.suffix.lower() == ".oh5":
                # EDAX's newer name for its HDF5 files, which kikuchipy's loader does not know.
                from kikuchipy.io.plugins.edax_h5ebsd import file_reader

                (content,) = file_reader(path, lazy=True, **options)
                return kikuchipy.signals.LazyEBSD(content["data"], axes=content["axes"])
            signal = kikuchipy.load(path, lazy=True, **options)
        except Exception as error:  # Its parsers raise whatever they stumble over.
            raise PatternFileError(
                f"{path}: kikuchipy cannot read it as a {path.suffix} pattern file of "
                f"{path.stat().st_size} bytes: {error}"
            ) from error
    if not isinstance(signal, kikuchipy.signals.EBSD):
        raise PatternFileError(
            f"{path}: expected the patterns of a scan, found a {type(signal).__name__}."
        )
    return signal


def _source(
    path: Path, scan: str | None, signal: Any, candidate: Candidate, allow_partial: bool
) -> FlatSource:
    """The shortest way to the patterns of a file."""
    data = signal.data
    pattern_bytes = math.prod(data.shape[-2:]) * data.dtype.itemsize
    dataset = _dataset_in_scan_order(data)
    is_raw = path.suffix.lower() == ".dat"
    status = path.stat()
    size = status.st_size if is_raw else data.nbytes if dataset is None else dataset.nbytes
    stored = Stored(path, size, 0, pattern_bytes)
    layout = choose_layout(stored, [candidate], allow_partial=allow_partial).layout
    if is_raw:
        return RawSource(path, 0, layout, data.shape[-2:], data.dtype, status.st_mtime_ns)
    if dataset is None:
        return KikuchipySource(path, scan, layout)
    return HDF5Source(path, dataset.name, layout)


def _dataset_in_scan_order(data: da.Array) -> h5py.Dataset | None:
    """The dataset of shape (patterns, height, width) behind an array, if in scan order."""
    import h5py

    datasets = [
        value
        for name, layer in data.dask.layers.items()
        if name.startswith("original-")
        for value in layer.values()
        if isinstance(value, h5py.Dataset) and value.ndim == 3
    ]
    if len(datasets) != 1:
        return None
    # Bruker stores a region of interest in the order of acquisition, and that order here.
    if "SEM/IX" in datasets[0].parent.parent:
        return None
    return datasets[0]


def _map_shape(signal: Any) -> tuple[int, int]:
    sizes = signal.data.shape[:-2]
    if len(sizes) == 2:
        return sizes
    count = math.prod(sizes)
    names = [axis.name for axis in signal.axes_manager.navigation_axes]
    return (count, 1) if names == ["y"] else (1, count)


def _step(signal: Any) -> tuple[float, float]:
    """Step in µm; a line scan has it in one direction only."""
    known = {
        axis.name: float(axis.scale)
        for axis in signal.axes_manager.navigation_axes
        if axis.units in ("um", "µm") and np.isfinite(axis.scale) and axis.scale > 0
    }
    either = next(iter(known.values()), 1.0)
    return known.get("y", either), known.get("x", either)
