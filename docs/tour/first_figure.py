"""From a scan to the figure of a cell wall with its profile."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_kikuchi.ui import FEATURE_BROWSER, INSPECTOR, LATENT_MAPS, PLUGIN
from napari_kikuchi.ui.feature_browser import FeatureBrowser
from napari_kikuchi.ui.inspector import Inspector
from napari_kikuchi.ui.latent_maps import LatentMaps
from napari_kikuchi.ui.launch import wait_until
from napari_kikuchi.ui.link import link_of
from napari_kikuchi.ui.pattern_viewer import PatternViewer
from napari_kikuchi.ui.rank_by import Ranking
from napari_kikuchi.ui.strokes import Stroke
from tour.album import Album
from tour.hands import Hands

if TYPE_CHECKING:
    from napari_kikuchi.maps import MapStack

SAMPLE = "Additive nickel, simulated (40 × 48)"
# A processor that is shared may need long for the encoder.
_PATIENCE_S = 150
# Rows and columns of the sample scan through which strokes and the line are drawn.
ON_WALL = [(10, 4), (29, 4)]
BESIDE_WALL = [(21, 8), (8, 8), (8, 10), (13, 10)]
ACROSS_WALL = [(20, 6), (20, 17)]


@dataclass(frozen=True)
class Saved:
    """Files that the tour leaves."""

    picture: Path
    drawing: Path
    table: Path


def first_figure(hands: Hands, album: Album, folder: Path) -> Saved:
    """Do what docs/first-figure.md tells.

    Parameters
    ----------
    hands
        In a window with nothing open.
    album
        Gets a picture of each step.
    folder
        For the figure and its values.
    """
    open_sample(hands, album)
    encode(hands, album)
    look_at_patterns(hands, album)
    browse(hands, album)
    paint_strokes(hands, album)
    draw_a_line(hands, album)
    return save(hands, album, folder)


def open_sample(hands: Hands, album: Album) -> None:
    """File > Open Sample."""
    hands.open_menu("File", "Open Sample", PLUGIN, SAMPLE)
    album.take("first-01-open-sample")
    hands.choose(SAMPLE)
    wait_until(lambda: len(hands.viewer.layers) == 1, "the scan")
    patterns = hands.dock(PatternViewer)
    wait_until(lambda: len(patterns.panes.shown) == 2, "a pattern")
    album.take("first-02-scan")


def encode(hands: Hands, album: Album) -> MapStack:
    """Plugins > Latent maps, Encode."""
    latent_maps = f"{LATENT_MAPS} ({PLUGIN})"
    hands.open_menu("Plugins", PLUGIN, latent_maps)
    album.take("first-03-plugins")
    hands.choose(latent_maps)
    dock = hands.dock(LatentMaps)
    hands.turn_to(dock.tabs.tabBar(), "Encode")
    album.take("first-04-encode")
    hands.run(dock.encode.panel, _PATIENCE_S)
    stack = _stack(hands)
    wait_until(lambda: len(hands.viewer.layers) == 1 + len(stack), "all maps as layers")
    album.take("first-05-maps")
    return stack


def look_at_patterns(hands: Hands, album: Album) -> None:
    """Point at a wall, and beside it."""
    patterns = hands.dock(PatternViewer)
    hands.point_at((20, 12))
    wait_until(lambda: "row 20, column 12" in patterns.position.text(), "the pattern")
    album.take("first-06-pattern")


def browse(hands: Hands, album: Album) -> None:
    """Plugins > Feature browser: step through the maps, star one."""
    hands.open_dock(FEATURE_BROWSER)
    browser = hands.dock(FeatureBrowser)
    wait_until(lambda: len(browser.current.pictures) == len(browser.current.stack), "the pictures")
    hands.click_row(browser.table, browser.table.model().index(0, 0))
    album.take("first-07-browser")
    for key in "..,":
        hands.key(key)
    wait_until(lambda: browser.current.shown == browser.list.current, "the second map")
    hands.key("k")
    album.take("first-08-star")


def paint_strokes(hands: Hands, album: Album) -> None:
    """Rank by what strokes tell apart."""
    browser = hands.dock(FeatureBrowser)
    ranking = browser.rank_by
    hands.open_list(ranking.choice)
    album.take("first-09-rank-by")
    hands.pick(ranking.choice, str(Ranking.STROKES))
    hands.click(ranking.painting.buttons[Stroke.THIS])
    hands.drag(ON_WALL)
    hands.click(ranking.painting.buttons[Stroke.OTHER])
    hands.drag(BESIDE_WALL)
    wait_until(lambda: "apart" in browser.status.text(), "the ranking")
    album.take("first-10-strokes")
    hands.click(ranking.painting.clear_button)


def draw_a_line(hands: Hands, album: Album) -> None:
    """Plugins > Inspect lines and regions: a line across a wall."""
    hands.open_dock(INSPECTOR)
    inspector = hands.dock(Inspector)
    album.take("first-11-inspector")
    hands.click(inspector.tools.buttons["Line"])
    hands.drag(ACROSS_WALL)
    line = inspector.line
    wait_until(lambda: line.strip is not None and line.features is not None, "the line's patterns")
    album.take("first-12-line")


def save(hands: Hands, album: Album, folder: Path) -> Saved:
    """Save figure, Save values."""
    saving = hands.dock(Inspector).saving
    saved = Saved(folder / "wall.png", folder / "wall.svg", folder / "wall.csv")
    hands.click(saving.figure_button)
    hands.answer(saving, saved.picture)
    wait_until(saved.drawing.exists, "the figure")
    album.take("first-13-saved")
    hands.click(saving.table_button)
    hands.answer(saving, saved.table)
    wait_until(saved.table.exists, "the values")
    hands.dismiss()
    return saved


def _stack(hands: Hands) -> MapStack:
    """The stack of which there are maps."""
    wait_until(lambda: len(hands.viewer.layers) > 1, "the first map")
    return next(
        link.stack
        for link in map(link_of, hands.viewer.layers)
        if link is not None and link.stack is not None
    )
