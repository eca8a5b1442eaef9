"""What reconstruction keeps of patterns: Table 1 of Calvat et al. 2025, on scans with known truth.

Every objective and latent size is trained on a wrought and an additive scan together. Then every
pattern of both is preprocessed, encoded, decoded, written to UP2, read again and indexed, and so is
the preprocessed pattern itself. Compared over the patterns that are indexable when preprocessed
(confidence of at least 0.1):

    indexed      share that is still indexable, and right: within 5° of the preprocessed one
    confidence   ratio to the preprocessed pattern's; quantiles of 10, 50 and 90 %, as for the rest
    IQ           ratio (kikuchipy's, by the Fourier transform)
    sharpness    ratio
    turned       misorientation to the preprocessed pattern's orientation, in degrees
    error        misorientation to the truth, in degrees

    python benchmarks/table1.py --out table1 --minutes 10

trains the principal presets on whatever device there is; --design published, with --epochs 250
--minutes 0, is the paper's training, for a GPU. What is in --out already is not done again: a run
that was stopped goes on. Prints a row as soon as it is known, the published figures beside it, and
at the end on what it ran.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from napari_kikuchi.explore.misorientations import misorientation_angles
from napari_kikuchi.io import open_scan
from napari_kikuchi.io.known_geometry import assumed_geometry
from napari_kikuchi.io.up2_writer import write_scan
from napari_kikuchi.jobs import finish
from napari_kikuchi.latent.decode import reconstructed_scan
from napari_kikuchi.latent.encoder import load_encoder
from napari_kikuchi.latent.linear import fit_linear
from napari_kikuchi.latent.maps import encode_scan
from napari_kikuchi.latent.presets import PRESETS
from napari_kikuchi.latent.train import VaeTraining, train_vae
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.physics.indexing import HoughIndexing, index_patterns, read_phase
from napari_kikuchi.physics.quality import image_quality, sharpness
from napari_kikuchi.preprocess import Preprocessor, prepare
from napari_kikuchi.recipe import Recipe
from napari_kikuchi.scan import Scan
from napari_kikuchi.simulate import make_structure, simulate_scan
from napari_kikuchi.training import CHECKPOINT_FILE, TrainingSettings

INDEXABLE = 0.1
RIGHT = 5.0
QUANTILES = (0.1, 0.5, 0.9)
SEED = 811
# Some fifty grains on a map of a hundred positions each way, as on the maps of the paper.
GRAINS: dict[str, dict[str, Any]] = {"additive": {"grain_size": (12.0, 6.0)}, "wrought": {}}
# The first at every latent size, the others at the largest.
OBJECTIVES: dict[str, dict[str, Any]] = {
    "vae": {},
    "contrastive": {"objective": "contrastive"},
    "β = 15": {"beta": 15.0},
    "β = 50": {"beta": 50.0},
}
COLUMNS = ("confidence", "IQ", "turned", "sharpness", "error")
# Indexed (%), then quantiles of confidence ratio, IQ ratio, misorientation and sharpness ratio. The
# paper calls the misorientations degrees.
PUBLISHED = {
    "vae 16": "95.3  0.00/0.06/0.42  0.27/0.64/0.87  0.01/0.02/0.88  0.13/0.16/0.18",
    "vae 32": "98.8  0.03/0.53/1.10  0.54/0.87/0.99  0.00/0.01/0.07  0.16/0.23/0.27",
    "vae 64": "99.9  0.50/1.00/1.78  0.80/0.95/1.03  0.00/0.01/0.02  0.23/0.27/0.32",
    "vae 128": "100   0.55/1.00/1.79  0.88/0.97/1.04  0.00/0.01/0.01  0.28/0.34/0.39",
    "vae 256": "100   0.56/1.00/1.78  0.88/0.96/1.02  0.00/0.01/0.01  0.32/0.38/0.44",
    "contrastive 128": "100   0.56/1.00/1.79  0.84/0.95/1.05  0.00/0.01/0.01  0.27/0.33/0.38",
    "β = 15 128": "76.2  0.12/0.94/1.61  0.35/0.88/1.04  0.00/0.01/0.41  0.11/0.26/0.38",
    "β = 50 128": "39.2  0.00/0.35/1.20  0.08/0.20/0.92  0.00/0.28/0.89  0.05/0.09/0.29",
}


def main() -> None:
    """Read the command line, train, reconstruct and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("table1"), help="models and figures")
    parser.add_argument(
        "--design", choices=("principal", "quick", "published"), default="principal"
    )
    parser.add_argument("--latent", type=int, nargs="+", default=[16, 32, 64, 128])
    parser.add_argument("--objectives", nargs="+", choices=OBJECTIVES, default=list(OBJECTIVES))
    parser.add_argument("--side", type=int, default=96, help="rows and columns of each scan")
    parser.add_argument("--noise", choices=("low", "medium", "high"), default="medium")
    parser.add_argument("--rescale", choices=("range", "deviation", "common"), default="range")
    parser.add_argument("--likelihood", choices=("calibrated", "unit"), default="calibrated")
    parser.add_argument("--minutes", type=float, default=10, help="of each training; 0: no limit")
    parser.add_argument("--epochs", type=int, help="of each training")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--threads", type=int, help="of each training on a processor")
    parser.add_argument("--device", default="auto")
    given = parser.parse_args()
    size = PRESETS[f"{given.design}-{given.latent[0]}"].size
    recipe = Recipe(size=size, background="exact", rescale=given.rescale)
    scans = [_Reference(kind, recipe, given) for kind in GRAINS]
    for scan in scans:
        print(
            f"{scan.kind}: {len(np.unique(scan.structure.grain))} grains, {len(scan.indexable)} "
            f"patterns, {scan.indexable.mean():.1%} indexable when preprocessed, median error "
            f"{np.median(scan.error[scan.indexable]):.3f}°"
        )
    print(f"\n{'':<18}{'':<10}{'indexed':>8}" + "".join(f"{name:>22}" for name in COLUMNS))
    for name, model in _models(scans, recipe, given):
        for scan in scans:
            figures = _figures(name, model, scan, given.out)
            cells = "".join(f"{_quantiles(figures[column]):>22}" for column in COLUMNS)
            print(f"{name:<18}{scan.kind:<10}{figures['indexed']:>8.2%}{cells}", flush=True)
        if name in PUBLISHED:
            print(f"{name:<18}published {PUBLISHED[name]}")
    print(f"\n{platform.machine()}, Python {platform.python_version()}, {vars(given)}")


class _Reference:
    """A simulated scan, and what indexing says of its patterns when only preprocessed."""

    def __init__(self, kind: str, recipe: Recipe, given: argparse.Namespace) -> None:
        self.kind = kind
        given.out.mkdir(parents=True, exist_ok=True)
        self.structure = make_structure(kind, given.side, given.side, seed=SEED, **GRAINS[kind])
        path = given.out / f"{kind}.up2"
        if not path.exists():
            finish(
                simulate_scan(
                    path,
                    self.structure,
                    pattern_size=recipe.size,
                    noise=given.noise,
                    seed=SEED,
                )
            )
        self.scan = open_scan(path)
        self.preprocessor = finish(prepare(self.scan, recipe))
        self.truth = self.structure.orientations.reshape(-1, 4)
        self.indexing = HoughIndexing(assumed_geometry())
        self.symmetry = read_phase(self.indexing.phase).point_group
        prepared = _prepared(self.scan, self.preprocessor, given.out / f"{kind}_prepared.up2")
        self.measured = self.measure(prepared)
        self.indexable = self.measured["confidence"] >= INDEXABLE
        # Particles are of another phase in orientation only: they are indexed as all else is.
        self.error = self.turned(self.measured["quaternions"], self.truth)

    def measure(self, scan: Scan) -> dict[str, np.ndarray]:
        """Confidence, orientations, image quality and sharpness of patterns within [-1, 1]."""
        mask = self.preprocessor.mask
        found: dict[str, list[np.ndarray]] = {}
        for block in scan.blocks():
            patterns = scan.read_block(block).reshape(-1, *mask.shape).astype(np.float32)
            indexed = index_patterns(
                np.where(mask, patterns, patterns[:, mask].mean()), self.indexing
            )
            for name, values in (
                ("confidence", indexed.confidence),
                ("quaternions", indexed.quaternions),
                ("IQ", image_quality(patterns, mask)),
                ("sharpness", sharpness(patterns, mask)),
            ):
                found.setdefault(name, []).append(values)
        return {name: np.concatenate(parts) for name, parts in found.items()}

    def turned(self, quaternions: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Misorientations in degrees."""
        return misorientation_angles(quaternions, others, self.symmetry)


def _prepared(scan: Scan, preprocessor: Preprocessor, path: Path) -> Scan:
    """The preprocessed patterns, through a UP2 file as the reconstructed ones."""
    if not path.exists():
        rows, cols = scan.map_shape
        patterns = np.empty((rows, cols, *preprocessor.recipe.size), np.uint16)
        for block in scan.blocks():
            part = preprocessor(scan.read_block(block))
            whole = np.rint((part + 1) / 2 * np.iinfo(np.uint16).max) * preprocessor.mask
            patterns[block.rows, block.cols] = whole.astype(np.uint16)
        finish(write_scan(path, Scan(ArraySource(patterns), step=scan.step)))
    return open_scan(path)


def _models(scans: list[_Reference], recipe: Recipe, given: argparse.Namespace) -> Any:
    """Name and file of every model, each trained when its turn comes."""
    wanted = [
        (f"{name} {latent}", latent, OBJECTIVES[name])
        for name in given.objectives
        for latent in (given.latent if name == "vae" else [max(given.latent)])
    ]
    every = [scan.scan for scan in scans]
    for latent in given.latent:
        path = given.out / f"PCA {latent}.safetensors"
        if not path.exists():
            finish(fit_linear(every, recipe, latent)).save(path)
        yield f"PCA {latent}", path
    for name, latent, changed in wanted:
        folder = given.out / name
        settings = VaeTraining(
            preset=f"{given.design}-{latent}",
            likelihood=given.likelihood,
            training=TrainingSettings(
                epochs=given.epochs,
                minutes=given.minutes or None,
                batch=given.batch,
                threads=given.threads,
                device=given.device,
            ),
            **changed,
        )
        resume = (folder / CHECKPOINT_FILE).exists()
        yield name, finish(train_vae(every, recipe, settings, folder, resume=resume))


def _figures(name: str, model: Path, scan: _Reference, out: Path) -> dict[str, Any]:
    """Figures of one model on one scan, from what an earlier run has written if it has."""
    path = out / f"{name}.{scan.kind}.json"
    if not path.exists():
        path.write_text(json.dumps(_measure(model, scan, out / f"{name}.{scan.kind}")))
    return json.loads(path.read_text())


def _measure(model: Path, scan: _Reference, stem: Path) -> dict[str, Any]:
    encoder = load_encoder(model)
    maps, up2 = stem.with_name(f"{stem.name}.zarr"), stem.with_name(f"{stem.name}.up2")
    finish(encode_scan(scan.scan, encoder, maps, model=model))
    finish(write_scan(up2, reconstructed_scan(maps, encoder)))
    found = scan.measure(open_scan(up2))
    kept, before = scan.indexable, scan.measured
    turned = scan.turned(found["quaternions"], before["quaternions"])
    indexed = (found["confidence"] >= INDEXABLE) & (turned < RIGHT)
    compared: dict[str, Callable[[], np.ndarray]] = {
        "turned": lambda: turned,
        "error": lambda: scan.turned(found["quaternions"], scan.truth),
        **{
            column: lambda column=column: found[column] / before[column]
            for column in ("confidence", "IQ", "sharpness")
        },
    }
    figures = {
        column: np.nanquantile(values()[kept], QUANTILES).tolist()
        for column, values in compared.items()
    }
    return {"indexed": float(indexed[kept].mean()), **figures}


def _quantiles(values: list[float]) -> str:
    return "/".join(f"{value:.2f}" for value in values)


if __name__ == "__main__":
    main()
