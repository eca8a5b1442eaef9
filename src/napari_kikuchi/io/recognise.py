"""Tell pattern files from files of other trades that share their extensions."""

from __future__ import annotations

from pathlib import Path

_UP = (".up1", ".up2")
_SETTINGS_OF_DAT = "Setting.txt"
_EMSOFT = "EMData/EBSD/EBSDPatterns"


def is_pattern_file(path: str | Path) -> bool:
    """Whether a file looks like the patterns of a scan; cheap, and no promise that it is whole.

    HDF5 files are told apart by their groups, so that others' are left to others, and a NORDIF
    ``.dat`` by the settings beside it. So are the files of 4D-STEM.
    """
    from napari_kikuchi.io import stem
    from napari_kikuchi.io.opening import EXTENSIONS

    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in _UP:
        return True
    if suffix in stem.FOLDERS and path.is_dir():
        return stem.is_stem_file(path)
    if suffix not in EXTENSIONS or not path.is_file():
        return False
    if suffix in stem.EXTENSIONS:
        return stem.is_stem_file(path)
    if suffix == ".dat":
        return (path.parent / _SETTINGS_OF_DAT).is_file()
    return suffix == ".ebsp" or _holds_patterns(path) or stem.holds_stem(path)


def _holds_patterns(path: Path) -> bool:
    import h5py

    try:
        with h5py.File(path, mode="r") as file:
            scans = [group for group in file.values() if isinstance(group, h5py.Group)]
            return _EMSOFT in file or any("EBSD/Data" in group for group in scans)
    # h5py raises what the library stumbles over.
    except (OSError, RuntimeError, LookupError, ValueError):
        return False
