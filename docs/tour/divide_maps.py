"""Walls and cells, domains and clusters."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from napari_kikuchi.ui import SEGMENT
from napari_kikuchi.ui.launch import let_work, wait_until
from napari_kikuchi.ui.segment import Segment
from napari_kikuchi.ui.segment_page import SegmentPage
from tour.album import Album
from tour.hands import Hands

# Shows walls best: the first tour finds it.
OF_WALLS = "feature 32"
# Layers come one after another.
_SETTLED_MS = 200


@dataclass(frozen=True)
class Tables:
    """Files that the tour leaves."""

    figures: Path
    cells: Path
    domains: Path
    clusters: Path


def divide_maps(hands: Hands, album: Album, folder: Path) -> Tables:
    """Do what docs/segment.md tells.

    Parameters
    ----------
    hands
        In a window that shows the maps of the additive sample.
    album
        Gets a picture of each step.
    folder
        For the tables.
    """
    tables = Tables(*(folder / f"{name}.csv" for name in ("walls", "cells", "domains", "clusters")))
    hands.show(OF_WALLS)
    hands.open_dock(SEGMENT)
    dock = hands.dock(Segment)
    find_walls(hands, album, dock, tables)
    find_domains(hands, album, dock, tables)
    find_clusters(hands, album, dock, tables)
    hands.close_dock(Segment)
    return tables


def find_walls(hands: Hands, album: Album, dock: Segment, tables: Tables) -> None:
    """Walls and cells, a cell looked at, and two tables."""
    page = dock.walls
    _find(hands, page)
    album.take("segment-01-walls")
    hands.click_row(page.table, page.table.model().index(4, 0))
    _save(hands, page, "figures", tables.figures)
    _save(hands, page, "cells", tables.cells)
    hands.viewer.reset_view()


def find_domains(hands: Hands, album: Album, dock: Segment, tables: Tables) -> None:
    """Domains, and how much is inside them."""
    hands.turn_to(dock.tabs.tabBar(), "Domains")
    page = dock.domains
    hands.show(OF_WALLS, "domains")
    _find(hands, page)
    album.take("segment-02-domains", hands.canvas, hands.frame(Segment))
    _save(hands, page, "domains", tables.domains)
    hands.show("kernel spread")
    album.take("segment-03-kernel-spread", hands.canvas)


def find_clusters(hands: Hands, album: Album, dock: Segment, tables: Tables) -> None:
    """Clusters."""
    hands.turn_to(dock.tabs.tabBar(), "Clusters")
    page = dock.clusters
    hands.show(OF_WALLS)
    _find(hands, page)
    album.take("segment-04-clusters", hands.canvas, hands.frame(Segment))
    _save(hands, page, "clusters", tables.clusters)


def _find(hands: Hands, page: SegmentPage) -> None:
    hands.click(page.button)
    wait_until(lambda: not page.row.active and page.words.text(), "what was found")
    let_work(_SETTLED_MS)


def _save(hands: Hands, page: SegmentPage, name: str, path: Path) -> None:
    hands.click(page.save_buttons[name])
    hands.answer(page, path)
    hands.read_message()
