"""How large the signals in files of 4D-STEM scans may be.

An array takes no room in a file until something is written to it: what a file declares may be
larger than any memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_kikuchi.io.errors import PatternFileError
from napari_kikuchi.io.frames import LARGEST_SIDE
from napari_kikuchi.io.layout import MOST_POSITIONS

# The largest scan ever likely, and a piece that is unpacked as one.
_MOST_ROWS, _MOST_CHUNK_BYTES = 10**6, 2**30
# 4096 x 4096 pixels of float32.
_MOST_PATTERN_BYTES = 2**26


def check_signal(path: Path, array: Any, shape: Sequence[int], *, plain: bool) -> None:
    """Check an array of patterns of which nothing has been read.

    Parameters
    ----------
    path
        Of the file.
    array
        Has the type, and the chunks in which it is stored.
    shape
        Rows and columns of the scan, height and width of a pattern.
    plain
        Whether it lies in the file as it is.

    Raises
    ------
    PatternFileError
        If it is none of patterns, larger than any scan, or than the file.
    """
    rows, cols, height, width = shape
    if np.dtype(array.dtype).kind not in "uif":
        raise PatternFileError(f"{path}: expected patterns of numbers, found {array.dtype}.")
    if min(shape) < 1 or rows > _MOST_ROWS or max(height, width) > LARGEST_SIDE:
        raise PatternFileError(
            f"{path}: expected 1 to {_MOST_ROWS} rows of patterns of at most {LARGEST_SIDE} pixels "
            f"each way, found {rows} rows x {cols} columns of {height} x {width} pixels. The file "
            "is damaged or holds something else."
        )
    if rows * cols > MOST_POSITIONS:
        raise PatternFileError(
            f"{path}: expected at most {MOST_POSITIONS} patterns, found {rows} rows x {cols} "
            "columns. The file is damaged or holds something else."
        )
    pattern_bytes = height * width * np.dtype(array.dtype).itemsize
    if pattern_bytes > _MOST_PATTERN_BYTES:
        raise PatternFileError(
            f"{path}: expected patterns of at most {_MOST_PATTERN_BYTES} bytes, found {height} x "
            f"{width} pixels of {array.dtype}, which are {pattern_bytes} bytes. The file is "
            "damaged or holds something else."
        )
    if plain:
        held = path.stat().st_size
        if array.nbytes > held:
            raise PatternFileError(
                f"{path}: truncated: its header gives {rows} rows x {cols} columns of {height} x "
                f"{width} pixels, which take {array.nbytes} bytes, found {held} bytes. Copy it "
                "again from its source."
            )
        return
    chunk = getattr(array, "chunks", None) or (1,)
    size = int(np.prod([int(one) for one in chunk], dtype=object)) * array.dtype.itemsize
    if size > _MOST_CHUNK_BYTES:
        raise PatternFileError(
            f"{path}: expected an array in chunks of at most {_MOST_CHUNK_BYTES} bytes, found "
            f"chunks of {size}: for one pattern that much would be unpacked. Save it in smaller "
            "chunks."
        )
