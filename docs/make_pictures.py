"""Takes the tours of the guide and makes its pictures.

    python docs/make_pictures.py
    python docs/make_pictures.py orientations symmetry microstructure

The second line takes the tours of other samples alone. Needs a screen, or a virtual one:
``make figures`` brings it along. The user's own folders stay as they are, but for the cache, which
keeps simulated patterns.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

IMAGES = Path(__file__).parent / "images"
WINDOW = 1400, 900
# Widgets that are still there when Python ends complain.
_CLOSING_MS = 500


def main() -> None:
    """Take the tours; print how long each step took."""
    tours: dict[str, Callable[[Path], None]] = {
        "kikuchi": take_tours,
        "orientations": lambda _: take_tour("orientations"),
        "symmetry": lambda _: take_tour("symmetry"),
        "microstructure": lambda _: take_tour("microstructure"),
    }
    parser = argparse.ArgumentParser(description="Takes the tours of the guide.")
    parser.add_argument("tours", nargs="*", metavar="TOUR", help=f"{', '.join(tours)}; default all")
    chosen = parser.parse_args().tours or list(tours)
    if unknown := set(chosen) - set(tours):
        parser.error(f"no tour {', '.join(sorted(unknown))}: there are {', '.join(tours)}")
    with TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary) / "figures"
        folder.mkdir()
        # Before napari is imported, which reads its settings then.
        os.environ["NAPARI_CONFIG"] = str(folder / "settings.yaml")
        with patch("napari_kikuchi.io.places.user_folder", lambda: folder / "maps"):
            for tour in chosen:
                tours[tour](folder)


def take_tour(name: str) -> None:
    """Take a tour of a sample of its own."""
    from napari_kikuchi.ui.launch import let_work, new_viewer
    from tour.album import Album
    from tour.hands import Hands
    from tour.make_microstructures import make_microstructures
    from tour.map_orientations import map_orientations
    from tour.map_symmetry import map_symmetry

    of_samples = {
        "orientations": map_orientations,
        "symmetry": map_symmetry,
        "microstructure": make_microstructures,
    }
    viewer = new_viewer()
    viewer.window.resize(*WINDOW)
    hands = Hands(viewer)
    album = Album(IMAGES, hands.window)
    try:
        of_samples[name](hands, album)
    finally:
        viewer.close()
        let_work(_CLOSING_MS)
    for step in album.steps:
        print(f"{step.picture.stem:<28} {step.seconds:6.1f} s")


def take_tours(folder: Path) -> None:
    """Take every tour of Kikuchi patterns; ``folder`` is for what is made on the way."""
    from qtpy.QtCore import QCoreApplication, Qt

    from napari_kikuchi.ui.inspector import Inspector
    from napari_kikuchi.ui.launch import let_work, new_viewer
    from tour.album import Album
    from tour.divide_maps import divide_maps
    from tour.find_the_feature import find_the_feature
    from tour.first_figure import first_figure
    from tour.hands import Hands
    from tour.inspect_maps import inspect_maps
    from tour.latent_vectors import explore_vectors
    from tour.maps_of_samples import encode_sample
    from tour.several_maps import compare_scans
    from tour.take_maps_out import take_maps_out

    # Where the desktop brings a dialog of its own, no hand of ours could type into it.
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    viewer = new_viewer()
    viewer.window.resize(*WINDOW)
    hands = Hands(viewer)
    album = Album(IMAGES, hands.window)
    try:
        saved = first_figure(hands, album, folder)
        steps = list(album.steps)
        find_the_feature(hands, album)
        compared = inspect_maps(hands, album, folder)
        hands.close_dock(Inspector)
        viewer.layers.remove("regions")
        explore_vectors(hands, album)
        divide_maps(hands, album, folder)
        mixed = take_maps_out(hands, album, folder).figure
        hands.close_dock(Inspector)
        wrought = folder / "wrought.zarr"
        encode_sample("wrought", wrought)
        compare_scans(hands, album, wrought)
    finally:
        viewer.close()
        let_work(_CLOSING_MS)
    for step in album.steps:
        print(f"{step.picture.stem:<28} {step.seconds:6.1f} s")
    print(f"{'from a scan to its figure':<28} {sum(step.seconds for step in steps):6.1f} s")
    album.keep(saved.picture, "first-14-figure")
    album.keep(compared, "inspect-05-figure")
    album.keep(mixed, "export-02-figure")


if __name__ == "__main__":
    main()
