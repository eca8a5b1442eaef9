"""Maps of the sample scans, as the tours and their tests need them."""

from __future__ import annotations

from pathlib import Path

from napari_kikuchi.io import open_scan
from napari_kikuchi.jobs import finish
from napari_kikuchi.latent.encoder import load_encoder
from napari_kikuchi.latent.maps import encode_scan
from napari_kikuchi.maps import MapStack
from napari_kikuchi.samples import sample_folder, shipped_encoder


def encode_sample(name: str, store: Path) -> MapStack:
    """Encode a sample with the encoder that comes with the plugin, as **Encode** does."""
    scan = open_scan(sample_folder() / f"{name}.up1")
    model = shipped_encoder()
    return finish(encode_scan(scan, load_encoder(model, device="cpu"), store, model=model))
