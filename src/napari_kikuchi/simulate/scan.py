"""Simulated scans: a structure, rendered, recorded and written row by row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.devices import pick_device
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.simulate.detector import Detector
from napari_kikuchi.simulate.structure import Structure
from napari_kikuchi.untrusted import number, sequence

if TYPE_CHECKING:
    import torch

    from napari_kikuchi.simulate.effects import Effects
    from napari_kikuchi.simulate.master import MasterPattern

# Patterns that are rendered, mixed and exposed together. Fixed, because what a computer adds up
# in another order it rounds otherwise, and a file should follow from its seed alone.
RUN = 64


def simulate_scan(
    path: str | Path,
    structure: Structure,
    *,
    pattern_size: tuple[int, int] = (60, 60),
    noise: str = "medium",
    seed: int = 0,
    device: str = "cpu",
    detector: Detector | None = None,
    effects: Effects | None = None,
    particles: MasterPattern | None = None,
) -> Job[Path]:
    """Simulate a scan of a structure and write it, and its truth beside it.

    Memory holds the maps of the structure and the patterns of three rows of the scan. Closing the
    job leaves nothing under the scan's name.

    Parameters
    ----------
    path
        Scan to write: ``.up2`` with twelve bits in uint16, or ``.up1`` with eight bits. The truth
        goes to :func:`truth_path`. An older simulated scan is replaced.
    structure
        Made by :func:`make_structure`.
    pattern_size
        Height and width of a pattern in pixels.
    noise
        ``"low"``, ``"medium"`` or ``"high"``; where ``effects`` are given, they decide.
    seed
        Of gain and noise. On one device the same seed gives the same file, to the byte.
    device
        ``"cpu"``, ``"cuda"``, ``"mps"``, or ``"auto"`` for the fastest there is.
    detector
        Where the screen stands.
    effects
        How patterns are recorded.
    particles
        Master pattern of the second phase; None: of niobium carbide.

    Yields
    ------
    Progress
        Patterns written so far.

    Returns
    -------
    pathlib.Path
        The scan.

    Raises
    ------
    ValueError
        If the noise level is unknown, or there is no such device.
    FileExistsError
        If a scan without a truth lies at ``path``, or something else than a truth at its place.
    PatternFileError
        If the path cannot be written or has another extension.
    """
    import torch

    from napari_kikuchi.io import Up2Writer
    from napari_kikuchi.io.map_store import write_maps
    from napari_kikuchi.simulate.effects import MEAN_COUNTS, Camera, Effects, overlap

    path = Path(path)
    detector = detector or Detector()
    if effects is None:
        if noise not in MEAN_COUNTS:
            raise ValueError(f"unknown noise level {noise!r}; expected low, medium or high")
        effects = Effects(mean_counts=MEAN_COUNTS[noise])
    _check_target(path)
    target = torch.device(pick_device(device))
    rows, cols = structure.map_shape
    with Up2Writer(path, structure.map_shape, pattern_size, step=structure.step) as writer:
        levels = 255 if writer.dtype == np.uint8 else 4095
        camera = Camera(effects, pattern_size, levels, target)
        diffracted = _diffracted_rows(structure, detector, pattern_size, target, particles)
        mixed = overlap(diffracted, structure.step, effects.overlap_fwhm)
        for row, patterns in enumerate(mixed):
            generator = _row_generator(seed, row, target)
            for run in patterns.split(RUN):
                pixels = camera.record(run, generator).cpu().numpy()
                writer.append(pixels.astype(writer.dtype))
            yield Progress((row + 1) * cols, rows * cols, "Simulating patterns")
        settings = {
            "pattern_size": list(pattern_size),
            "seed": seed,
            "detector": asdict(detector),
            "effects": asdict(effects),
        }
        write_maps(
            truth_path(path),
            replace(structure.truth, provenance=_provenance(path, structure, settings)),
        )
    return path


def truth_path(path: str | Path) -> Path:
    """Where the truth of a simulated scan lies: ``<stem>.truth.zarr`` beside it."""
    path = Path(path)
    return path.with_name(f"{path.stem}.truth.zarr")


def simulated_detector(path: str | Path) -> Detector | None:
    """The detector of a simulated scan, from the truth beside it; None where there is none."""
    from napari_kikuchi.io.map_store import MapStoreError, read_provenance

    path = Path(path)
    try:
        provenance = read_provenance(truth_path(path))
        detector = provenance["settings"]["detector"]
        # A measured scan may bear the name of a simulated one, but for its ending.
        if provenance["scan"]["path"] != path.name:
            return None
        x, y, z = (number(part, "pc") for part in sequence(detector["pc"], "pc", 3))
        tilts = (number(detector[name], name, -360, 360) for name in ("tilt", "sample_tilt"))
        return Detector((x, y, z), *tilts)
    except (FileNotFoundError, MapStoreError, ValueError, LookupError, TypeError):
        return None


def _check_target(path: Path) -> None:
    """Check, before the time is spent, that nothing is replaced but a simulated scan."""
    from napari_kikuchi.io.map_store import check_target, read_maps

    truth = truth_path(path)
    check_target(truth)
    of: str | None = path.name
    if truth.exists():
        of = (read_maps(truth).provenance.get("scan") or {}).get("path")
    if of != path.name:
        raise FileExistsError(
            f"{truth}: this is the truth of {of} and would be overwritten by that of {path.name}. "
            "Choose another name."
        )
    if path.exists() and not truth.exists():
        raise FileExistsError(
            f"{path}: this exists and has no truth ({truth.name}) beside it, so it may "
            "be a measured scan and is not overwritten. Choose another name."
        )


def _provenance(path: Path, structure: Structure, settings: dict[str, Any]) -> dict[str, Any]:
    return {
        "scan": {"path": path.name},
        "method": "simulation",
        "version": version("napari-kikuchi"),
        "settings": {"structure": dict(structure.settings), **settings},
    }


def _diffracted_rows(
    structure: Structure,
    detector: Detector,
    shape: tuple[int, int],
    device: torch.device,
    particles: MasterPattern | None,
) -> Iterator[torch.Tensor]:
    """Diffracted intensity of each row, blurred and weakened, of shape (columns, *shape)."""
    import torch

    from napari_kikuchi.simulate.effects import BLUR_REFERENCE, blur
    from napari_kikuchi.simulate.master import nickel, niobium_carbide
    from napari_kikuchi.simulate.render import Renderer

    matrix = Renderer(nickel(), detector, shape, device)
    second_phase = (
        Renderer(particles or niobium_carbide(), detector, shape, device)
        if structure.particle.any()
        else None
    )
    rows, cols = structure.map_shape
    for row in range(rows):
        patterns = torch.empty((cols, *shape), device=device)
        for start in range(0, cols, RUN):
            run = (row, slice(start, min(start + RUN, cols)))
            part = matrix(structure.orientations[run])
            second = np.flatnonzero(structure.particle[run])
            if second_phase is not None and len(second):
                part[second] = second_phase(structure.orientations[run][second])
            sigma = torch.tensor(structure.blur[run], device=device)
            part = blur(part, sigma * (shape[0] / BLUR_REFERENCE))
            contrast = torch.tensor(structure.contrast[run], device=device)
            patterns[run[1]] = part * contrast[:, None, None]
        yield patterns


def _row_generator(seed: int, row: int, device: torch.device) -> torch.Generator:
    import torch

    state = np.random.SeedSequence([seed, row]).generate_state(1, np.uint64)[0]
    return torch.Generator(device).manual_seed(int(state >> np.uint64(1)))
