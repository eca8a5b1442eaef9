"""One training loop for every model: devices, checkpoints, progress, stop and resume.

The loop knows nothing of the model. Batch order and noise are functions of the seed and the
step, so that a training which was stopped and resumed ends where an uninterrupted one ends (bit
for bit on a processor).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from napari_kikuchi.devices import memory_told, torch_threads
from napari_kikuchi.io.output import sole_writer
from napari_kikuchi.jobs import Job, Progress

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from napari_kikuchi.training.workers import Workers

MODEL_FILE = "model.safetensors"
CHECKPOINT_FILE = "checkpoint.safetensors"
LOG_FILE = "log.jsonl"


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
        At its highest: reached within ``warm_up`` steps, then lowered along half a cosine
        to nothing at the end of the training, which in a small budget is worth more than any
        constant rate.
    optimizer
        ``"adam"``, or ``"muon"``, which takes a few small products of matrices more for each weight
        and a fraction of the steps where networks are of convolutions and batches small.
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
    devices
        How many of that kind, in this machine, share every batch. For each but the first, the
        running command or script is started once more, all that it does after the training
        included; see :class:`~napari_kikuchi.training.workers.Workers`.
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
    optimizer: Literal["adam", "muon"] = "adam"
    warm_up: int = 100
    clip: float = 1.0
    validate_every: int | None = None
    seed: int = 0
    device: str = "auto"
    devices: int = 1
    precision: str = "auto"
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.epochs is None and self.minutes is None:
            raise ValueError("a training needs an end: give epochs, minutes, or both")
        if self.optimizer not in ("adam", "muon"):
            raise ValueError(f"the optimizer is adam or muon, not {self.optimizer}")
        for name in (
            "epochs",
            "minutes",
            "batch",
            "learning_rate",
            "clip",
            "validate_every",
            "devices",
        ):
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
        Mean since the last validation; of the first device's share of each batch.
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
        """Called with a batch, a generator of noise on its device and the step; the loss."""
        ...

    def identity(self) -> Mapping[str, Any]:
        """What a checkpoint must agree with to be resumed, fit for JSON."""
        ...

    def validate(self, batches: Iterator[torch.Tensor]) -> Job[dict[str, Any]]:
        """Metrics over the validation patterns, fit for JSON; ``"loss"`` decides what is best."""
        ...

    def save(self, path: Path, metrics: Mapping[str, Any]) -> None:
        """Write the model as it is now."""
        ...


def train(
    task: Task,
    data: TrainingData,
    settings: TrainingSettings,
    folder: Path | str,
    *,
    workers: Workers | None = None,
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
    workers
        Gathered before the patterns were prepared, since each begins the command anew; None:
        gathered now.
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
    DeviceMemoryError
        If the device has too little memory.
    OutputInUseError, DiskFullError
        See :func:`~napari_kikuchi.io.output.sole_writer`.
    """
    from napari_kikuchi.training.loop import TrainingLoop
    from napari_kikuchi.training.workers import Workers

    check_folder(folder, resume=resume)
    if not len(data.train) or not len(data.validation):
        raise ValueError(
            f"{len(data.train)} patterns to learn from and {len(data.validation)} to validate on: "
            "there must be at least one of each"
        )
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    workers = workers or Workers(settings)
    # The first process alone writes.
    with (
        sole_writer(folder) if workers.first else nullcontext(),
        torch_threads(settings.threads),
        memory_told(
            workers.fabric.device.type,
            f"to train with {settings.batch} patterns at a time",
            f"train a smaller preset elsewhere; {folder} keeps the best model so far and the last "
            "checkpoint",
        ),
    ):
        loop = TrainingLoop(task, data, settings, folder, workers, resume=resume)
        return (yield from loop.run(validate_first=validate_first))


def check_folder(folder: Path | str, *, resume: bool) -> None:
    """Check that a training can start, or go on, in a folder: before anything long is done.

    Raises
    ------
    FileExistsError
        If the folder holds a training that is not to be resumed.
    FileNotFoundError
        If there is nothing to resume.
    """
    folder = Path(folder)
    if resume and not (folder / CHECKPOINT_FILE).is_file():
        raise FileNotFoundError(
            f"{folder}: no {CHECKPOINT_FILE} to resume from. Start the training without resume."
        )
    existing = [name for name in (CHECKPOINT_FILE, MODEL_FILE) if (folder / name).exists()]
    if existing and not resume:
        raise FileExistsError(
            f"{folder}: holds a training already ({', '.join(existing)}). Resume it, or choose "
            "another folder."
        )
