"""Pattern files of other makers, through kikuchipy.

kikuchipy parses; plain files are then read past its lazy arrays, whose chunks of up to 128 MiB
would be read for one pattern.
"""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_kikuchi.io.errors import PatternFileError
from napari_kikuchi.io.layout import Layout, Stored, choose_layout, grid_candidates, known_step
from napari_kikuchi.io.sources import FlatSource, RawSource
from napari_kikuchi.scan import Scan

if TYPE_CHECKING:
    import dask.array as da
    from numpy.typing import NDArray

EXTENSIONS = (".ebsp", ".dat")


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
        Oxford ``.ebsp``, NORDIF ``.dat`` with its ``Setting.txt`` beside it, or an HDF5 file.
    shape
        Rows and columns; by default those that the file gives, or one row where it gives none.
    step, allow_partial
        As of :func:`open_scan`.
    scan
        Which scan of an HDF5 file; None if it has only one.

    Returns
    -------
    Scan
        Its patterns are read when they are asked for.

    Raises
    ------
    PatternFileError
        If kikuchipy cannot read the file, or it holds no patterns, or more or fewer than its scan
        has positions.
    """
    is_nordif = path.suffix.lower() == ".dat"
    if is_nordif and not path.with_name("Setting.txt").is_file():
        raise PatternFileError(
            f"{path}: expected its Setting.txt in the same folder, which says how large scan and "
            "patterns are, but found none. Copy it there."
        )
    signal = _load(path, scan)
    data = signal.data
    origin, (rows, cols) = "the file", _map_shape(signal)
    if shape is not None:
        origin, (rows, cols) = f"shape={tuple(shape)}", shape
    status = path.stat()
    size = status.st_size if is_nordif else data.nbytes
    stored = Stored(path, size, 0, math.prod(data.shape[-2:]) * data.dtype.itemsize)
    layout = choose_layout(
        stored,
        list(grid_candidates(stored, origin, rows, cols)),
        allow_partial=allow_partial,
    ).layout
    source: FlatSource
    if is_nordif:
        source = RawSource(path, 0, layout, data.shape[-2:], data.dtype, status.st_mtime_ns)
    else:
        source = KikuchipySource(path, scan, layout, data)
    return Scan(
        source=source,
        step=step or known_step(_step(signal)),
        name=path.stem if scan is None else f"{path.stem} {scan}",
        path=path,
        present=layout.present,
    )


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
    data
        The lazy array, of shape (..., height, width); None: loaded here.
    """

    def __init__(
        self, path: Path, scan: str | None, layout: Layout, data: da.Array | None = None
    ) -> None:
        self.path = path
        self.scan = scan
        self.layout = layout
        data = _load(path, scan).data if data is None else data
        self._patterns = data.reshape(-1, *data.shape[-2:])
        self.pattern_shape = self._patterns.shape[1:]
        self.dtype = self._patterns.dtype

    def _fill(self, out: NDArray, first: int) -> None:
        # Whoever reads from several threads has made them: no more here.
        part = self._patterns[first : first + len(out)]
        out[:] = part.compute(scheduler="synchronous")

    def __reduce__(self) -> tuple:
        return type(self), (self.path, self.scan, self.layout)

    def __dask_tokenize__(self) -> Any:
        from dask.base import normalize_token

        return normalize_token((*self.__reduce__()[1], self.path.stat().st_mtime_ns))


def _load(path: Path, scan: str | None) -> Any:
    """Lazy kikuchipy signal of a file."""
    import kikuchipy

    options = {} if scan is None else {"scan_group_names": scan}
    with warnings.catch_warnings():
        # About a lacking static background, which we find ourselves, and about too few patterns,
        # which we report as an error.
        warnings.simplefilter("ignore")
        try:
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


def _map_shape(signal: Any) -> tuple[int, int]:
    sizes = signal.data.shape[:-2]
    if len(sizes) == 2:
        return sizes
    count = math.prod(sizes)
    names = [axis.name for axis in signal.axes_manager.navigation_axes]
    return (count, 1) if names == ["y"] else (1, count)


def _step(signal: Any) -> tuple[float, float]:
    """Step in µm, 0 in directions for which it is not known."""
    known = {
        axis.name: float(axis.scale)
        for axis in signal.axes_manager.navigation_axes
        if axis.units in ("um", "µm")
    }
    return known.get("y", 0.0), known.get("x", 0.0)
