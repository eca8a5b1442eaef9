"""What the plain files of 4D-STEM detectors say of their frames.

====== ==================================== ================================================
suffix maker                                frames
====== ==================================== ================================================
.mib   Quantum Detectors Merlin             a text header before each, big-endian
.blo   NanoMEGAS ASTAR                      6 bytes before each, uint8
.tvips TVIPS                                a header before each, in several files
.mrc   many                                 nothing between them
.raw   EMPAD, alone or through its ``.xml`` two lines of no data after each, float32
====== ==================================== ================================================
"""

from __future__ import annotations

import re
import struct
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from napari_kikuchi.io.errors import PatternFileError
from napari_kikuchi.io.frames import Frames
from napari_kikuchi.untrusted import shown

_MIB_HEADERS = (384, 768)
_MIB_PIXELS = {"U08": ">u1", "U16": ">u2", "U32": ">u4"}
_MIB_HDR = "the .hdr file of the same name"
# Of frames of which the time is looked at.
_MIB_TIMES = 4096
_SETTINGS_BYTES = 2**20

_BLO = struct.Struct("<6sH3I5H2d")
_BLO_MAGIC = 0x0102
_BLO_BEFORE = 6

_TVIPS = struct.Struct("<13I")
# Of a frame, of what is known.
_TVIPS_BEFORE = 60
_TVIPS_PART = re.compile(r"(.+_)(\d{3})$")

_MRC = struct.Struct("<4I")
_MRC_BYTES = 1024
_MRC_EXTENDED = 92
_MRC_PIXELS = {0: "u1", 1: "<i2", 2: "<f4", 6: "<u2", 12: "<f2"}


def read_mib(path: Path) -> Frames:
    """Frames of a Merlin detector, processed ones."""
    header = _head(path, _MIB_HEADERS[-1], 384).split(b",")
    try:
        before, width, height = int(header[2]), int(header[4]), int(header[5])
        kind = header[6].decode("ascii").strip()
    except (IndexError, ValueError):
        before, width, height, kind = 0, 0, 0, ""
    if not header[0].startswith(b"MQ") or before not in _MIB_HEADERS:
        raise PatternFileError(
            f"{path}: expected a header of 384 or 768 bytes that begins with MQ, as the Merlin "
            f"detector writes it, found {shown(b','.join(header[:7]))}. It is damaged or not a "
            ".mib file."
        )
    if kind not in _MIB_PIXELS:
        raise PatternFileError(
            f"{path}: expected pixels of kind {', '.join(_MIB_PIXELS)}, found {shown(kind)}: raw "
            "frames (R64) are packed otherwise. Save it as processed frames."
        )
    frames = Frames(
        path,
        [(path, 0)],
        (height, width),
        np.dtype(_MIB_PIXELS[kind]),
        before=before,
        companion=_MIB_HDR,
        # As rosettasciio and others show it.
        upside_down=True,
    )
    return _with_grid_of_mib(frames)


def _with_grid_of_mib(frames: Frames) -> Frames:
    hdr = frames.path.with_suffix(".hdr")
    if hdr.is_file():
        with hdr.open("rb") as file:
            settings = file.read(_SETTINGS_BYTES).decode("latin-1")
        numbers = dict(
            re.findall(
                r"^(Frames per Trigger|Frames in Acquisition) \(Number\):\s*(\d{1,10})\s*$",
                settings,
                re.MULTILINE,
            )
        )
        cols = int(numbers.get("Frames per Trigger", 0))
        count = int(numbers.get("Frames in Acquisition", 0))
        if cols > 1 and count:
            return replace(frames, grid=(-(-count // cols), cols), origin=hdr.name)
    count = frames.path.stat().st_size // frames.record_bytes
    cols = _columns_by_time(_times_of_mib(frames, min(count, _MIB_TIMES)))
    if cols and count % cols == 0:
        return replace(frames, grid=(count // cols, cols), origin="the times of its frames")
    return frames


def _times_of_mib(frames: Frames, count: int) -> np.ndarray:
    """When frames were taken, in s; empty where they do not say."""
    from rsciio.quantumdetector import parse_timestamps

    headers = []
    with frames.path.open("rb") as file:
        for number in range(count):
            file.seek(number * frames.record_bytes)
            headers.append(file.read(frames.before))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the time zone
            times = np.array(parse_timestamps(headers, len(headers))).astype("datetime64[ns]")
    except (ValueError, IndexError):
        return np.zeros(0)
    return (times - times[:1]).astype(np.float64) / 1e9


def _columns_by_time(times: np.ndarray) -> int:
    """Frames of a row, after each of which it takes longer to the next; 0 if that is not clear."""
    gaps = np.diff(times)
    if not len(gaps):
        return 0
    # By more than clocks are off.
    late = np.flatnonzero(gaps > 1.01 * gaps.mean()) + 1
    if len(late) < 2:
        return 0
    cols = int(late[0])
    regular = np.arange(cols, len(times), cols)
    return cols if cols > 1 and np.array_equal(late, regular) else 0


def read_blo(path: Path) -> Frames:
    """Frames of a block file; the virtual bright field before them is left out."""
    header = _BLO.unpack(_head(path, _BLO.size, _BLO.size))
    name, magic, _, offset, _, side, _, cols, rows, _, step_x, step_y = header
    if name != b"IMGBLO" or magic != _BLO_MAGIC:
        raise PatternFileError(
            f"{path}: expected a block file, which begins with IMGBLO and 0x0102, found "
            f"{shown(name)} and {magic:#06x}. It is damaged or not a .blo file."
        )
    return Frames(
        path,
        [(path, offset)],
        (side, side),
        np.dtype("u1"),
        before=_BLO_BEFORE,
        grid=(rows, cols) if rows and cols else None,
        step=(step_y / 1e3, step_x / 1e3),
    )


def read_tvips(path: Path) -> Frames:
    """Frames of a TVIPS camera, in ``name_000.tvips``, ``name_001.tvips`` and so on."""
    part = _TVIPS_PART.match(path.stem)
    if part and part[2] != "000":
        raise PatternFileError(
            f"{path}: is part {part[2]} of a scan, expected its first part. Open "
            f"{part[1]}000{path.suffix}."
        )
    header = _TVIPS.unpack(_head(path, _TVIPS.size, _TVIPS.size))
    size, version, width, height, bits, before = *header[:5], header[12]
    if version != 2 or bits not in (8, 16) or before < _TVIPS_BEFORE or size < _TVIPS.size:
        raise PatternFileError(
            f"{path}: expected a TVIPS stream of version 2 with 8 or 16 bits a pixel and a header "
            f"of {_TVIPS_BEFORE} bytes or more before each frame, found version {version}, {bits} "
            f"bits and {before} bytes. It is damaged, of another version or not a .tvips file."
        )
    files = [(path, size)]
    while part:
        following = path.with_name(f"{part[1]}{len(files):03d}{path.suffix}")
        if not following.is_file():
            break
        files.append((following, 0))
    return Frames(path, files, (height, width), np.dtype(f"<u{bits // 8}"), before=before)


def read_mrc(path: Path) -> Frames:
    """Frames of an MRC file, which says how many there are, not on what grid."""
    header = _head(path, _MRC_BYTES, _MRC_BYTES)
    width, height, count, mode = _MRC.unpack_from(header)
    (extended,) = struct.unpack_from("<I", header, _MRC_EXTENDED)
    if mode not in _MRC_PIXELS:
        raise PatternFileError(
            f"{path}: expected pixels of mode {', '.join(map(str, _MRC_PIXELS))}, found {mode}. "
            "It is damaged, has complex or big-endian values, or is not an .mrc file."
        )
    frames = Frames(
        path, [(path, _MRC_BYTES + extended)], (height, width), np.dtype(_MRC_PIXELS[mode])
    )
    held = (path.stat().st_size - _MRC_BYTES - extended) // max(1, frames.record_bytes)
    if count > held:
        raise PatternFileError(
            f"{path}: truncated: its header gives {count} frames of {frames.record_bytes} bytes, "
            f"found {max(0, held)} whole ones in {path.stat().st_size} bytes. Copy it again from "
            "its source."
        )
    return frames


def _head(path: Path, most: int, least: int) -> bytes:
    with path.open("rb") as file:
        raw = file.read(most)
    if len(raw) < least:
        raise PatternFileError(
            f"{path}: {'too short' if raw else 'empty'}: expected a header of at least {least} "
            f"bytes, found {len(raw)} bytes. Copy the file again from its source."
        )
    return raw
