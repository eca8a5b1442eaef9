"""The latent space of a scan, and what a feature of it stands for."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from napari_kikuchi.ui import LATENT_SPACE
from napari_kikuchi.ui.latent_space import LatentSpace
from napari_kikuchi.ui.launch import wait_until
from napari_kikuchi.ui.pattern_viewer import PatternViewer
from napari_kikuchi.ui.pattern_views import View
from tour.album import Album
from tour.hands import Hands

CONTRAST = "pattern contrast"
CONTRAST_FEATURE = "feature 1, contrast"
# Around the points of the walls of one grain, in shares of the plot.
_ANGLE = np.linspace(0, 2 * np.pi, 60)
AROUND_WALLS = np.stack([0.885 + 0.05 * np.cos(_ANGLE), 0.385 + 0.11 * np.sin(_ANGLE)], axis=1)
MOVED_BY = 3
# Rows and columns of the sample scan: along a wall, and in the middle of another.
ON_WALL = [(10, 4), (29, 4)]
IN_WALL = (20, 29)


@dataclass(frozen=True, eq=False)
class Found:
    """Positions (n, 2) that the tour finds on the map."""

    encircled: np.ndarray
    nearest: np.ndarray


def explore_vectors(hands: Hands, album: Album) -> Found:
    """Do what docs/latent-space.md tells.

    Parameters
    ----------
    hands
        In a window that shows the maps of the additive sample, and its patterns.
    album
        Gets a picture of each step.
    """
    hands.show(CONTRAST)
    hands.open_dock(LATENT_SPACE)
    dock = hands.dock(LatentSpace)
    lay_out(hands, album, dock)
    encircled = encircle_points(hands, album, dock)
    paint_positions(hands, album, dock)
    nearest = find_nearest(hands, album, dock)
    mix_colours(hands, album, dock)
    hands.close_dock(LatentSpace)
    traverse(hands, album)
    return Found(encircled, nearest)


def lay_out(hands: Hands, album: Album, dock: LatentSpace) -> None:
    """Principal components, in the colours of a map."""
    wait_until(lambda: dock.panel.paint_button.isEnabled(), "the points")
    hands.open_list(dock.colour)
    hands.pick(dock.colour, CONTRAST)
    album.take("space-01-components")


def encircle_points(hands: Hands, album: Album, dock: LatentSpace) -> np.ndarray:
    """A lasso around points, which are the walls of a grain."""
    hands.encircle(dock.panel.plot, AROUND_WALLS)
    wait_until(lambda: "selected" in dock.panel.status.text(), "the selection")
    album.take("space-02-lasso", hands.canvas, hands.frame(LatentSpace))
    encircled = np.argwhere(hands.viewer.layers["selection"].data)
    hands.click(dock.panel.clear_button)
    return encircled


def paint_positions(hands: Hands, album: Album, dock: LatentSpace) -> None:
    """Positions of a wall, whose points light up."""
    hands.click(dock.panel.paint_button)
    hands.drag(ON_WALL)
    wait_until(lambda: "selected" in dock.panel.status.text(), "the points")
    album.take("space-03-paint", hands.canvas, hands.frame(LatentSpace))
    hands.click(dock.panel.clear_button)
    hands.viewer.layers["selection"].mode = "pan_zoom"
    hands.viewer.layers.selection.active = hands.viewer.layers[CONTRAST]


def find_nearest(hands: Hands, album: Album, dock: LatentSpace) -> np.ndarray:
    """Positions whose patterns are most like that of one."""
    hands.click_at(IN_WALL)
    nearest = dock.nearest
    hands.click(nearest.button)
    wait_until(nearest.list.count, "the nearest patterns")
    album.take("space-04-nearest", hands.canvas, hands.frame(LatentSpace))
    rows = (nearest.list.item(row).text() for row in range(nearest.list.count()))
    return np.array([[int(number) for number in re.findall(r"\d+", row)[:2]] for row in rows])


def mix_colours(hands: Hands, album: Album, dock: LatentSpace) -> None:
    """Three maps as red, green and blue."""
    hands.show()
    hands.click(dock.composite.button)
    wait_until(lambda: "blue" in hands.viewer.layers[-1].name, "the picture in three colours")
    album.take("space-05-colours", hands.canvas, hands.frame(LatentSpace))


def traverse(hands: Hands, album: Album) -> None:
    """The pattern as it would be if a feature were another."""
    hands.show(CONTRAST_FEATURE)
    hands.viewer.layers.selection.active = hands.viewer.layers[CONTRAST_FEATURE]
    hands.bring(PatternViewer)
    patterns = hands.dock(PatternViewer)
    patterns.controls.choose(View.PREPROCESSED, View.RECONSTRUCTED, View.TRAVERSAL)
    patterns.controls.traversal.by.setValue(MOVED_BY)
    wait_until(lambda: len(patterns.panes.shown) == 3, "the traversal")
    album.take("space-06-traversal", hands.canvas, hands.frame(PatternViewer))
    patterns.controls.choose(View.RAW, View.CORRECTED)
