"""napari's sample menu."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_kikuchi.ui.reader import read_scan


def additive() -> list[Any]:
    """A simulated additive scan: cells, walls, particles."""
    return _open("additive.up1")


def wrought() -> list[Any]:
    """A simulated wrought scan: grains and twins."""
    return _open("wrought.up1")


def nickel() -> list[Any]:
    """Nine real patterns of nickel."""
    return _open("nickel_3x3.up2")


def silicon() -> list[Any]:
    """Three real patterns of silicon, at three camera lengths."""
    return _open("silicon_moving_screen.up1")


def nickel_map() -> list[Any]:
    """kikuchipy's real map of nickel, fetched when it is chosen for the first time.

    Raises
    ------
    ConnectionError
        If it has not been fetched yet and cannot be.
    """
    import kikuchipy

    try:
        signal = kikuchipy.data.nickel_ebsd_large(allow_download=True, lazy=True)
    except Exception as error:  # Whatever the network and the libraries between raise.
        raise ConnectionError(
            "kikuchipy's nickel map (13 MB, from github.com) could not be fetched: "
            f"{error}. Is this computer online? The other samples need no network."
        ) from error
    found = signal.tmp_parameters
    return read_scan(str(Path(found.folder) / f"{found.filename}.{found.extension}"))


def sample_folder() -> Path:
    """Where the samples lie: in the installed package, or beside the sources of a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "sample_data"
    return installed if installed.is_dir() else package.parents[1] / "sample_data"


def _open(name: str) -> list[Any]:
    return read_scan(str(sample_folder() / name))
