"""The sample scans, encoded: what the demo shows."""

from __future__ import annotations

from pathlib import Path

from napari_kikuchi.io import open_scan
from napari_kikuchi.io.places import model_name
from napari_kikuchi.jobs import Job
from napari_kikuchi.latent.encoder import load_encoder
from napari_kikuchi.latent.maps import encode_scan
from napari_kikuchi.samples import SCANS, sample_folder, shipped_encoder


def encode_samples(folder: Path) -> Job[list[Path]]:
    """Encode every sample scan with the shipped encoder.

    Parameters
    ----------
    folder
        For the map stores; made if it is not there. Maps that lie there already are made anew.

    Returns
    -------
    list of pathlib.Path
        One map store for each scan.
    """
    model = shipped_encoder()
    encoder = load_encoder(model)
    made = []
    for name in SCANS:
        scan = open_scan(sample_folder() / name)
        target = folder / f"{scan.name}.{model_name(model)}.zarr"
        yield from encode_scan(scan, encoder, target, model=model, resume=False)
        made.append(target)
    return made
