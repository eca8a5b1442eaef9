"""Maps on their way to other programs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from napari_kikuchi.ui import INSPECTOR, PLUGIN
from napari_kikuchi.ui.inspector import Inspector
from napari_kikuchi.ui.launch import wait_until
from tour.album import Album
from tour.hands import Hands

_SAVE = "Save Selected Layers..."
TAKEN = ("feature 32", "pattern contrast", "cells", "domains")
COLOURS = ("feature 21 (red)", "feature 20 (green)", "feature 19 (blue)")


@dataclass(frozen=True)
class TakenOut:
    """Files that the tour leaves."""

    store: Path
    tiff: Path
    hdf5: Path
    figure: Path


def take_maps_out(hands: Hands, album: Album, folder: Path) -> TakenOut:
    """Do what docs/export.md tells.

    Parameters
    ----------
    hands
        In a window in which cells have been found and three maps mixed to a picture.
    album
        Gets a picture of each step.
    folder
        For what is saved.
    """
    files = TakenOut(*(folder / name for name in ("maps.zarr", "maps.tif", "maps.h5", "mix.png")))
    save_layers(hands, album, files)
    save_picture(hands, files.figure)
    return files


def save_layers(hands: Hands, album: Album, files: TakenOut) -> None:
    """File > Save Selected Layers, in three formats."""
    layers = hands.viewer.layers
    hands.show("pattern contrast", "cells")
    layers.selection = {layers[name] for name in TAKEN}
    hands.open_menu("File", _SAVE)
    album.take("export-01-save-layers")
    hands.leave_menu()
    for path in (files.store, files.tiff, files.hdf5):
        # What napari does once its dialog, which holds all else up, has been answered.
        layers.save(str(path), selected=True, plugin=PLUGIN)


def save_picture(hands: Hands, path: Path) -> None:
    """Save figure, of three maps in red, green and blue."""
    hands.show(*COLOURS)
    hands.open_dock(INSPECTOR)
    saving = hands.dock(Inspector).saving
    wait_until(saving.figure_button.isEnabled, "what can be saved")
    hands.click(saving.figure_button)
    hands.answer(saving, path)
    hands.read_message()
