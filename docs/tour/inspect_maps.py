"""Lines, paths and regions on maps, and what they say."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt

from napari_kikuchi.ui.feature_browser import FeatureBrowser
from napari_kikuchi.ui.inspector import Inspector
from napari_kikuchi.ui.latent_maps import LatentMaps
from napari_kikuchi.ui.launch import wait_until
from tour.album import Album
from tour.hands import Hands

# Rows and columns of the sample scan: corners of a path through three cells, starts and ends of
# lines that cross the same wall, opposite corners of boxes beside the wall and on it.
PATH = [(12, 8), (20, 8), (20, 22), (26, 22)]
LINES = [[(row, 8), (row, 16)] for row in (18, 20, 22)]
INTERIOR = [(9, 7), (20, 10)]
WALL = [(9.6, 3.6), (21.4, 4.4)]
OF_WALLS = "feature 32"


def inspect_maps(hands: Hands, album: Album, folder: Path) -> Path:
    """Do what docs/inspect.md tells.

    Parameters
    ----------
    hands
        In a window in which the first figure has been made.
    album
        Gets a picture of each step.
    folder
        For a figure.

    Returns
    -------
    pathlib.Path
        The figure of two regions.
    """
    make_room(hands)
    inspector = hands.dock(Inspector)
    follow_a_path(hands, album, inspector)
    average_lines(hands, album, inspector)
    measure_a_region(hands, album, inspector)
    return compare_two_regions(hands, album, inspector, folder)


def make_room(hands: Hands) -> None:
    """Choose the map of the walls, and close the docks that are not needed any more."""
    browser = hands.dock(FeatureBrowser)
    rows = browser.table.model()
    names = [rows.index(row, 0) for row in range(rows.rowCount())]
    hands.click_row(browser.table, next(cell for cell in names if cell.data() == OF_WALLS))
    hands.close_dock(LatentMaps)
    hands.close_dock(FeatureBrowser)


def follow_a_path(hands: Hands, album: Album, inspector: Inspector) -> None:
    """A path of several lines."""
    _clear(hands, inspector)
    hands.click(inspector.tools.buttons["Path"])
    for corner in PATH:
        hands.click_at(corner)
    hands.key(Qt.Key.Key_Escape)
    _wait_for_line(inspector)
    album.take("inspect-01-path")


def average_lines(hands: Hands, album: Album, inspector: Inspector) -> None:
    """Several lines across the same wall, selected together."""
    _clear(hands, inspector)
    for line in LINES:
        hands.click(inspector.tools.buttons["Line"])
        hands.drag(line)
    hands.key("a")
    hands.dismiss()
    wait_until(lambda: "mean of 3 lines" in inspector.line.title.text(), "the mean of three lines")
    _wait_for_line(inspector)
    album.take("inspect-02-several-lines")


def measure_a_region(hands: Hands, album: Album, inspector: Inspector) -> None:
    """One region."""
    _clear(hands, inspector)
    hands.click(inspector.tools.buttons["Box"])
    hands.drag(INTERIOR)
    wait_until(lambda: len(inspector.region.tiles) == 3, "the mean pattern and its reconstruction")
    album.take("inspect-03-region")


def compare_two_regions(hands: Hands, album: Album, inspector: Inspector, folder: Path) -> Path:
    """Two regions, selected together, and their figure."""
    hands.click(inspector.tools.buttons["Box"])
    hands.drag(WALL)
    hands.key("a")
    hands.dismiss()
    wait_until(lambda: inspector.region.bands is not None, "the bands that changed")
    album.take("inspect-04-two-regions")
    saved = folder / "regions.png"
    hands.click(inspector.saving.figure_button)
    hands.answer(inspector.saving, saved)
    hands.read_message()
    return saved


def _clear(hands: Hands, inspector: Inspector) -> None:
    """Delete all that is drawn."""
    hands.click(inspector.tools.buttons["Line"])
    hands.key("a")
    hands.dismiss()
    hands.key(Qt.Key.Key_Delete)
    wait_until(lambda: inspector.page is None, "the inspector with nothing drawn")


def _wait_for_line(inspector: Inspector) -> None:
    line = inspector.line
    wait_until(lambda: line.strip is not None and line.features is not None, "the line's patterns")
