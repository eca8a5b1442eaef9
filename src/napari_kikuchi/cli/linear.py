"""What the commands do with principal components."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from napari_kikuchi.jobs import Job
from napari_kikuchi.latent.linear import fit_linear
from napari_kikuchi.latent.maps import encode_scan
from napari_kikuchi.maps import MapStack
from napari_kikuchi.recipe import Recipe
from napari_kikuchi.scan import Scan
from napari_kikuchi.training import CHECKPOINT_FILE, MODEL_FILE


def train_linear(
    scans: Sequence[Scan], recipe: Recipe, folder: Path, latent: int, sample: int, seed: int
) -> Job[Path]:
    """Fit principal components and save them in a folder, as a training does its model.

    Raises
    ------
    FileExistsError
        If the folder holds the training of a network.
    """
    if (folder / CHECKPOINT_FILE).exists():
        raise FileExistsError(
            f"{folder}: holds the training of a network, whose model would be replaced. Choose "
            "another folder."
        )
    encoder = yield from fit_linear(scans, recipe, latent, sample, seed)
    path = folder / MODEL_FILE
    encoder.save(path)
    return path


def encode_linear(
    scan: Scan, latent: int, target: Path, *, resume: bool, **where: Any
) -> Job[MapStack]:
    """Encode a scan with its own principal components, which are not kept.

    Where it is done is passed on: ``executor`` and ``workers`` of
    :func:`~napari_kikuchi.latent.maps.encode_scan`.
    """
    encoder = yield from fit_linear([scan], Recipe(), latent)
    return (yield from encode_scan(scan, encoder, target, resume=resume, **where))
