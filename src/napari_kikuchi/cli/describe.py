"""What ``napari-kikuchi info`` tells of a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_kikuchi.cli.scan_options import ScanOptions


def describe(path: Path, opening: ScanOptions) -> dict[str, Any]:
    """Describe a scan, a model, a map store or a file of spots.

    Parameters
    ----------
    path
        File or folder.
    opening
        How it is opened, where the path is a scan.

    Returns
    -------
    dict
        What a person wants to know first, in that order; fit for JSON.
    """
    if path.suffix == ".safetensors":
        return _describe_model(path)
    if path.suffix == ".spots":
        return _describe_spots(path)
    if path.suffix == ".zarr" or path.is_dir():
        return _describe_maps(path)
    return _describe_scan(path, opening)


def _describe_scan(path: Path, opening: ScanOptions) -> dict[str, Any]:
    scan = opening.open(path)
    rows, cols, height, width = scan.shape
    described = {
        "scan": str(path),
        "technique": scan.technique,
        "rows": rows,
        "columns": cols,
        "grid": scan.grid,
        "step (µm)": list(scan.step),
        "area (µm)": [rows * scan.step[0], cols * scan.step[1]],
        "patterns": scan.count,
        "missing": rows * cols - scan.count,
        "pattern height": height,
        "pattern width": width,
        "pixel type": scan.dtype.name,
        "size (bytes)": scan.count * scan.pattern_bytes,
    }
    if scan.calibration is not None:
        described[f"pixel ({scan.calibration.unit})"] = list(scan.calibration.pixel)
    return described


def _describe_model(path: Path) -> dict[str, Any]:
    from napari_kikuchi.latent.encoder import load_encoder

    encoder = load_encoder(path, device="cpu")
    recipe = encoder.recipe
    return {
        "model": str(path),
        "kind": encoder.kind,
        "latent features": encoder.latent,
        "recipe": recipe.settings(),
        "signal mask": None if recipe.mask is None else f"{recipe.mask.mean():.0%} of the frame",
        "provenance": dict(encoder.provenance),
    }


def _describe_maps(path: Path) -> dict[str, Any]:
    from napari_kikuchi.io.map_store import read_maps

    stack = read_maps(path)
    best = [stack.channels[i].name for i in stack.ranking()[:8]]
    return {
        "maps": str(path),
        "channels": len(stack),
        "first in rank": best,
        "rows": stack.map_shape[0],
        "columns": stack.map_shape[1],
        "step (µm)": list(stack.step),
        "regions": [region.name for region in stack.regions],
        "provenance": dict(stack.provenance),
    }


def _describe_spots(path: Path) -> dict[str, Any]:
    import numpy as np

    from napari_kikuchi.orientation.scan_spots import ScanSpots

    spots = ScanSpots.open(path)
    counts = spots.counts[spots.present]
    return {
        "spots": str(path),
        "rows": spots.shape[0],
        "columns": spots.shape[1],
        "step (µm)": list(spots.step),
        "patterns": len(counts),
        "median spots": float(np.median(counts)) if len(counts) else 0.0,
        "detection": spots.detection.settings(),
        "provenance": dict(spots.provenance),
    }
