"""How large spots are, found in the patterns themselves."""

from __future__ import annotations

import numpy as np

from napari_kikuchi.not_finite import with_replaced
from napari_kikuchi.orientation.detectors import find_direct_beam
from napari_kikuchi.scan import Scan
from napari_kikuchi.unreadable import UnreadableScanError

# Places that are looked at, and neighbours along a row that are averaged at each: few counts then
# suffice, while the beam wanders little and the crystal is mostly one.
_PLACES, _NEIGHBOURS = 24, 8


def guess_radius(scan: Scan, *, seed: int = 0) -> float:
    """Radius of a spot: of the brightest one, in the median over places of the scan.

    That is the direct beam, or where it is blocked a diffracted one.

    Parameters
    ----------
    scan
        Of diffraction patterns with spots.
    seed
        Of the draw of places.

    Returns
    -------
    float
        In pixels: that of a disc of the area that is at least half as bright.

    Raises
    ------
    ScanLostError
        If the file of the scan is out of reach, or has changed since it was opened.
    UnreadableScanError
        If none of the patterns can be read.
    """
    radii = []
    for row, col in scan.draw(_PLACES, seed):
        cols = np.arange(col, min(col + _NEIGHBOURS, scan.map_shape[1]))
        run = np.stack([np.full_like(cols, row), cols], axis=1)
        if scan.present is not None:
            run = run[scan.present[row, cols]]
        patterns, readable = scan.read_readable(run)
        if readable.any():
            mean = with_replaced(patterns[readable]).mean(axis=0)
            radii.append(find_direct_beam(mean).radius)
    if not radii:
        raise UnreadableScanError(
            f"{scan.path or scan.name}: no pattern could be read to find the radius of spots. "
            "Give it, or copy the scan anew if there is a whole one."
        )
    return float(np.median(radii))
