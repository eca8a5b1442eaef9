"""EDAX's UP1 and UP2 pattern files: reading.

Little-endian and uncompressed; the extension sets the pixel type. Version 1 stores no grid;
version 3, and version 4 with the same layout, store it after the fields of version 1.

====== ========================== =======
byte   field                      type
====== ========================== =======
0      version                    uint32
4, 8   pattern width, height      uint32
12     offset of the patterns     uint32
16     extra patterns flag        uint8
17, 21 columns, rows              uint32
25     hexagonal grid flag        uint8
26, 34 step in x, in y (µm)       float64
====== ========================== =======
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_kikuchi.io.ang import AngGrid, companion_ang
from napari_kikuchi.io.errors import PatternFileError
from napari_kikuchi.io.layout import (
    MOST_POSITIONS,
    Candidate,
    Layout,
    Stored,
    check_missing,
    choose_layout,
    grid_candidates,
    known_step,
)
from napari_kikuchi.io.sources import RawSource
from napari_kikuchi.scan import Scan

PIXEL_TYPES: dict[str, np.dtype] = {".up1": np.dtype("u1"), ".up2": np.dtype("<u2")}
SHORT_HEADER = struct.Struct("<4I")
LONG_HEADER = struct.Struct("<4IB2IB2d")
# No EBSD camera comes near; beyond it the bytes are those of another format.
_LARGEST_SIDE = 16_384
_ANG = "the .ang file of the same name, with NROWS and NCOLS_ODD in its header"
# Readers that know version 2 read it as version 3, others refuse it: see _check_version_2.
_VERSIONS = (1, 2, 3, 4)


@dataclass(frozen=True)
class Header:
    """What a file says of itself.

    Attributes
    ----------
    version
        1 to 4.
    width, height
        Of a pattern in pixels.
    offset
        Where the first pattern begins, in bytes.
    extra_patterns
        Whether patterns beyond the scan follow it.
    cols, rows
        Of the scan; 0 where the file does not say.
    hexagonal
        Whether every second row lies half a step to the right.
    step
        Distance between rows and between columns, in µm; 0 where the file does not say.
    """

    version: int
    width: int
    height: int
    offset: int
    extra_patterns: bool = False
    cols: int = 0
    rows: int = 0
    hexagonal: bool = False
    step: tuple[float, float] = (0.0, 0.0)


def open_up2(
    path: Path,
    shape: tuple[int, int] | None = None,
    *,
    step: tuple[float, float] | None = None,
    allow_partial: bool = False,
) -> Scan:
    """Open a UP1 or UP2 file.

    The grid is ``shape`` if that is given. Otherwise it is that of the header, and failing that
    that of the ``.ang`` file of the same name: whichever comes first and accounts for every byte
    of the file. Rows of a hexagonal grid may have one column less in every second row.

    Parameters
    ----------
    path
        Ends in ``.up1`` (uint8) or ``.up2`` (uint16).
    shape
        Rows and columns of the scan.
    step
        Distance between rows and between columns, in µm; by default that of the header, else of
        the ``.ang`` file, else 1.
    allow_partial
        Whether to open a file whose size does not fit its grid, as a stopped acquisition leaves
        it, with its missing positions marked.

    Returns
    -------
    Scan
        Its patterns are read when they are asked for.

    Raises
    ------
    PatternFileError
        If the file is not a pattern file of a known version, or its size does not fit its grid.
    UnknownGridError
        If nothing says what the rows and columns are.
    """
    dtype = PIXEL_TYPES[path.suffix.lower()]
    header = read_header(path)
    status = path.stat()
    pattern_bytes = header.width * header.height * dtype.itemsize
    stored = Stored(path, status.st_size, header.offset, pattern_bytes, _ANG)
    ang = companion_ang(path)
    candidates = list(_candidates(stored, header, shape, ang))
    if header.version == 2:
        _check_version_2(stored, candidates)
    candidate = choose_layout(
        stored,
        candidates,
        extra_patterns=header.extra_patterns,
        allow_partial=allow_partial,
    )
    source = RawSource(
        path=path,
        offset=header.offset,
        layout=candidate.layout,
        pattern_shape=(header.height, header.width),
        dtype=dtype,
        modified=status.st_mtime_ns,
    )
    return Scan(
        source=source,
        step=step or known_step(header.step, *([ang.step] if ang else [])),
        name=path.stem,
        path=path,
        grid=candidate.grid,
        present=candidate.layout.present,
    )


def read_header(path: Path) -> Header:
    """Read what a UP1 or UP2 file says of itself.

    Raises
    ------
    PatternFileError
        If it cannot be the header of such a file.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        raw = file.read(LONG_HEADER.size)
    if len(raw) < SHORT_HEADER.size:
        raise PatternFileError(
            f"{path}: {'empty' if not size else 'too short'}: expected a header of at least "
            f"{SHORT_HEADER.size} bytes, found {size} bytes. Copy the file again from its source."
        )
    version, width, height, offset = SHORT_HEADER.unpack_from(raw)
    if version not in _VERSIONS:
        raise PatternFileError(
            f"{path}: expected version 1, 3 or 4 of the UP1/UP2 format in its first four bytes, "
            f"found {version} (bytes {raw[:4].hex(' ')}). It is of an unknown version or not a "
            "UP1/UP2 file: export it again, as version 1 or 3."
        )
    header_size = SHORT_HEADER.size if version == 1 else LONG_HEADER.size
    if len(raw) < header_size:
        raise PatternFileError(
            f"{path}: too short: a header of version {version} has {header_size} bytes, found "
            f"{size} bytes. Copy the file again from its source."
        )
    if not (0 < width <= _LARGEST_SIDE and 0 < height <= _LARGEST_SIDE):
        raise PatternFileError(
            f"{path}: its header gives patterns of {width} x {height} pixels (width x height), "
            f"expected 1 to {_LARGEST_SIDE} each. The header is damaged or this is not a UP1/UP2 "
            "file."
        )
    if offset < header_size:
        raise PatternFileError(
            f"{path}: its header of {header_size} bytes says that the patterns begin at byte "
            f"{offset}, inside it. The header is damaged or this is not a UP1/UP2 file."
        )
    if version == 1:
        return Header(version, width, height, offset)
    *_, extra, cols, rows, hexagonal, step_x, step_y = LONG_HEADER.unpack(raw)
    if rows * cols > MOST_POSITIONS:
        raise PatternFileError(
            f"{path}: its header gives {rows} rows x {cols} columns, expected {MOST_POSITIONS} "
            "positions at most. The header is damaged or this is not a UP1/UP2 file."
        )
    return Header(
        version, width, height, offset, bool(extra), cols, rows, bool(hexagonal), (step_y, step_x)
    )


def _candidates(
    stored: Stored, header: Header, shape: tuple[int, int] | None, ang: AngGrid | None
) -> Iterator[Candidate]:
    if shape is not None:
        hexagonal = header.hexagonal or (ang is not None and ang.grid == "hexagonal")
        yield from grid_candidates(stored, f"shape={tuple(shape)}", *shape, hexagonal)
        return
    rows, cols = header.rows, header.cols
    of_header = [*grid_candidates(stored, "the header", rows, cols, header.hexagonal)]
    of_ang = []
    if ang is not None:
        check_missing(stored, ang.path.name, ang.rows, max(ang.cols_odd, ang.cols_even))
        layout = Layout.alternating(ang.rows, ang.cols_odd, ang.cols_even)
        of_ang.append(Candidate(ang.path.name, layout, ang.grid))
    # Of a hexagonal grid the .ang file says more: the lengths of odd and even rows.
    yield from of_ang + of_header if header.hexagonal else of_header + of_ang


def _check_version_2(stored: Stored, candidates: Sequence[Candidate]) -> None:
    """Accept version 2 only where the layout of version 3 leaves no byte unexplained.

    Nobody has described version 2.
    """
    counts = [candidate.layout.count for candidate in candidates]
    if stored.size not in map(stored.bytes_of, counts):
        expected = " or ".join(f"{stored.bytes_of(count)} bytes" for count in counts) or "a grid"
        raise PatternFileError(
            f"{stored.path}: version 2 of the UP1/UP2 format is not described; read as version 3 "
            f"the file needs {expected}, but has {stored.size} bytes. Export it again, as version "
            "1 or 3."
        )
