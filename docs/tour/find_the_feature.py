"""Ways to the map that shows what is looked for."""

from __future__ import annotations

from qtpy.QtTest import QTest

from napari_kikuchi.ui.feature_browser import FeatureBrowser
from napari_kikuchi.ui.inspector import Inspector
from napari_kikuchi.ui.launch import wait_until
from napari_kikuchi.ui.rank_by import Ranking
from tour.album import Album
from tour.hands import Hands

# Opposite corners of boxes in two cells of the sample scan.
IN_ONE_CELL = [(9, 7), (20, 10)]
IN_ANOTHER = [(20, 14), (29, 16)]
LIKE = "additive: quick contrast"


def find_the_feature(hands: Hands, album: Album) -> None:
    """Do what docs/find-the-feature.md tells.

    Parameters
    ----------
    hands
        In a window in which the first figure has been made.
    album
        Gets a picture of each step.
    """
    see_all(hands, album)
    hide_noise(hands, album)
    compare_regions(hands, album)
    compare_maps(hands, album)


def see_all(hands: Hands, album: Album) -> None:
    """Gallery."""
    browser = _browser(hands, Ranking.STRUCTURE)
    hands.click(browser.list.gallery_button)
    album.take("find-01-gallery")


def hide_noise(hands: Hands, album: Album) -> None:
    """Hide the last maps of the list, then list what is starred."""
    browser = hands.dock(FeatureBrowser)
    gallery = browser.gallery
    last = gallery.model().index(gallery.model().rowCount() - 1, 0)
    hands.click_row(gallery, last)
    QTest.keyClick(gallery, "h")
    hands.open_list(browser.list.listed)
    album.take("find-02-starred-and-hidden")
    hands.pick(browser.list.listed, browser.list.listed.itemText(0))
    hands.click(browser.list.gallery_button)


def compare_regions(hands: Hands, album: Album) -> None:
    """Rank by what two regions tell apart."""
    tools = hands.dock(Inspector).tools
    for corners in (IN_ONE_CELL, IN_ANOTHER):
        hands.click(tools.buttons["Box"])
        hands.drag(corners)
    browser = _browser(hands, Ranking.REGIONS)
    hands.click(browser.rank_by.regions.button)
    wait_until(lambda: "apart" in browser.status.text(), "the ranking")
    album.take("find-03-two-regions")


def compare_maps(hands: Hands, album: Album) -> None:
    """Rank by likeness to a map."""
    browser = _browser(hands, Ranking.LIKENESS)
    hands.open_list(browser.rank_by.reference)
    hands.pick(browser.rank_by.reference, LIKE)
    wait_until(lambda: "alike" in browser.status.text(), "the ranking")
    album.take("find-04-likeness")


def _browser(hands: Hands, ranking: Ranking) -> FeatureBrowser:
    """The feature browser, when it ranks by something else."""
    browser: FeatureBrowser = hands.dock(FeatureBrowser)
    hands.open_list(browser.rank_by.choice)
    hands.pick(browser.rank_by.choice, str(ranking))
    return browser
