"""How well maps tell cell walls from cell interiors, on scans that no model has seen.

For each level of noise and each seed an additive scan is simulated. Each method gives maps of it;
the figure is the area under the ROC curve (AUC) of wall (strength above 0.5) against interior
(below 0.1), of the best map, as it is or as its difference to the local median. Encoders offer
their first eight ranked features only. Beside them: image quality (kikuchipy's) of the patterns as
recorded and less their background, their sharpness as recorded, their contrast less background and
relative to their brightness.

    python benchmarks/walls.py --adapt-minutes 2 --threads 1

prints one row for each scan, the medians, and on what it ran.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from roc import auc_either_way

from napari_kikuchi.explore.ranking import rank_features
from napari_kikuchi.explore.surroundings import local_difference
from napari_kikuchi.images import bin_to
from napari_kikuchi.io import open_scan
from napari_kikuchi.jobs import finish
from napari_kikuchi.latent.encoder import Encoder, load_encoder
from napari_kikuchi.latent.linear import fit_linear
from napari_kikuchi.latent.train import VaeTraining, train_vae
from napari_kikuchi.physics.quality import image_quality, pattern_contrast, sharpness
from napari_kikuchi.preprocess import prepare
from napari_kikuchi.recipe import Recipe
from napari_kikuchi.samples import shipped_encoder
from napari_kikuchi.scan import Scan
from napari_kikuchi.simulate import make_structure, simulate_scan
from napari_kikuchi.training import TrainingSettings

NOISE = ("low", "medium", "high")
SIDE = 64
OFFERED = 8


def main() -> None:
    """Read the command line, measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[901, 902, 903])
    parser.add_argument("--noise", nargs="+", choices=NOISE, default=NOISE)
    parser.add_argument("--wall-blur", type=float, default=None, help="other than the default")
    parser.add_argument("--adapt-minutes", type=float, default=0, help="0: leave that column out")
    parser.add_argument("--threads", type=int, default=1, help="of the adaptation")
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    given = parser.parse_args()
    config = {} if given.wall_blur is None else {"wall_blur": given.wall_blur}
    rows = []
    with TemporaryDirectory() as folder:
        for noise in given.noise:
            for seed in given.seeds:
                structure = make_structure("additive", SIDE, SIDE, seed=seed, **config)
                path = Path(folder) / f"{noise}_{seed}.up2"
                scan = open_scan(finish(simulate_scan(path, structure, noise=noise, seed=seed)))
                figures = _measure(scan, structure.wall, given, Path(folder) / f"{noise}_{seed}")
                rows.append({"noise": noise, "seed": seed, **figures})
                _print_row(rows[-1], header=len(rows) == 1)
    for noise in given.noise:
        of_level = [row for row in rows if row["noise"] == noise]
        medians = {key: np.median([row[key] for row in of_level]) for key in list(rows[0])[2:]}
        _print_row({"noise": noise, "seed": "median", **medians})
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}")
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def _measure(
    scan: Scan, wall: np.ndarray, given: argparse.Namespace, run: Path
) -> dict[str, float]:
    rows, cols = scan.map_shape
    patterns = np.concatenate([scan.read_block(block) for block in scan.blocks()])
    patterns = patterns.reshape(-1, *scan.pattern_shape)
    figures = {}
    whole = finish(prepare(scan, Recipe(size=scan.pattern_shape, background="exact")))
    mask, unbinned = whole.mask, bin_to(patterns, scan.pattern_shape)
    relative = whole.relative(unbinned)
    measures = {
        "IQ raw": image_quality(patterns, mask),
        "sharpness": sharpness(patterns, mask),
        "IQ": image_quality(relative, mask),
        "contrast": pattern_contrast(relative, mask),
    }
    for name, values in measures.items():
        figures[name] = _best_auc([values.reshape(rows, cols)], wall)

    def maps(encoder: Encoder) -> np.ndarray:
        prepared = finish(prepare(scan, encoder.recipe))(patterns)
        return encoder.encode(prepared).T.reshape(-1, rows, cols)

    def offered(encoder: Encoder) -> float:
        features = maps(encoder)
        first = np.argsort(-rank_features(features), kind="stable")[:OFFERED]
        return _best_auc(features[first], wall)

    linear = finish(fit_linear([scan], Recipe(), latent=32))
    figures["linear"] = offered(linear)
    figures["(of all)"] = _best_auc(maps(linear), wall)
    shipped = load_encoder(shipped_encoder(), device="cpu")
    figures["shipped"] = offered(shipped)
    figures["(of all) "] = _best_auc(maps(shipped), wall)
    if given.adapt_minutes:
        training = TrainingSettings(
            epochs=None, minutes=given.adapt_minutes, threads=given.threads, device="cpu"
        )
        job = train_vae([scan], None, VaeTraining(training=training), run, init=shipped_encoder())
        figures["adapted"] = offered(load_encoder(finish(job), device="cpu"))
    return figures


def _best_auc(maps: Iterable[np.ndarray], wall: np.ndarray) -> float:
    """Best of some maps and of their differences to the local median; either sign counts."""
    sure = (wall > 0.5) | (wall < 0.1)
    return max(
        auc_either_way(view[sure], wall[sure] > 0.5)
        for values in maps
        for view in (values, local_difference(values))
    )


def _print_row(row: Mapping[str, object], header: bool = False) -> None:
    if header:
        print("  ".join(f"{name:>9}" for name in row))
    cells = (f"{v:>9.3f}" if isinstance(v, float) else f"{v:>9}" for v in row.values())
    print("  ".join(cells), flush=True)


if __name__ == "__main__":
    main()
