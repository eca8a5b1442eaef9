"""Four-dimensional arrays in files that hold several things: HyperSpy's, Berkeley's, Gatan's.

HDF5 and zarr files are read past rosettasciio: dask, in which it wraps them, would take some tenths
of a second for each pattern of a large scan in small chunks. Its readers of plain files make few
chunks, of memory maps that live no longer than a read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_kikuchi.calibration import Calibration
from napari_kikuchi.io.errors import PatternFileError, UnreadableError
from napari_kikuchi.io.layout import Layout, Stored, choose_layout, grid_candidates, known_step
from napari_kikuchi.io.lengths import in_micrometres
from napari_kikuchi.io.signal_limits import check_signal
from napari_kikuchi.io.sources import FlatSource
from napari_kikuchi.scan import Scan
from napari_kikuchi.untrusted import shortened

if TYPE_CHECKING:
    from numpy.typing import NDArray

HYPERSPY = (".hspy", ".zspy")
BERKELEY = (".emd", ".h5", ".hdf5")
# rosettasciio's plugin of each.
PLAIN = {".dm4": "digitalmicrograph", ".mrc": "mrc"}
_BERKELEY_NAMES = ("data", "counted_datacube", "datacube")
# Members of an HDF5 file that are looked at, a hundred times those of any known one.
_MOST_MEMBERS = 100_000


@dataclass(frozen=True)
class Signal:
    """A four-dimensional array in a file.

    Attributes
    ----------
    place
        Where it is: its path in the file, or its number.
    backwards
        Whether its axes are stored in reverse: width, height, columns, rows.
    technique
        What it was recorded with; kikuchipy writes HyperSpy's files, too.
    """

    place: str
    backwards: bool = False
    technique: Literal["EBSD", "4D-STEM"] = "4D-STEM"


def find_signals(path: Path) -> dict[str, Signal]:
    """The four-dimensional arrays of a file by their names, none if it is of another kind.

    Raises
    ------
    PatternFileError
        If it cannot be opened as what its extension says.
    """
    suffix = path.suffix.lower()
    if suffix in PLAIN:
        arrays = (one["data"] for one in _with_rosettasciio(path))
        return {str(i): Signal(str(i)) for i, one in enumerate(arrays) if one.ndim == 4}
    with _damage_told(path), _opened(path) as file:
        experiments = file.get("Experiments")
        if _is_group(experiments):
            groups = {name: experiments[name] for name in experiments}
            return {
                name: Signal(f"Experiments/{name}/data", technique=_technique(group))
                for name, group in sorted(groups.items())
                if _is_group(group) and getattr(group.get("data"), "ndim", 0) == 4
            }
        return {} if suffix == ".zspy" else dict(_of_berkeley(file))


def _is_group(member: Any) -> bool:
    return member is not None and not hasattr(member, "shape")


def _technique(group: Any) -> Literal["EBSD", "4D-STEM"]:
    metadata = group.get("metadata/Signal")
    kind = "" if metadata is None else str(metadata.attrs.get("signal_type", ""))
    return "EBSD" if "EBSD" in kind else "4D-STEM"


def _of_berkeley(file: Any) -> Iterator[tuple[str, Signal]]:
    """Arrays of NCEM, prismatic and py4DSTEM."""
    found: list[str] = []
    seen = 0

    def visit(name: str, member: Any) -> bool | None:
        nonlocal seen
        seen += 1
        if (
            getattr(member, "ndim", 0) == 4
            and name.rpartition("/")[2] in _BERKELEY_NAMES
            and member.parent.attrs.get("emd_group_type", False)
        ):
            found.append(name)
        return True if seen > _MOST_MEMBERS else None

    file.visititems(visit)
    for name in found:
        group, _, last = name.rpartition("/")
        in_order = last == "datacube" or f"{group}/dim0" in file or "4DSTEM_experiment" in file
        yield group, Signal(name, backwards=not in_order)


def open_signal(
    path: Path,
    name: str | None,
    signal: Signal,
    shape: tuple[int, int] | None,
    step: tuple[float, float] | None,
    allow_partial: bool,
) -> Scan:
    """Open a four-dimensional array as a scan.

    Parameters
    ----------
    path
        The file.
    name
        Of the array, if there are several.
    signal
        One of those that :func:`find_signals` found.
    shape, step, allow_partial
        As of :func:`open_scan`.

    Raises
    ------
    PatternFileError
        If the array holds no numbers, its size cannot be right, or it does not fit the shape.
    """
    with _damage_told(path):
        array = _open_array(path, signal.place)
        sizes = tuple(int(size) for size in array.shape)
        rows, cols, height, width = sizes[::-1] if signal.backwards else sizes
        check_signal(path, array, (rows, cols, height, width), plain=path.suffix.lower() in PLAIN)
        y, x, *detector = _axes(path, signal)
    dtype = np.dtype(array.dtype).newbyteorder("=")
    pattern_bytes = height * width * dtype.itemsize
    stored = Stored(path, rows * cols * pattern_bytes, 0, pattern_bytes)
    origin, grid = "the file", (rows, cols)
    if shape is not None:
        origin, grid = f"shape={tuple(shape)}", shape
    candidates = list(grid_candidates(stored, origin, *grid))
    layout = choose_layout(stored, candidates, allow_partial=allow_partial).layout
    return Scan(
        source=SignalSource(path, signal, layout),
        step=step or known_step((in_micrometres(y), in_micrometres(x))),
        name=path.stem if name is None else f"{path.stem} {name}",
        path=path,
        present=layout.present,
        technique=signal.technique,
        calibration=Calibration.of_axes(*_scales_and_units(detector)),
    )


class SignalSource(FlatSource):
    """Patterns of a four-dimensional array that a file holds.

    Parameters
    ----------
    path
        The file.
    signal
        Which array of it.
    layout
        Which of its patterns, counted in its own order, belong to which row.
    """

    def __init__(self, path: Path, signal: Signal, layout: Layout) -> None:
        self.path = path
        self.signal = signal
        self.layout = layout
        self._array = _open_array(path, signal.place)
        sizes = self._array.shape[::-1] if signal.backwards else self._array.shape
        self._cols = int(sizes[1])
        self.pattern_shape = int(sizes[2]), int(sizes[3])
        self.dtype = np.dtype(self._array.dtype).newbyteorder("=")

    def _fill(self, out: NDArray, first: int) -> None:
        done = 0
        while done < len(out):
            row, col = divmod(first + done, self._cols)
            count = min(len(out) - done, self._cols - col)
            try:
                out[done : done + count] = self._read(row, col, col + count)
            except Exception as error:  # Each library raises what its decoders raise.
                raise UnreadableError(
                    f"{self.path}: row {row}, columns {col} to {col + count - 1} of "
                    f"{self.signal.place} could not be read: {shortened(error)}. Was the file "
                    "moved, or is it damaged? Copy it again from its source."
                ) from error
            done += count

    def _read(self, row: int, start: int, stop: int) -> NDArray:
        if self.signal.backwards:
            return np.asarray(self._array[:, :, start:stop, row]).transpose(2, 1, 0)
        part = self._array[row, start:stop]
        # Whoever reads from several threads has made them: dask makes no more here.
        return part.compute(scheduler="synchronous") if hasattr(part, "compute") else part

    def __reduce__(self) -> tuple:
        return type(self), (self.path, self.signal, self.layout)

    def __dask_tokenize__(self) -> Any:
        from dask.base import normalize_token

        return normalize_token((str(self.path), self.signal.place, self.path.stat().st_mtime_ns))


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    """Say which file is damaged; of such ones, HDF5 and zarr raise what their steps raise."""
    try:
        yield
    except PatternFileError:
        raise
    except Exception as error:
        raise PatternFileError(
            f"{path}: expected an array of patterns with four axes and their scales, found "
            f"something that cannot be read as such: {shortened(error)}. Copy the file again from "
            "its source."
        ) from error


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """An HDF5 file or the zarr group of a folder, to look into."""
    if path.suffix.lower() == ".zspy":
        yield _zarr(path)
        return
    import h5py

    try:
        file = h5py.File(path, mode="r")
    except OSError as error:
        raise PatternFileError(
            f"{path}: expected an HDF5 file, but its {path.stat().st_size} bytes cannot be opened "
            f"as one ({error}). Copy it again from its source."
        ) from error
    with file:
        yield file


def _zarr(path: Path) -> Any:
    import zarr

    if not path.is_dir():
        raise PatternFileError(f"{path}: expected a folder, found a file. Unpack it.")
    try:
        return zarr.open_group(path, mode="r")
    except Exception as error:  # It raises what it stumbles over.
        raise PatternFileError(
            f"{path}: expected a zarr folder as HyperSpy writes it, found one that cannot be "
            f"opened: {shortened(error)}. Copy it again from its source."
        ) from error


def _with_rosettasciio(path: Path) -> list[dict[str, Any]]:
    from importlib import import_module

    plugin = import_module(f"rsciio.{PLAIN[path.suffix.lower()]}")
    try:
        # One chunk: of a memory map, no more is read for it than is asked for, whereas a list of
        # chunks would be as long as a damaged header says.
        return plugin.file_reader(str(path), lazy=True, chunks=-1)
    except Exception as error:  # Its parsers raise whatever they stumble over.
        raise PatternFileError(
            f"{path}: rosettasciio cannot read its {path.stat().st_size} bytes as a "
            f"{path.suffix} file: {shortened(error)}. Copy it again from its source."
        ) from error


def _open_array(path: Path, place: str) -> Any:
    """A four-dimensional array, not read yet; its file stays open for its cache."""
    suffix = path.suffix.lower()
    if suffix in PLAIN:
        return _positions_first(_with_rosettasciio(path)[int(place)])[0]
    if suffix == ".zspy":
        return _zarr(path)[place]
    import h5py

    return h5py.File(path, mode="r")[place]


def _positions_first(found: Mapping[str, Any]) -> tuple[Any, list[Mapping[str, Any]]]:
    """Array and axes, rows and columns before height and width.

    rosettasciio takes the last two for the pattern's. Gatan's software writes files, too, in which
    they are the scan's: their units tell.
    """
    data, axes = found["data"], found["axes"]
    first, last = axes[:2], axes[2:]
    pattern_first = Calibration.of_axes(*_scales_and_units(first)) is not None
    if pattern_first and all(in_micrometres(axis) for axis in last):
        return data.transpose(2, 3, 0, 1), [*last, *first]
    return data, [*first, *last]


def _scales_and_units(
    axes: Sequence[Mapping[str, Any]],
) -> tuple[tuple[float, float], tuple[str, str]]:
    height, width = axes
    return (
        (float(height["scale"]), float(width["scale"])),
        (str(height["units"]), str(width["units"])),
    )


def _axes(path: Path, signal: Signal) -> Iterator[Mapping[str, Any]]:
    """Scale and units of rows, columns, height and width."""
    if path.suffix.lower() in PLAIN:
        yield from _positions_first(_with_rosettasciio(path)[int(signal.place)])[1]
        return
    group_name = signal.place.rpartition("/")[0]
    with _opened(path) as file:
        group = file[group_name]
        if group_name.startswith("Experiments/"):
            yield from (_of_hyperspy(group.get(f"axis-{i}")) for i in range(4))
            return
        # Counted from 0 in newer files, in the order in which the axes are stored.
        numbers = range(4) if "dim0" in group else range(1, 5)
        numbers = numbers[::-1] if signal.backwards else numbers
        yield from (_of_dimension(group.get(f"dim{i}")) for i in numbers)


def _of_hyperspy(axis: Any) -> Mapping[str, Any]:
    if axis is None:
        return _axis(0, "")
    return _axis(axis.attrs.get("scale"), axis.attrs.get("units"))


def _of_dimension(values: Any) -> Mapping[str, Any]:
    """An axis as Berkeley's format gives it: the coordinates of the first positions and a unit."""
    if values is None or values.ndim != 1 or len(values) < 2 or values.dtype.kind not in "uif":
        return _axis(0, "")
    return _axis(values[1] - values[0], values.attrs.get("units"))


def _axis(scale: Any, units: Any) -> Mapping[str, Any]:
    written = units.decode("utf-8", "replace") if isinstance(units, bytes) else str(units)
    # [n_m], as Berkeley's format has them.
    return {"scale": float(scale or 0), "units": re.sub(r"[\[\]_]", "", written)}
