"""The training loop itself."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_kikuchi.jobs import Progress
from napari_kikuchi.training import (
    CHECKPOINT_FILE,
    LOG_FILE,
    MODEL_FILE,
    Task,
    TrainingData,
    TrainingSettings,
    TrainingUpdate,
)
from napari_kikuchi.training.checkpoint import TrainingState, read_checkpoint, write_checkpoint
from napari_kikuchi.training.log import TrainingLog
from napari_kikuchi.training.muon import Muon
from napari_kikuchi.training.patterns import DevicePatterns
from napari_kikuchi.training.workers import Workers

if TYPE_CHECKING:
    from numpy.typing import NDArray

# An epoch may take minutes; whoever watches wants to see something before.
_MOST_STEPS_UNVALIDATED = 100
# Weight of the last step in the running mean of the speed.
_SPEED_WEIGHT = 0.05


class TrainingLoop:
    """A training between two yields: model, optimizer and state always agree.

    Parameters
    ----------
    task, data, settings, folder, workers, resume
        See :func:`napari_kikuchi.training.train`.
    """

    def __init__(
        self,
        task: Task,
        data: TrainingData,
        settings: TrainingSettings,
        folder: Path,
        workers: Workers,
        *,
        resume: bool,
    ) -> None:
        self.task = task
        self.settings = settings
        self.folder = folder
        self.workers = workers
        # Everyone's share of a batch is as large.
        most = min(settings.batch, len(data.train))
        self.batch = most - most % workers.count
        if not self.batch:
            raise ValueError(f"{workers.count} devices cannot share a batch of {most}: use fewer")
        self.steps_per_epoch = len(data.train) // self.batch
        self.validate_every = settings.validate_every or min(
            self.steps_per_epoch, _MOST_STEPS_UNVALIDATED
        )
        self.fabric = workers.fabric
        self.patterns = DevicePatterns(data.train, self.fabric.device)
        self.held_out = DevicePatterns(data.validation, self.fabric.device)
        self.module, self.optimizer = self.fabric.setup(
            task.module, _optimizer(settings, task.module)
        )
        self.state = TrainingState()
        self.log = TrainingLog(folder / LOG_FILE)
        if resume:
            self.state = read_checkpoint(
                folder / CHECKPOINT_FILE, task.module, self.optimizer, self._identity()
            )
            self.fabric.barrier()  # before the first writes another
            if workers.first:
                self.log.go_back_to(self.state.validated_step)
        elif workers.first:
            # A crash before the first validation, too, leaves what to go on from.
            self._write_checkpoint()
        self.losses: list[float] = []
        self.speed = 0.0

    def run(self, *, validate_first: bool) -> Generator[Progress, None, Path]:
        """Train until it is finished or closed; returns the file of the best model."""
        state, model = self.state, self.folder / MODEL_FILE
        try:
            while self._go_on():
                finished = self._share_done() >= 1
                due = finished or state.step % self.validate_every == 0
                if due and state.validated_step != state.step and (state.step or validate_first):
                    yield from self._validate_for_all()
                    if not self._go_on():
                        break
                if finished:
                    break
                self._step()
                yield self._update()
        except GeneratorExit:
            if self.workers.first:
                if not model.exists():
                    self.task.save(model, {})
                self._write_checkpoint()
                self._go_on(False)
            raise
        return model

    def _validate_for_all(self) -> Generator[Progress, None, None]:
        if not self.workers.first:
            return
        try:
            yield from self._validate()
        except Exception:
            self._go_on(False)
            raise

    def _go_on(self, wanted: bool = True) -> bool:
        """Whether the first process goes on; its time is that of all."""
        going_on, self.state.seconds = self.workers.agree(wanted, self.state.seconds)
        return going_on

    def _step(self) -> None:
        began = time.monotonic()
        settings, state = self.settings, self.state
        batch = self.patterns.take(self.workers.share(self._batch_indices()))
        # On the device: augmentation draws more noise than a processor makes in time.
        generator = torch.Generator(self.fabric.device)
        generator.manual_seed(_seed_of(settings.seed, state.step, self.workers.rank))
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate()
        self.module.train()
        self.optimizer.zero_grad()
        loss = self.module(batch, generator, state.step)
        self.fabric.backward(loss)
        norm: Any = self.fabric.clip_gradients(
            self.module, self.optimizer, max_norm=settings.clip, error_if_nonfinite=False
        )
        assert norm is not None  # given whenever there is a largest norm
        value, gradient = float(loss.detach()), float(norm)
        if not (math.isfinite(value) and math.isfinite(gradient)):
            raise FloatingPointError(
                f"at step {state.step + 1} the loss became {value}, its gradient {gradient:.3g}. "
                f"Lower the learning rate (now {settings.learning_rate}); {self.folder} keeps the "
                "best model so far and the last checkpoint."
            )
        self.optimizer.step()
        taken = time.monotonic() - began
        state.step += 1
        state.seconds += taken
        self.losses.append(value)
        speed = self.batch / taken
        self.speed += (speed - self.speed) * (_SPEED_WEIGHT if self.speed else 1)

    def _validate(self) -> Generator[Progress, None, None]:
        began = time.monotonic()
        state = self.state
        self.module.eval()
        metrics = yield from self.task.validate(self._validation_batches())
        loss = metrics["loss"]
        if not math.isfinite(loss):
            raise FloatingPointError(
                f"at step {state.step} the validation loss became {loss}. Lower the learning rate "
                f"(now {self.settings.learning_rate}); {self.folder} keeps the best model so far "
                "and the last checkpoint."
            )
        best = state.best_loss is None or loss < state.best_loss
        if best:
            state.best_loss = loss
            self.task.save(self.folder / MODEL_FILE, {**metrics, "step": state.step})
        state.validated_step, state.metrics = state.step, metrics
        state.seconds += time.monotonic() - began
        update = self._update(validation_loss=loss, best=best)
        # Before the checkpoint: what that does not know of is made again.
        self.log.note(update, state.seconds)
        self._write_checkpoint()
        self.losses.clear()
        yield update

    def _validation_batches(self) -> Iterator[torch.Tensor]:
        indices = np.arange(len(self.held_out))
        for start in range(0, len(indices), self.batch):
            yield self.held_out.take(indices[start : start + self.batch])

    def _batch_indices(self) -> NDArray[np.int64]:
        epoch, place = divmod(self.state.step, self.steps_per_epoch)
        order = _order_of(self.settings.seed, epoch, len(self.patterns))
        return order[place * self.batch : (place + 1) * self.batch]

    def _share_done(self) -> float:
        """Part of the training that is done, from 0 to 1."""
        settings, state = self.settings, self.state
        shares = []
        if settings.epochs is not None:
            shares.append(state.step / (settings.epochs * self.steps_per_epoch))
        if settings.minutes is not None:
            shares.append(state.seconds / (60 * settings.minutes))
        return min(1.0, max(shares))

    def _learning_rate(self) -> float:
        rising = min(1.0, (self.state.step + 1) / max(1, self.settings.warm_up))
        falling = 0.5 * (1 + math.cos(math.pi * self._share_done()))
        return self.settings.learning_rate * rising * falling

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

    def _identity(self) -> dict[str, Any]:
        return {
            **self.task.identity(),
            "batch": self.batch,
            "learning rate": self.settings.learning_rate,
            "optimizer": self.settings.optimizer,
            "seed": self.settings.seed,
            "patterns": len(self.patterns),
        }

    def _write_checkpoint(self) -> None:
        path = self.folder / CHECKPOINT_FILE
        write_checkpoint(path, self.task.module, self.optimizer, self.state, self._identity())


@lru_cache(maxsize=1)
def _order_of(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, epoch]).permutation(count)


def _optimizer(settings: TrainingSettings, module: torch.nn.Module) -> torch.optim.Optimizer:
    if settings.optimizer == "muon":
        return Muon(module.parameters(), settings.learning_rate)
    return torch.optim.Adam(module.parameters(), settings.learning_rate, fused=True)


def _seed_of(seed: int, step: int, rank: int) -> int:
    """A seed for the noise of one process in one step, unrelated to that of others."""
    state = np.random.SeedSequence([seed, step, rank]).generate_state(1, np.uint64)[0]
    return int(state >> np.uint64(1))
