"""One training loop for every model: devices, checkpoints, progress, stop and resume.

The loop knows nothing of the model. Batch order and noise are functions of the seed and the
step, so that a training which was stopped and resumed ends where an uninterrupted one ends (bit
for bit on a processor).
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch

from napari_kikuchi.devices import pick_device
from napari_kikuchi.io.weights import read_tensors, write_tensors
from napari_kikuchi.jobs import Job, Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

MODEL_FILE = "model.safetensors"
CHECKPOINT_FILE = "checkpoint.safetensors"
LOG_FILE = "log.jsonl"

_MODEL, _MOMENT = "model/", "adam/"


@dataclass(frozen=True)
class TrainingSettings:
    """How long and how to train.

    Attributes
    ----------
    epochs, minutes
        When to stop: after so many passes over the patterns, or so many minutes of training over
        all sessions, whichever comes first; None for no such limit.
    batch
        Patterns in a batch.
    learning_rate
        Of Adam at its highest: reached within ``warm_up`` steps, then lowered along half a cosine
        to nothing at the end of the training, which in a small budget is worth more than any
        constant rate.
    warm_up
        Steps.
    clip
        Largest norm of a gradient.
    validate_every
        Steps between validations; None for an epoch, or 100 steps where an epoch is longer.
    seed
        Of batch order and noise.
    device
        ``"cuda"``, ``"mps"``, ``"cpu"`` or ``"auto"``.
    precision
        As Lightning Fabric names them; ``"auto"`` is bfloat16 mixed precision on CUDA, and single
        precision elsewhere.
    threads
        Of torch on a processor; None leaves the caller's choice alone.
    """

    epochs: int | None = 50
    minutes: float | None = None
    batch: int = 128
    learning_rate: float = 1e-3
    warm_up: int = 100
    clip: float = 1.0
    validate_every: int | None = None
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.epochs is None and self.minutes is None:
            raise ValueError("a training needs an end: give epochs, minutes, or both")
        for name in ("epochs", "minutes", "batch", "learning_rate", "clip", "validate_every"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"{name} must be more than 0, not {value}")


@dataclass(frozen=True)
class TrainingUpdate(Progress):
    """How far a training is; one for every step and every validation.

    Attributes
    ----------
    epoch, epochs
        The current one, counted from 1, and how many there will be; None if only time ends it.
    step
        Steps taken, over all sessions.
    train_loss
        Mean since the last validation.
    validation_loss
        Of the validation just made; None between validations.
    metrics
        All that the last validation found.
    patterns_per_second
        Speed of training, without validation.
    best
        Whether the validation just made is the best so far.
    """

    epoch: int = 1
    epochs: int | None = None
    step: int = 0
    train_loss: float | None = None
    validation_loss: float | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)
    patterns_per_second: float = 0.0
    best: bool = False


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Patterns in memory, any float type; the first axis counts them."""

    train: NDArray
    validation: NDArray


class Task(Protocol):
    """What is trained: a model and its objective."""

    @property
    def module(self) -> torch.nn.Module:
        """Called with a batch and a generator of noise on the processor; returns the loss."""
        ...

    def signature(self) -> Mapping[str, Any]:
        """What a checkpoint must agree with to be resumed, fit for JSON."""
        ...

    def validate(self, batches: Iterator[torch.Tensor]) -> Job[dict[str, Any]]:
        """Metrics over the validation patterns, fit for JSON; ``"loss"`` decides what is best."""
        ...

    def save(self, path: Path, metrics: Mapping[str, Any]) -> None:
        """Write the model as it is now."""
        ...


@dataclass
class _State:
    """Where a training is; all of it goes into a checkpoint."""

    step: int = 0
    seconds: float = 0.0
    validated_step: int | None = None
    best_loss: float | None = None
    metrics: dict[str, Any] = field(default_factory=dict)


def train(
    task: Task,
    data: TrainingData,
    settings: TrainingSettings,
    folder: Path | str,
    *,
    resume: bool = False,
    validate_first: bool = False,
) -> Generator[Progress, None, Path]:
    """Train a model.

    Closing the generator stops the training and writes a checkpoint. The best model so far lies
    in the folder at any time after the first validation, or after a stop.

    Parameters
    ----------
    task
        Model and objective.
    data
        Patterns to learn from and to validate on.
    settings
        How long and how.
    folder
        For ``model.safetensors`` (the best so far), ``checkpoint.safetensors`` (from which to
        resume) and ``log.jsonl`` (a line for every validation).
    resume
        Go on from the folder's checkpoint.
    validate_first
        Validate before the first step, so that a trained model from which training starts is
        kept until something better is found.

    Yields
    ------
    TrainingUpdate
        After every step and every validation; plain progress while validating.

    Returns
    -------
    pathlib.Path
        The best model.

    Raises
    ------
    FileExistsError
        If the folder holds a training and is not to be resumed.
    FileNotFoundError
        If there is nothing to resume.
    ValueError
        If the checkpoint is that of another training, or there are no patterns.
    FloatingPointError
        If the loss is no longer a number.
    """
    folder = Path(folder)
    _check_folder(folder, resume)
    if not len(data.train) or not len(data.validation):
        raise ValueError(
            f"{len(data.train)} patterns to learn from and {len(data.validation)} to validate on: "
            "there must be at least one of each"
        )
    threads = torch.get_num_threads()
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    try:
        return (yield from _Loop(task, data, settings, folder, resume).run(validate_first))
    finally:
        torch.set_num_threads(threads)


class _Loop:
    def __init__(
        self,
        task: Task,
        data: TrainingData,
        settings: TrainingSettings,
        folder: Path,
        resume: bool,
    ) -> None:
        from lightning_fabric import Fabric

        device = pick_device(settings.device)
        precision = settings.precision
        if precision == "auto":
            precision = "bf16-mixed" if device == "cuda" else "32-true"
        self.task = task
        self.data = data
        self.settings = settings
        self.folder = folder
        self.batch = min(settings.batch, len(data.train))
        self.steps_per_epoch = len(data.train) // self.batch
        self.validate_every = settings.validate_every or min(self.steps_per_epoch, 100)
        self.fabric = Fabric(accelerator=device, devices=1, precision=precision)  # type: ignore[arg-type]
        adam = torch.optim.Adam(task.module.parameters(), lr=settings.learning_rate, fused=True)
        self.module, self.optimizer = self.fabric.setup(task.module, adam)
        self.state = self._restore() if resume else _State()
        self.losses: list[float] = []
        self.speed = 0.0

    def run(self, validate_first: bool) -> Generator[Progress, None, Path]:
        state, model = self.state, self.folder / MODEL_FILE
        try:
            while True:
                finished = self._finished()
                if (
                    state.validated_step != state.step
                    and (finished or state.step % self.validate_every == 0)
                    and (state.step or validate_first)
                ):
                    yield from self._validate()
                if finished:
                    return model
                self._step()
                yield self._update()
        except GeneratorExit:
            if not model.exists():
                self.task.save(model, {})
            self._write_checkpoint()
            raise

    def _step(self) -> None:
        began = time.monotonic()
        state = self.state
        batch = self._to_device(self.data.train[self._indices(state.step)])
        generator = torch.Generator().manual_seed(_mixed(self.settings.seed, state.step))
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate()
        self.module.train()
        self.optimizer.zero_grad()
        loss = self.module(batch, generator)
        self.fabric.backward(loss)
        self.fabric.clip_gradients(self.module, self.optimizer, max_norm=self.settings.clip)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise FloatingPointError(
                f"the loss became {value} at step {state.step + 1}. Lower the learning rate "
                f"(now {self.settings.learning_rate}). {self.folder} keeps the best model so far "
                "and the last checkpoint."
            )
        self.optimizer.step()
        state.step += 1
        self.losses.append(value)
        taken = time.monotonic() - began
        state.seconds += taken
        # A running mean over about twenty steps.
        now = len(batch) / taken
        self.speed = 0.95 * self.speed + 0.05 * now if self.speed else now

    def _validate(self) -> Generator[Progress, None, None]:
        began = time.monotonic()
        state = self.state
        self.module.eval()
        metrics = yield from self.task.validate(self._validation_batches())
        better = state.best_loss is None or metrics["loss"] < state.best_loss
        if better:
            state.best_loss = metrics["loss"]
            self.task.save(self.folder / MODEL_FILE, metrics | {"step": state.step})
        state.validated_step, state.metrics = state.step, metrics
        state.seconds += time.monotonic() - began
        self._write_checkpoint()
        update = self._update(validation_loss=metrics["loss"], best=better)
        self._log(update)
        self.losses.clear()
        yield update

    def _validation_batches(self) -> Iterator[torch.Tensor]:
        for start in range(0, len(self.data.validation), self.batch):
            yield self._to_device(self.data.validation[start : start + self.batch])

    def _to_device(self, patterns: NDArray) -> torch.Tensor:
        return torch.from_numpy(patterns).to(self.fabric.device).float()

    def _indices(self, step: int) -> NDArray[np.int64]:
        epoch, place = divmod(step, self.steps_per_epoch)
        order = _order(self.settings.seed, epoch, len(self.data.train))
        return np.sort(order[place * self.batch : (place + 1) * self.batch])

    def _share_done(self) -> float:
        """Part of the training that is done, from 0 to 1."""
        settings, state = self.settings, self.state
        shares = []
        if settings.epochs is not None:
            shares.append(state.step / (settings.epochs * self.steps_per_epoch))
        if settings.minutes is not None:
            shares.append(state.seconds / (60 * settings.minutes))
        return min(1.0, max(shares))

    def _finished(self) -> bool:
        return self._share_done() >= 1

    def _learning_rate(self) -> float:
        warm = min(1.0, (self.state.step + 1) / max(1, self.settings.warm_up))
        falling = 0.5 * (1 + math.cos(math.pi * self._share_done()))
        return self.settings.learning_rate * warm * falling

    def _update(self, validation_loss: float | None = None, best: bool = False) -> TrainingUpdate:
        state, epochs = self.state, self.settings.epochs
        epoch = max(0, state.step - 1) // self.steps_per_epoch + 1
        return TrainingUpdate(
            done=round(1000 * self._share_done()),
            total=1000,
            message=f"Training, epoch {epoch}" + ("" if epochs is None else f" of {epochs}"),
            epoch=epoch,
            epochs=epochs,
            step=state.step,
            train_loss=float(np.mean(self.losses)) if self.losses else None,
            validation_loss=validation_loss,
            metrics=state.metrics,
            patterns_per_second=self.speed,
            best=best,
        )

    def _log(self, update: TrainingUpdate) -> None:
        line = {
            "epoch": update.epoch,
            "step": update.step,
            "seconds": round(self.state.seconds, 1),
            "patterns_per_second": round(update.patterns_per_second, 1),
            "train_loss": update.train_loss,
            "best": update.best,
            "validation": dict(update.metrics),
        }
        with (self.folder / LOG_FILE).open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")

    def _resumable(self) -> dict[str, Any]:
        """What a resumed training must have in common with the one that was stopped."""
        return {
            **self.task.signature(),
            "batch": self.batch,
            "learning rate": self.settings.learning_rate,
            "seed": self.settings.seed,
            "patterns": len(self.data.train),
        }

    def _write_checkpoint(self) -> None:
        tensors = {
            _MODEL + name: value.detach().cpu().numpy()
            for name, value in self.task.module.state_dict().items()
        }
        for index, moments in self.optimizer.state_dict()["state"].items():
            for name, value in moments.items():
                tensors[f"{_MOMENT}{index}/{name}"] = value.detach().cpu().numpy()
        header = {
            "content": "checkpoint",
            "training": self._resumable(),
            "state": vars(self.state),
        }
        write_tensors(self.folder / CHECKPOINT_FILE, tensors, header)

    def _restore(self) -> _State:
        path = self.folder / CHECKPOINT_FILE
        tensors, header = read_tensors(path, content="checkpoint")
        _check_same(path, header["training"], json.loads(json.dumps(self._resumable())))
        model: dict[str, torch.Tensor] = {}
        moments: dict[int, dict[str, torch.Tensor]] = {}
        for name, value in tensors.items():
            tensor = torch.from_numpy(value)
            if name.startswith(_MODEL):
                model[name.removeprefix(_MODEL)] = tensor
            else:
                index, moment = name.removeprefix(_MOMENT).split("/")
                moments.setdefault(int(index), {})[moment] = tensor
        self.task.module.load_state_dict(model)
        adam = self.optimizer.state_dict()
        self.optimizer.load_state_dict({**adam, "state": moments})
        return _State(**header["state"])


@lru_cache(maxsize=1)
def _order(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, epoch]).permutation(count)


def _mixed(seed: int, step: int) -> int:
    """A seed for one step: neighbouring steps and seeds share nothing."""
    return int(np.random.SeedSequence([seed, step]).generate_state(1, np.uint64)[0] >> 1)


def _check_folder(folder: Path, resume: bool) -> None:
    checkpoint = folder / CHECKPOINT_FILE
    if resume and not checkpoint.is_file():
        raise FileNotFoundError(
            f"{folder}: no {CHECKPOINT_FILE} to resume from. Start the training without resume."
        )
    existing = [name for name in (CHECKPOINT_FILE, MODEL_FILE) if (folder / name).exists()]
    if existing and not resume:
        raise FileExistsError(
            f"{folder}: holds a training already ({', '.join(existing)}). Resume it, or choose "
            "another folder."
        )
    folder.mkdir(parents=True, exist_ok=True)


def _check_same(path: Path, stopped: Mapping[str, Any], resumed: Mapping[str, Any]) -> None:
    differing = [
        f"{name} was {stopped.get(name)!r}, is {resumed.get(name)!r}"
        for name in dict.fromkeys([*stopped, *resumed])
        if stopped.get(name) != resumed.get(name)
    ]
    if differing:
        raise ValueError(
            f"{path}: cannot resume, because this is not the training that was stopped: "
            f"{'; '.join(differing)}. Use the same settings, or start anew in another folder."
        )
