"""From a scan of Kikuchi patterns to the map of its symmetry."""

from __future__ import annotations

from napari_kikuchi.ui import PLUGIN, SYMMETRY
from napari_kikuchi.ui.launch import wait_until
from napari_kikuchi.ui.link import link_of
from napari_kikuchi.ui.pattern_viewer import PatternViewer
from napari_kikuchi.ui.pattern_views import View
from napari_kikuchi.ui.symmetry import Symmetry
from tour.album import Album
from tour.hands import Hands

SAMPLE = "Nickel with a Laves phase, simulated (40 × 48)"
# A processor that is shared may need long.
_PATIENCE_S = 1200
# Rows and columns of the sample scan: in a grain of nickel, and in a particle.
IN_GRAIN = (12, 30)
IN_PARTICLE = (22, 13)


def map_symmetry(hands: Hands, album: Album) -> None:
    """Do what docs/symmetry.md tells of the sample.

    Parameters
    ----------
    hands
        In a window with nothing open.
    album
        Gets a picture of each step.
    """
    open_dock(hands, album)
    make_map(hands, album)
    look_at_patterns(hands, album)


def open_dock(hands: Hands, album: Album) -> None:
    """File > Open Sample, Plugins > Symmetry."""
    hands.open_menu("File", "Open Sample", PLUGIN, SAMPLE)
    hands.choose(SAMPLE)
    wait_until(lambda: len(hands.viewer.layers) == 1, "the scan", _PATIENCE_S)
    hands.open_dock(SYMMETRY)
    hands.point_at(IN_GRAIN)
    wait_until(lambda: len(_patterns(hands).panes.shown) == 2, "a pattern", _PATIENCE_S)
    album.take("symmetry-01-dock")


def make_map(hands: Hands, album: Album) -> None:
    """Map symmetry; point at the map."""
    form = hands.dock(Symmetry).form
    hands.run(form.panel, _PATIENCE_S)
    wait_until(form.legend.isVisible, "the legend", _PATIENCE_S)
    link = link_of(hands.viewer.layers[-1])
    assert link is not None
    assert link.stack is not None
    count = 1 + len(link.stack.listed())
    wait_until(lambda: len(hands.viewer.layers) == count, "all maps as layers", _PATIENCE_S)
    hands.dismiss()
    hands.point_at(IN_GRAIN)
    wait_until(lambda: View.SIMULATED in _patterns(hands).panes.shown, "its match", _PATIENCE_S)
    album.take("symmetry-02-map")


def look_at_patterns(hands: Hands, album: Album) -> None:
    """Hold a pattern of a particle: what is told of it, and the simulated one."""
    hands.hold_pattern(IN_PARTICLE, _PATIENCE_S)
    album.take("symmetry-03-pattern", _patterns(hands))


def _patterns(hands: Hands) -> PatternViewer:
    viewer: PatternViewer = hands.dock(PatternViewer)
    return viewer
