"""From a map with holes to one that is filled in, extended, generated, interpolated."""

from __future__ import annotations

from napari_kikuchi.ui import MICROSTRUCTURES, PLUGIN
from napari_kikuchi.ui.generator_page import GeneratorPage
from napari_kikuchi.ui.launch import wait_until
from napari_kikuchi.ui.microstructures import Microstructures
from tour.album import Album
from tour.hands import Hands

SAMPLE = "Grains of two phases with holes, made up (96 × 128)"
# A processor that is shared may need long.
_PATIENCE_S = 600
# Through grains of the sample, right below the scratch.
_STROKE = ((76, 84), (76, 104), (84, 104), (84, 84))


def make_microstructures(hands: Hands, album: Album) -> None:
    """Do what docs/microstructure.md tells of the sample.

    Parameters
    ----------
    hands
        In a window with nothing open.
    album
        Gets a picture of each step.
    """
    hands.open_menu("File", "Open Sample", PLUGIN, SAMPLE)
    hands.choose(SAMPLE)
    wait_until(lambda: len(hands.viewer.layers) > 1, "the maps", _PATIENCE_S)
    hands.open_dock(MICROSTRUCTURES)
    dock: Microstructures = hands.dock(Microstructures)
    fill_in(hands, album, dock)
    generate(hands, album, dock)
    interpolate(hands, album, dock)


def fill_in(hands: Hands, album: Album, dock: Microstructures) -> None:
    """Draw a region; fill it in with what was not indexed."""
    page = dock.fill_in
    wait_until(lambda: page.missing.text(), "what is missing", _PATIENCE_S)
    hands.click(page.region.draw_button)
    hands.drag(_STROKE)
    album.take("microstructure-01-region")
    make(hands, page)
    wait_for_colours(hands, "filled in")
    album.take("microstructure-02-filled")


def generate(hands: Hands, album: Album, dock: Microstructures) -> None:
    """Make other grains for the phases of the map that was filled in."""
    hands.turn_to(dock.tabs.tabBar(), "Generate")
    phases = dock.generate.wishes.phases
    wait_until(lambda: phases.count() > 1, "phases to wish for", _PATIENCE_S)
    hands.open_list(phases)
    offered = [phases.itemText(index) for index in range(phases.count())]
    hands.pick(phases, next(text for text in offered if text.startswith("phase")))
    make(hands, dock.generate)
    wait_for_colours(hands, "generated")
    album.take("microstructure-03-generated")


def interpolate(hands: Hands, album: Album, dock: Microstructures) -> None:
    """Go half of the way from what was measured to what was generated."""
    hands.turn_to(dock.tabs.tabBar(), "Interpolate")
    page = dock.interpolate
    offered = [page.others.itemText(index) for index in range(page.others.count())]
    hands.open_list(page.others)
    hands.pick(page.others, next(text for text in offered if "generated" in text))
    make(hands, page)
    page.weight.value = 0.5
    album.take("microstructure-04-between")


def make(hands: Hands, page: GeneratorPage) -> None:
    """Click the button of a page; wait for its layers."""
    hands.click(page.button)
    wait_until(lambda: page.words.text(), "what was made", _PATIENCE_S)


def wait_for_colours(hands: Hands, made: str) -> None:
    """Wait for the last of the layers, which come one by one."""

    def all_there() -> bool:
        names = [layer.name for layer in hands.viewer.layers]
        colours = (f"IPF z {colour} ({made}" for colour in ("red", "green", "blue"))
        return all(any(name.startswith(one) for name in names) for one in colours)

    wait_until(all_there, "all maps as layers", _PATIENCE_S)
