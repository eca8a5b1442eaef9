"""What each map tells apart, on simulated scans of many grains that no model has seen.

Four questions, each answered by the area under the ROC curve (AUC), 0.5 for a guess:

    walls      the middle of a cell wall against the inside of cells
    particles  particles against all else
    twins      twins that are one position thin against their parent grains
    rotations  two positions of one grain, a few steps apart and inside cells: turned against each
               other by more than half a degree, or by less than a tenth

asked of each physics map; of the best single feature of an encoder, as it is or as its difference
to the local median, either sign; of all its features together by a linear probe (sparse logistic
regression, trained on three quarters of the scan and asked on the fourth, in turn); of each map
that comes with its features; and of features and those maps together. For
rotations the measure is the difference of the values; of several maps, their distance after
whitening.

    python benchmarks/sensitivity.py --noise medium --seeds 901 902 --index

prints one table for each scan and one of medians. Encoders: principal components and non-negative
factors (NMF) of the scan itself, as many as --latent says; the shipped model; any --model FILE;
with --minutes, autoencoders of that size trained on the scan itself, on patterns rescaled as
--trained says.
With --index come confidence, KAM and GROD of Hough indexing. --noise, --wall-blur, --wall-contrast
and --cell-rotation make all harder or easier; --grain-size 100 40 makes the additive scan one grain
or two, on which principal components see far more than on a real map.
"""

from __future__ import annotations

import argparse
import json
import platform
import warnings
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from roc import auc, auc_either_way
from scipy import ndimage
from scipy.spatial.transform import Rotation

from napari_kikuchi.explore.surroundings import local_difference
from napari_kikuchi.io import open_scan
from napari_kikuchi.io.known_geometry import assumed_geometry
from napari_kikuchi.jobs import finish
from napari_kikuchi.latent.encoder import Encoder, load_encoder
from napari_kikuchi.latent.linear import fit_linear
from napari_kikuchi.latent.maps import encode_scan
from napari_kikuchi.latent.train import VaeTraining, train_vae
from napari_kikuchi.physics.indexing import HoughIndexing
from napari_kikuchi.physics.maps import physics_maps
from napari_kikuchi.preprocess import prepare
from napari_kikuchi.recipe import Recipe
from napari_kikuchi.samples import shipped_encoder
from napari_kikuchi.scan import Scan
from napari_kikuchi.simulate import make_structure, simulate_scan
from napari_kikuchi.simulate.structure import Structure
from napari_kikuchi.training import TrainingSettings

QUESTIONS = {"additive": ("walls", "particles", "rotations"), "wrought": ("twins",)}
SHOWN = ("image quality (FFT)", "sharpness", "pattern contrast", "confidence", "KAM", "GROD")
# Maps that every encoder comes with; the contrast itself is among the physics maps.
BESIDE = ("reconstruction error", "contrast without overlap", "unlike its neighbours")
# Of two positions whose rotation is asked for, in steps.
REACH = 8
PAIRS = 20_000
LEAST_TURNED, MOST_ALIKE = 0.5, 0.1


def main() -> None:
    """Read the command line, measure and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[901, 902, 903])
    parser.add_argument("--noise", choices=("low", "medium", "high"), default="medium")
    parser.add_argument("--side", type=int, default=96, help="rows and columns of each scan")
    parser.add_argument("--grain-size", type=float, nargs=2, default=(12.0, 6.0), help="in µm")
    parser.add_argument("--latent", type=int, default=32, help="of the encoders fitted here")
    parser.add_argument("--wall-blur", type=float, help="other than the default")
    parser.add_argument("--wall-contrast", type=float, help="loss of it, other than the default")
    parser.add_argument("--cell-rotation", type=float, nargs=2, help="least and most, in degrees")
    parser.add_argument("--rescale", choices=("range", "deviation", "common"), default="common")
    parser.add_argument("--index", action="store_true", help="with maps of Hough indexing")
    parser.add_argument("--minutes", type=float, default=0, help="of each training")
    parser.add_argument("--design", choices=("principal", "quick"), default="principal")
    parser.add_argument("--trained", nargs="+", default=["range", "common"], help="rescaled so")
    parser.add_argument("--threads", type=int, help="of each training")
    parser.add_argument("--model", type=Path, nargs="*", default=[], help="more encoders")
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    given = parser.parse_args()
    every: dict[str, dict[str, list[float]]] = {}
    with TemporaryDirectory() as folder:
        for seed in given.seeds:
            for kind, questions in QUESTIONS.items():
                found = _measure(Path(folder), kind, seed, given)
                _print(f"{kind}, seed {seed}, noise {given.noise}", questions, found)
                for name, row in found.items():
                    for question, value in row.items():
                        every.setdefault(name, {}).setdefault(question, []).append(value)
    medians = {
        name: {question: float(np.median(values)) for question, values in row.items()}
        for name, row in every.items()
    }
    _print("medians", [q for questions in QUESTIONS.values() for q in questions], medians)
    print(f"{platform.machine()}, Python {platform.python_version()}")
    if given.json:
        settings = {name: str(value) for name, value in vars(given).items()}
        given.json.write_text(json.dumps({"settings": settings, "every": every}, indent=1))


def _measure(
    folder: Path, kind: str, seed: int, given: argparse.Namespace
) -> dict[str, dict[str, float]]:
    config = {}
    if kind == "additive":
        config = {
            "grain_size": tuple(given.grain_size),
            "wall_blur": given.wall_blur,
            "wall_contrast_loss": given.wall_contrast,
            "cell_rotation": given.cell_rotation and tuple(given.cell_rotation),
        }
    config = {name: value for name, value in config.items() if value is not None}
    structure = make_structure(kind, given.side, given.side, seed=seed, **config)
    path = folder / f"{kind}_{seed}.up2"
    scan = open_scan(finish(simulate_scan(path, structure, noise=given.noise, seed=seed)))
    asked = _Asked(structure, seed)
    questions = QUESTIONS[kind]
    found = {
        name: {question: asked.best([values], question) for question in questions}
        for name, values in _physics(scan, folder / f"{kind}_{seed}.zarr", given.index).items()
    }
    for name, (features, beside) in _encoded(scan, given, folder).items():
        found[f"{name}, best feature"] = {q: asked.best(features, q) for q in questions}
        found[f"{name}, together"] = {q: asked.together(features, q) for q in questions}
        for other in BESIDE:
            if other in beside:
                found[f"{name}, {other}"] = {q: asked.best([beside[other]], q) for q in questions}
        if beside:
            every = np.stack([*features, *beside.values()])
            found[f"{name}, all maps together"] = {q: asked.together(every, q) for q in questions}
    return found


def _physics(scan: Scan, path: Path, index: bool) -> dict[str, np.ndarray]:
    kinds = ["quality", "sharpness", "contrast", *(["indexing"] if index else [])]
    indexing = HoughIndexing(assumed_geometry()) if index else None
    maps = {}
    for background, suffix in (("sample", ""), ("none", " as recorded")):
        recipe = Recipe(size=scan.pattern_shape, background=background)
        wanted = kinds if background == "sample" else ["quality"]
        job = physics_maps(scan, wanted, path, indexing=indexing, recipe=recipe, resume=False)
        stack = finish(job)
        maps |= {
            name + suffix: np.nan_to_num(stack.map(i))
            for i, name in enumerate(stack.names)
            if name in SHOWN
        }
    return maps


def _encoded(
    scan: Scan, given: argparse.Namespace, folder: Path
) -> dict[str, tuple[np.ndarray, dict[str, np.ndarray]]]:
    """Features of each encoder, of shape (features, rows, columns), and the maps beside them."""

    def maps(encoder: Encoder) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        # Each replaces those of the encoder before, whose values are in memory by then.
        path = folder / f"{scan.name}.latent.zarr"
        stack = finish(encode_scan(scan, encoder, path, resume=False))
        every = np.nan_to_num(stack.values[:])
        beside = dict(zip(stack.names[encoder.latent :], every[encoder.latent :], strict=True))
        return every[: encoder.latent], beside

    recipe = Recipe(rescale=given.rescale)
    linear = finish(fit_linear([scan], recipe, latent=given.latent))
    patterns = np.concatenate(
        [scan.read_block(block).reshape(-1, *scan.pattern_shape) for block in scan.blocks()]
    )
    prepared = finish(prepare(scan, linear.recipe))(patterns)[:, linear.recipe.mask]
    models = {"shipped": shipped_encoder(), **{str(path): path for path in given.model}}
    for rescale in given.trained if given.minutes else ():
        training = TrainingSettings(epochs=None, minutes=given.minutes, threads=given.threads)
        settings = VaeTraining(preset=f"{given.design}-{given.latent}", training=training)
        run = folder / f"{scan.name}_{rescale}"
        trained = finish(train_vae([scan], Recipe(rescale=rescale), settings, run))
        models[f"VAE {given.latent} ({rescale})"] = trained
    return {
        f"PCA {given.latent}": maps(linear),
        f"NMF {given.latent}": (_nmf(prepared, given.latent).T.reshape(-1, *scan.map_shape), {}),
        **{name: maps(load_encoder(path, device="cpu")) for name, path in models.items()},
    }


def _nmf(patterns: np.ndarray, count: int) -> np.ndarray:
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        # What fifty sweeps leave undone no map shows.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return NMF(count, init="nndsvda", max_iter=50, random_state=0).fit_transform(patterns + 1)


class _Asked:
    """The questions that the truth of a scan can answer."""

    def __init__(self, structure: Structure, seed: int) -> None:
        self.shape = structure.map_shape
        self.labels: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        if structure.kind == "additive":
            wall = structure.wall
            self.labels["walls"] = (wall > 0.5, wall < 0.1)
            self.labels["particles"] = (structure.particle > 0, structure.particle == 0)
            self.pairs, self.turned = _pairs(structure, seed)
        else:
            twin = structure.twin > 0
            thick = ndimage.binary_opening(twin, np.ones((2, 2)))
            self.labels["twins"] = (twin & ~thick, ~twin)

    def best(self, maps: np.ndarray | list[np.ndarray], question: str) -> float:
        """AUC of the best single map."""
        if question == "rotations":
            first, second = (maps_at(maps, place) for place in self.pairs)
            return max(auc(abs(a - b), self.turned) for a, b in zip(first, second, strict=True))
        yes, no = self.labels[question]
        if not yes.any():
            return np.nan
        sure = yes | no
        return max(
            auc_either_way(view[sure], yes[sure])
            for values in maps
            for view in (values, local_difference(values))
        )

    def together(self, maps: np.ndarray, question: str) -> float:
        """AUC of all maps together."""
        if question == "rotations":
            flat = maps.reshape(len(maps), -1)
            spread, axes = np.linalg.eigh(np.cov(flat))
            kept = spread > 1e-9 * spread.max()
            white = (flat.T @ axes[:, kept] / np.sqrt(spread[kept])).T.reshape(-1, *self.shape)
            first, second = (maps_at(white, place) for place in self.pairs)
            return auc(np.linalg.norm(first - second, axis=0), self.turned)
        yes, no = self.labels[question]
        return _probe(maps, yes, yes | no)


def maps_at(maps: np.ndarray | list[np.ndarray], place: np.ndarray) -> np.ndarray:
    """Values of maps at some positions, of shape (maps, positions)."""
    return np.stack([values[tuple(place.T)] for values in maps])


def _pairs(structure: Structure, seed: int) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Pairs of positions inside cells of one grain, and which of them are turned."""
    rng = np.random.default_rng(seed)
    rows, cols = structure.map_shape
    first = rng.integers(0, (rows, cols), (PAIRS, 2))
    second = first + rng.integers(-REACH, REACH + 1, (PAIRS, 2))
    inside = ((second >= 0) & (second < (rows, cols))).all(axis=1)
    first, second = first[inside], second[inside]
    quiet = (structure.wall < 0.1) & (structure.particle == 0)
    same = structure.grain[tuple(first.T)] == structure.grain[tuple(second.T)]
    kept = same & quiet[tuple(first.T)] & quiet[tuple(second.T)]
    first, second = first[kept], second[kept]
    one, other = (
        Rotation.from_quat(structure.orientations[tuple(place.T)], scalar_first=True)
        for place in (first, second)
    )
    angle = np.degrees((one * other.inv()).magnitude())
    sure = (angle > LEAST_TURNED) | (angle < MOST_ALIKE)
    return (first[sure], second[sure]), angle[sure] > LEAST_TURNED


def _probe(maps: np.ndarray, yes: np.ndarray, sure: np.ndarray) -> float:
    """AUC of a logistic regression that has not seen the quarter of the scan it is asked about."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    views = np.concatenate([maps, [local_difference(values) for values in maps]])
    rows, cols = yes.shape
    down, right = np.indices(yes.shape)
    quarter = 2 * (down >= rows // 2) + (right >= cols // 2)
    score = np.full(yes.shape, np.nan)
    for part in range(4):
        learn, ask = sure & (quarter != part), sure & (quarter == part)
        if len(np.unique(yes[learn])) < 2 or len(np.unique(yes[ask])) < 2:
            continue
        # Sparse: most features are about grains, and those of the other quarters are others.
        probe = make_pipeline(
            StandardScaler(),
            LogisticRegression(
                C=0.01, l1_ratio=1, solver="liblinear", class_weight="balanced", max_iter=200
            ),
        )
        probe.fit(views[:, learn].T, yes[learn])
        score[ask] = probe.decision_function(views[:, ask].T)
    asked = np.isfinite(score)
    return auc(score[asked], yes[asked]) if asked.any() else np.nan


def _print(
    title: str, questions: tuple[str, ...] | list[str], found: Mapping[str, Mapping[str, float]]
) -> None:
    width = max(map(len, found))
    print(f"\n{title:<{width}}" + "".join(f"{question:>12}" for question in questions))
    for name, row in found.items():
        cells = "".join(f"{row.get(question, np.nan):>12.3f}" for question in questions)
        print(f"{name:<{width}}{cells}", flush=True)


if __name__ == "__main__":
    main()
