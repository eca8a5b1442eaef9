"""What ``napari-kikuchi decode`` makes patterns of."""

from __future__ import annotations

from pathlib import Path

from napari_kikuchi.cli.options import refuse_overwriting
from napari_kikuchi.io.map_store import read_maps
from napari_kikuchi.io.up2 import PIXEL_TYPES
from napari_kikuchi.latent.decode import random_scan, reconstructed_scan
from napari_kikuchi.latent.encoder import load_encoder
from napari_kikuchi.scan import Scan


def decoded_scan(
    maps: Path | None,
    model: Path | None,
    out: Path,
    random: tuple[int, int] | None,
    seed: int,
    device: str,
) -> Scan:
    """A scan decoded from maps, or from features drawn at random.

    Raises
    ------
    ValueError
        If it is not clear what is to be decoded, and with which model.
    FileExistsError
        If something lies where the patterns go: it may be a measured scan.
    """
    refuse_overwriting(out)
    if (maps is None) == (random is None):
        raise ValueError("Give either the maps to decode, or --random for so many patterns.")
    dtype = PIXEL_TYPES.get(out.suffix.lower(), "uint16")
    if model is None:
        made_by = None if maps is None else read_maps(maps).provenance.get("model")
        if not made_by or not made_by.get("path"):
            raise ValueError("Give the model that decodes with --model.")
        model = Path(made_by["path"])
    encoder = load_encoder(model, device=device)
    if maps is not None:
        return reconstructed_scan(maps, encoder, dtype=dtype)
    assert random is not None
    return random_scan(encoder, random, seed=seed, dtype=dtype)
