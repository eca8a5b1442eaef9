"""Training a variational autoencoder on one or several scans."""

from __future__ import annotations

import zlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_kikuchi.devices import torch_threads
from napari_kikuchi.io.atomic import replacing
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.latent.encoder import load_encoder
from napari_kikuchi.latent.lessons import gather_lessons
from napari_kikuchi.latent.objectives import (
    Likelihood,
    ObjectiveName,
    VaeObjective,
    make_objective,
)
from napari_kikuchi.latent.overlap import teach
from napari_kikuchi.latent.presets import DEFAULT_PRESET, Architecture, preset
from napari_kikuchi.latent.principal import (
    PrincipalDecoder,
    PrincipalEncoder,
    scale_gain,
    shapes_of,
)
from napari_kikuchi.latent.sample import PatternSample, draw_sample, provenance
from napari_kikuchi.latent.vae import Vae, VaeEncoder
from napari_kikuchi.preprocess import Preprocessor
from napari_kikuchi.recipe import Recipe
from napari_kikuchi.scan import Block, Scan
from napari_kikuchi.training import TrainingData, TrainingSettings, check_folder, train
from napari_kikuchi.training.workers import Workers
from napari_kikuchi.unreadable import PatternReading

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

LIVE_FILE = "live.npy"

# A feature is active if the means of its posteriors vary more than this over the validation
# patterns; those of a feature that the patterns do not use stay at 0.
ACTIVE_VARIANCE = 0.05
# Positions of a watched region: all are encoded at every validation.
_MOST_WATCHED = 65_536


@dataclass(frozen=True)
class VaeTraining:
    """What to train, on how many patterns, and for how long.

    Attributes
    ----------
    preset
        Name of an architecture; None: that of the model to start from, or the default one.
    objective
        ``"vae"``, or ``"contrastive"``: :class:`~.objectives.ContrastiveObjective`.
    likelihood, beta, kl_warm_up
        See :class:`~.objectives.VaeObjective`; a model to start from is past its warm-up.
    adaptation_rate
        Part of the learning rate with which a model to start from is trained: at the full rate it
        first forgets what it has learned, and small scans do not teach it all of that again.
    patterns_per_scan
        Drawn at random from each scan; all of a scan that has fewer.
    validation_share, validation_most
        Part of these patterns that is held out, and at most how many.
    training
        How long and how; its seed is also that of the draw and of the fresh weights.
    """

    preset: str | None = None
    objective: ObjectiveName = "vae"
    likelihood: Likelihood = "calibrated"
    beta: float = 1.0
    kl_warm_up: int = 600
    adaptation_rate: float = 0.2
    patterns_per_scan: int = 16_000
    validation_share: float = 0.1
    validation_most: int = 1_024
    training: TrainingSettings = field(default_factory=TrainingSettings)

    def settings(self) -> dict[str, Any]:
        """The settings, fit for JSON."""
        return asdict(self)


def train_vae(
    scans: Sequence[Scan],
    recipe: Recipe | None,
    settings: VaeTraining,
    folder: Path | str,
    *,
    init: Path | str | None = None,
    resume: bool = False,
    watch: Block | None = None,
) -> Generator[Progress, None, Path]:
    """Train a variational autoencoder.

    Parameters
    ----------
    scans
        One or several.
    recipe
        How patterns are prepared, of the preset's size; None for the usual one. A model to start
        from brings its own, and its signal mask loses what these scans do not fill.
    settings
        What to train, on how many patterns, and for how long.
    folder
        Of the training; see :func:`napari_kikuchi.training.train`.
    init
        A trained model whose weights to start from.
    resume
        Go on with the training that was stopped in the folder.
    watch
        Part of the first scan that is encoded after every validation; its latent maps are in
        ``live.npy`` in the folder, of shape (features, rows, columns).

    Yields
    ------
    Progress
        While patterns are prepared; then :class:`~napari_kikuchi.training.TrainingUpdate`, whose
        metrics are ``loss`` (nats per pixel), ``residual`` (root mean square of a pixel), ``kl``
        (nats per pattern), ``active_features`` and ``latent``.

    Returns
    -------
    pathlib.Path
        The best model.

    Raises
    ------
    ValueError
        If preset, recipe, model and scans do not fit together; the message says what differs.
    FileExistsError, FileNotFoundError, FloatingPointError
        See :func:`napari_kikuchi.training.train`.
    """
    check_folder(folder, resume=resume)
    watched = None if watch is None else _watched(scans[0], watch)
    started_from = None if init is None else _load_vae(init)
    architecture = _architecture(settings, started_from, init)
    recipe = _recipe(recipe, architecture, started_from)
    workers = Workers(settings.training)
    seed = settings.training.seed
    sample = yield from draw_sample(
        scans,
        recipe,
        settings.patterns_per_scan,
        seed,
        dtype=np.float16,
        adapt_mask=started_from is not None,
    )
    assert sample.recipe.mask is not None  # found or given by now
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        vae = Vae(architecture, sample.recipe.mask)
        warm_up = settings.kl_warm_up if started_from is None else 0
        objective = make_objective(
            settings.objective, vae, settings.likelihood, settings.beta, warm_up
        )
    data = _split(sample.patterns, settings)
    if started_from is not None:
        vae.load_state_dict(started_from.vae.state_dict())
    if not resume:
        yield Progress(0, 0, "Finding what to begin with")
        with torch_threads(settings.training.threads):
            vae.take_components(data.train, trained=started_from is not None)
            yield from _learn_overlap(vae, scans, sample, seed)
    live = None
    if watched is not None:
        live = _watch(scans[0], *watched, sample.preprocessors[0], Path(folder) / LIVE_FILE)
    origin = provenance(sample, settings.settings() | {"preset": architecture.name})
    if started_from is not None:
        origin["started from"] = dict(started_from.provenance)
    task = _VaeTask(settings.objective, objective, sample.recipe, origin, seed, live)
    training = settings.training
    if started_from is not None:
        rate = training.learning_rate * settings.adaptation_rate
        training = replace(training, learning_rate=rate)
    return (
        yield from train(
            task,
            data,
            training,
            folder,
            workers=workers,
            resume=resume,
            validate_first=started_from is not None,
        )
    )


def _learn_overlap(vae: Vae, scans: Sequence[Scan], sample: PatternSample, seed: int) -> Job[None]:
    """Learn from the neighbours of drawn patterns what overlap takes of their gain, if it has one.

    Where patterns were rescaled one by one, what overlap took is no longer missing.
    """
    encoder, decoder = vae.encoder, vae.decoder
    if not isinstance(encoder, PrincipalEncoder) or sample.recipe.rescale != "common":
        return
    assert isinstance(decoder, PrincipalDecoder)
    lessons = yield from gather_lessons(scans, sample, partial(shapes_of, encoder), seed)
    yield from teach(encoder.gain.overlap, lessons, seed)
    scale_gain(encoder, decoder, sample.patterns)


@dataclass(frozen=True, eq=False)
class _LiveMap:
    """Watched positions: the patterns there, and which of them there are."""

    patterns: NDArray[np.float16]
    present: NDArray[np.bool_]
    path: Path

    def write(self, features: NDArray[np.float32]) -> None:
        maps = np.full((features.shape[1], *self.present.shape), np.nan, np.float32)
        maps[:, self.present] = features.T
        with replacing(self.path) as partial, partial.open("wb") as file:
            np.save(file, maps)


def _watch(
    scan: Scan,
    positions: NDArray[np.intp],
    present: NDArray[np.bool_],
    preprocess: Preprocessor,
    path: Path,
) -> _LiveMap:
    """Read the patterns to watch, whose positions and place in the region are given."""
    patterns, count = np.empty((len(positions), *preprocess.recipe.size), np.float16), 0
    reading = PatternReading(scan, positions)
    for recorded in reading:
        patterns[count : count + len(recorded)] = preprocess(recorded)
        count += len(recorded)
    reading.warn("the region to watch")
    readable = present.copy()
    readable[present] = reading.readable
    return _LiveMap(patterns[:count], readable, path)


@dataclass(frozen=True, eq=False)
class _VaeTask:
    name: ObjectiveName
    module: VaeObjective
    recipe: Recipe
    provenance: Mapping[str, Any]
    seed: int
    live: _LiveMap | None

    def identity(self) -> dict[str, Any]:
        return {
            "preset": self.module.vae.architecture.name,
            "objective": self.name,
            "likelihood": self.module.likelihood,
            "beta": self.module.beta,
            "warm-up of the divergence": self.module.kl_warm_up,
            "scans": self.provenance["scans"],
            "recipe": self.recipe.settings(),
            "checksum of the signal mask": zlib.crc32(self.module.vae.mask.cpu().numpy().tobytes()),
        }

    def validate(self, batches: Iterator[Tensor]) -> Job[dict[str, Any]]:
        # The same noise each time, so that losses differ by what was learned only.
        generator = torch.Generator().manual_seed(self.seed)
        count, squared_error, kl, means = 0, 0.0, 0.0, []
        for batch in batches:
            with torch.inference_mode():
                evidence = self.module.evidence(batch, generator)
            count += len(batch)
            squared_error += float(evidence.squared_error) * len(batch)
            kl += float(evidence.kl.sum()) * len(batch)
            means.append(evidence.means.cpu())
            yield Progress(count, 0, "Validating")
        squared_error, kl = squared_error / count, kl / count
        variances = torch.cat(means).var(dim=0, correction=0)
        metrics = {
            "loss": float(self.module.loss(torch.tensor(squared_error), torch.tensor(kl))),
            "residual": squared_error**0.5,
            "kl": kl,
            "active_features": int((variances > ACTIVE_VARIANCE).sum()),
            "latent": len(variances),
        }
        yield from self._refresh_live_map()
        return metrics

    def save(self, path: Path, metrics: Mapping[str, Any]) -> None:
        origin = {**self.provenance, "metrics": dict(metrics)}
        VaeEncoder(self.module.vae, self.recipe, origin).save(path)

    def _refresh_live_map(self) -> Generator[Progress, None, None]:
        if self.live is None:
            return
        encoder = VaeEncoder(self.module.vae, self.recipe)
        parts, patterns = [], self.live.patterns
        for start in range(0, max(1, len(patterns)), 256):
            parts.append(encoder.encode(patterns[start : start + 256]))
            yield Progress(start, len(patterns), "Encoding the watched region")
        self.live.write(np.concatenate(parts))


def _load_vae(path: Path | str) -> VaeEncoder:
    encoder = load_encoder(path, device="cpu")
    if not isinstance(encoder, VaeEncoder):
        raise ValueError(
            f"{path}: training starts from a variational autoencoder, but this is a "
            f"{encoder.kind} encoder"
        )
    return encoder


def _architecture(
    settings: VaeTraining, started_from: VaeEncoder | None, path: Path | str | None
) -> Architecture:
    if started_from is None:
        return preset(settings.preset or DEFAULT_PRESET)
    if settings.preset is not None:
        asked, found = preset(settings.preset), started_from.architecture
        differing = [
            f"{name} {getattr(found, name)!r} in the model, {getattr(asked, name)!r} in the preset"
            for name in asdict(asked)
            if getattr(asked, name) != getattr(found, name)
        ]
        if differing:
            raise ValueError(
                f"{path}: this model is {found.name} and cannot start a training of "
                f"{settings.preset}: {'; '.join(differing)}. Leave the preset out to keep the "
                "model's."
            )
    return started_from.architecture


def _recipe(
    given: Recipe | None, architecture: Architecture, started_from: VaeEncoder | None
) -> Recipe:
    recipe = given or Recipe(size=architecture.size)
    if recipe.size != architecture.size:
        raise ValueError(
            f"{architecture.name} reads patterns of {architecture.size[0]} x "
            f"{architecture.size[1]} pixels, but the recipe bins them to {recipe.size[0]} x "
            f"{recipe.size[1]}. Leave the size to the preset, or choose another preset."
        )
    return recipe if started_from is None else started_from.recipe


def _split(patterns: NDArray, settings: VaeTraining) -> TrainingData:
    count = len(patterns)
    if count < 2:
        raise ValueError(f"{count} pattern to train on: there must be some to validate on as well")
    held_out = min(max(1, round(count * settings.validation_share)), settings.validation_most)
    order = np.random.default_rng(settings.training.seed).permutation(count)
    return TrainingData(patterns[order[held_out:]], patterns[order[:held_out]])


def _watched(scan: Scan, watch: Block) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Rows and columns of the patterns in a region, and where in it they are."""
    rows, cols = scan.map_shape
    clipped = replace(
        watch,
        rows=slice(*watch.rows.indices(rows)[:2]),
        cols=slice(*watch.cols.indices(cols)[:2]),
    )
    if min(clipped.shape) < 1:
        raise ValueError(
            f"{scan.name}: the region to watch, rows {watch.rows.start} to {watch.rows.stop} and "
            f"columns {watch.cols.start} to {watch.cols.stop}, lies outside the scan of {rows} "
            f"rows x {cols} columns"
        )
    present = scan.present_in(clipped)
    positions = np.argwhere(present) + np.array([clipped.rows.start, clipped.cols.start])
    if not 0 < len(positions) <= _MOST_WATCHED:
        raise ValueError(
            f"{scan.name}: the region to watch, rows {watch.rows.start} to {watch.rows.stop} and "
            f"columns {watch.cols.start} to {watch.cols.stop}, holds {len(positions)} patterns; "
            f"watch 1 to {_MOST_WATCHED}"
        )
    return positions, present
