"""napari's sample menu."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.samples import sample_folder
from napari_kikuchi.ui.layers import layers_of
from napari_kikuchi.ui.link import unmeasured
from napari_kikuchi.ui.reader import read_scan
from napari_kikuchi.ui.work import run_live

if TYPE_CHECKING:
    from napari_kikuchi.maps import MapStack


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
    path = run_live(_fetch_nickel_map(), "Fetching kikuchipy's nickel map")
    return read_scan(str(path), scan="Scan 1")


def copper_iron() -> list[Any]:
    """A simulated 4D-STEM scan of copper and iron, made when it is chosen for the first time."""
    from napari_kikuchi.orientation.simulated_foil import kept_foil

    return read_scan(str(run_live(kept_foil(), "Simulating copper and iron")))


def nickel_laves() -> list[Any]:
    """A simulated scan of nickel with particles, made when it is chosen for the first time."""
    from napari_kikuchi.symmetry.simulated_alloy import kept_alloy

    return read_scan(str(run_live(kept_alloy(), "Simulating nickel with a Laves phase")))


def holed() -> list[Any]:
    """A map of grains of two phases that nobody has measured, with holes as if somebody had."""
    maps = run_live(_make_holed_maps(), "Making grains")
    return list(layers_of(maps, unmeasured("polycrystal")))


def _make_holed_maps() -> Job[MapStack]:
    yield Progress(0, 0, "Making grains")
    from napari_kikuchi.microstructure.holed_sample import holed_maps

    return holed_maps()


def _fetch_nickel_map() -> Job[Path]:
    yield Progress(0, 0, "Fetching kikuchipy's nickel map")
    import kikuchipy

    try:
        signal = kikuchipy.data.nickel_ebsd_large(allow_download=True, lazy=True)
    except Exception as error:  # Whatever the network and the libraries between raise.
        raise ConnectionError(
            "kikuchipy's nickel map (13 MB, from github.com) could not be fetched: "
            f"{error}. Is this computer online? The other samples need no network."
        ) from error
    found = signal.tmp_parameters
    return Path(found.folder) / f"{found.filename}.{found.extension}"


def _open(name: str) -> list[Any]:
    return read_scan(str(sample_folder() / name))
