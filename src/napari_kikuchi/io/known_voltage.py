"""The accelerating voltage with which a scan was recorded, as far as files tell."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.io.h5ebsd import EXTENSIONS, maker_of, scan_names, stripped

if TYPE_CHECKING:
    from napari_kikuchi.scan import Scan

#: Of most EBSD scans, in kV.
USUAL_VOLTAGE = 20.0
# Of electron microscopes; files of which nobody told the voltage may hold a 0.
_POSSIBLE = 1.0, 3000.0
# Group of a scan, and name in lower case.
_NAMES = {
    "kikuchipy": ("SEM/Header", "beam_energy"),
    "bruker nano": ("EBSD/Header", "kv"),
    "oxford instruments": ("EBSD/Header", "beam voltage"),
}
_EMSOFT = "NMLparameters/EBSDNameList/energymax"
# NORDIF writes it beside the patterns.
_SETTING, _MOST_SETTING = "Setting.txt", 2**16
_IN_SETTING = re.compile(r"^Accelerating voltage\s+(\d+(?:\.\d+)?)\s+kV", re.MULTILINE)


def voltage_of(scan: Scan) -> float:
    """The voltage of a scan in kV: as its file tells it, or else the usual one.

    HDF5 files of Oxford, Bruker, kikuchipy and EMsoft tell it, and the settings beside a pattern
    file of NORDIF.
    """
    found = None if scan.path is None else _told(scan.path, scan.options.get("scan"))
    return USUAL_VOLTAGE if found is None else found


def _told(path: Path, scan: str | None) -> float | None:
    suffix = path.suffix.lower()
    if suffix in EXTENSIONS:
        return _in_hdf5(path, scan)
    setting = path.with_name(_SETTING)
    if suffix != ".dat" or not setting.is_file():
        return None
    with setting.open("rb") as file:
        found = _IN_SETTING.search(file.read(_MOST_SETTING).decode("latin-1"))
    return None if found is None else _possible(float(found[1]))


def _in_hdf5(path: Path, scan: str | None) -> float | None:
    import h5py

    with h5py.File(path, mode="r") as file:
        maker, scans = maker_of(file), scan_names(file)
        if maker not in _NAMES or not scans:
            return _number(file.get(_EMSOFT))
        place, name = _NAMES[maker]
        header = file[scan or scans[0]].get(place)
        return _number(stripped(header).get(name)) if isinstance(header, h5py.Group) else None


def _number(stored: Any) -> float | None:
    import h5py

    values = np.ravel(stored[()] if isinstance(stored, h5py.Dataset) else [])
    return _possible(float(values[0])) if values.size and values.dtype.kind in "iuf" else None


def _possible(voltage: float) -> float | None:
    low, high = _POSSIBLE
    return voltage if low <= voltage <= high else None
