"""From a 4D-STEM scan to maps of its phases and orientations."""

from __future__ import annotations

from napari_kikuchi.ui import ORIENTATIONS, PLUGIN
from napari_kikuchi.ui.launch import wait_until
from napari_kikuchi.ui.orientations import Orientations
from napari_kikuchi.ui.pattern_viewer import PatternViewer
from tour.album import Album
from tour.hands import Hands

SAMPLE = "Copper and iron by 4D-STEM, simulated (40 × 48)"
PHASES = ("copper", "iron")
# Patterns of phases are simulated once: on a processor that is shared, for minutes.
_PATIENCE_S = 1200
# Rows and columns of the sample scan: in a grain of copper, and in one of iron.
IN_COPPER = (26, 32)
IN_IRON = (12, 26)


def map_orientations(hands: Hands, album: Album) -> None:
    """Do what docs/orientations.md tells of the sample.

    Parameters
    ----------
    hands
        In a window with nothing open.
    album
        Gets a picture of each step.
    """
    open_scan(hands, album)
    calibrate(hands, album)
    make_images(hands, album)
    find_orientations(hands, album)
    explore(hands, album)


def open_scan(hands: Hands, album: Album) -> None:
    """File > Open Sample; point at a pattern."""
    hands.open_menu("File", "Open Sample", PLUGIN, SAMPLE)
    hands.choose(SAMPLE)
    wait_until(lambda: len(hands.viewer.layers) == 1, "the scan", _PATIENCE_S)
    hands.hold_pattern(IN_COPPER, _PATIENCE_S)
    album.take("orient-01-scan")


def calibrate(hands: Hands, album: Album) -> None:
    """The page Calibrate: the rings of copper."""
    tools = hands.dock(PatternViewer).tools
    hands.turn_to(tools.tabs, "Calibrate")
    page = tools.calibrate
    wait_until(lambda: page.scale.value > 0, "the scale of the file", _PATIENCE_S)
    wait_until(lambda: "Drag" in page.notice.text(), "the rings", _PATIENCE_S)
    album.take("orient-02-calibrate")


def make_images(hands: Hands, album: Album) -> None:
    """The page Detectors: bright field and dark field."""
    tools = hands.dock(PatternViewer).tools
    hands.turn_to(tools.tabs, "Detectors")
    page = tools.detectors
    hands.run(page.panel, _PATIENCE_S)
    wait_until(lambda: len(hands.viewer.layers) > 1, "the images", _PATIENCE_S)
    album.take("orient-03-detectors")
    hands.turn_to(tools.tabs, "View")


def find_orientations(hands: Hands, album: Album) -> None:
    """Plugins > Orientations: add the phases, map."""
    hands.open_dock(ORIENTATIONS)
    form = hands.dock(Orientations).form
    for name in PHASES:
        count = len(form.phases.phases)
        action = next(
            one for one in form.phases.add_button.menu().actions() if name in one.text().lower()
        )
        action.trigger()
        wait_until(
            lambda count=count: len(form.phases.phases) > count,
            "the phase in the table",
            _PATIENCE_S,
        )
    album.take("orient-04-phases")
    images = len(hands.viewer.layers)
    hands.run(form.panel, _PATIENCE_S)
    wait_until(lambda: len(hands.viewer.layers) > images, "the maps", _PATIENCE_S)
    page = hands.dock(Orientations).page
    wait_until(lambda: "indexed" in page.notice.text(), "what the maps tell", _PATIENCE_S)
    hands.dismiss()
    hands.hold_pattern(IN_COPPER, _PATIENCE_S)
    album.take("orient-05-maps")


def explore(hands: Hands, album: Album) -> None:
    """The page Explore: misorientation to a position, and how zone axes correlate."""
    page = hands.dock(Orientations).page
    hands.hold_pattern(IN_IRON, _PATIENCE_S)
    layers = len(hands.viewer.layers)
    hands.click(page.misorientation.button)
    wait_until(lambda: len(hands.viewer.layers) > layers, "the misorientation", _PATIENCE_S)
    hands.scroll_to(page.correlation.button)
    hands.click(page.correlation.button)
    wait_until(lambda: "one half" in page.correlation.notice.text(), "the curve", _PATIENCE_S)
    hands.scroll_to(page.correlation.plot)
    album.take("orient-06-explore")
