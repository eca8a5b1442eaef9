"""Simulated scans and their maps by two encoders: what several benchmarks share."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from napari_kikuchi.io import open_scan
from napari_kikuchi.jobs import finish
from napari_kikuchi.latent.encoder import load_encoder
from napari_kikuchi.latent.linear import fit_linear
from napari_kikuchi.latent.maps import encode_scan
from napari_kikuchi.maps import MapStack
from napari_kikuchi.recipe import Recipe
from napari_kikuchi.samples import shipped_encoder
from napari_kikuchi.simulate import simulate_scan
from napari_kikuchi.simulate.effects import MEAN_COUNTS, Effects
from napari_kikuchi.simulate.structure import Structure


def scan_arguments(description: str | None) -> argparse.ArgumentParser:
    """A command line that asks which scans are simulated."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[961, 962, 963])
    parser.add_argument("--noise", choices=("low", "medium", "high"), default="medium")
    parser.add_argument("--side", type=int, default=96, help="rows and columns of each scan")
    return parser


def add_wall_arguments(parser: argparse.ArgumentParser) -> None:
    """Ask for walls other than the usual ones, too."""
    parser.add_argument("--wall-blur", type=float, help="other than the default")
    parser.add_argument("--wall-contrast", type=float, help="loss of it, other than the default")


def walls_of(given: argparse.Namespace) -> dict[str, float]:
    """The walls that were asked for, as a structure takes them."""
    asked = {"wall_blur": given.wall_blur, "wall_contrast_loss": given.wall_contrast}
    return {name: value for name, value in asked.items() if value is not None}


def encoded(
    folder: Path, structure: Structure, noise: str, seed: int
) -> Iterator[tuple[str, MapStack]]:
    """Maps of a simulated scan by the shipped encoder, and by principal components of the scan.

    A noise is a level, or the mean counts of a pixel.
    """
    effects = Effects(mean_counts=MEAN_COUNTS.get(noise) or float(noise))
    path = folder / f"{seed}.up2"
    scan = open_scan(finish(simulate_scan(path, structure, effects=effects, seed=seed)))
    shipped = load_encoder(shipped_encoder(), device="cpu")
    yield "shipped", finish(encode_scan(scan, shipped, folder / f"{seed}.shipped.zarr"))
    components = finish(fit_linear([scan], Recipe(), latent=64))
    yield "PCA 64", finish(encode_scan(scan, components, folder / f"{seed}.linear.zarr"))
