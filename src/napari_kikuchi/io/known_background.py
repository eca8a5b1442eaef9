"""The static background that was recorded with a scan, as far as its file has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.io.h5ebsd import EXTENSIONS, maker_of, scan_names, stripped

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.scan import Scan

# Names in the header, in lower case.
_NAMES = {
    "kikuchipy": "static_background",
    "bruker nano": "staticbackground",
    "oxford instruments": "processed static background",
}


def known_background(scan: Scan) -> NDArray[np.float32] | None:
    """Read the static background that a microscopist recorded where no grain stands out.

    Parameters
    ----------
    scan
        Of an HDF5 file of kikuchipy, Bruker or Oxford.

    Returns
    -------
    numpy.ndarray or None
        Of the shape of the patterns. None where the file has none, or one of another shape, or
        where patterns were cut or turned upside down since.
    """
    import h5py

    if scan.path is None or scan.path.suffix.lower() not in EXTENSIONS:
        return None
    if scan.options.get("crop") or scan.options.get("flip"):
        return None
    with h5py.File(scan.path, mode="r") as file:
        maker, scans = maker_of(file), scan_names(file)
        if maker not in _NAMES or not scans:
            return None
        ebsd = file[scan.options.get("scan") or scans[0]]["EBSD"]
        header = stripped(ebsd["Header"])
        name = _NAMES[maker]
        if name not in header or header[name].shape != scan.pattern_shape:
            return None
        background = np.asarray(header[name], np.float32)
    return background if (background > 0).any() else None
