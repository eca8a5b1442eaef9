"""The same map of two scans."""

from __future__ import annotations

from pathlib import Path

from napari_kikuchi.ui import PLUGIN, SEVERAL_SCANS
from napari_kikuchi.ui.launch import wait_until
from napari_kikuchi.ui.several_scans import SeveralScans
from tour.album import Album
from tour.hands import Hands

SHOWN = "pattern contrast"


def compare_scans(hands: Hands, album: Album, others: Path) -> None:
    """Do what docs/several-scans.md tells.

    Parameters
    ----------
    hands
        In a window that shows maps of the additive sample.
    album
        Gets a picture of each step.
    others
        Store of the maps that the same model made of the wrought sample.
    """
    hands.viewer.open(others, plugin=PLUGIN)
    hands.open_dock(SEVERAL_SCANS)
    dock = hands.dock(SeveralScans)
    show_alike(hands, album, dock)
    make_mosaic(hands, album, dock)


def show_alike(hands: Hands, album: Album, dock: SeveralScans) -> None:
    """The same map of both scans, between the same limits, side by side."""
    hands.open_list(dock.map_choice)
    # A map that was starred bears a star here.
    hands.pick(dock.map_choice, dock.map_choice.itemText(dock.map_choice.findData(SHOWN)))
    hands.click(dock.show_button)
    wait_until(lambda: "Shown from" in dock.notice.text(), "the maps")
    hands.click(dock.keep_box)
    hands.click(dock.side_button)
    album.take("scans-01-side-by-side")


def make_mosaic(hands: Hands, album: Album, dock: SeveralScans) -> None:
    """One layer of both."""
    hands.click(dock.mosaic_button)
    wait_until(lambda: "mosaic" in dock.notice.text(), "the mosaic")
    hands.show(f"{SHOWN}, mosaic")
    album.take("scans-02-mosaic")
