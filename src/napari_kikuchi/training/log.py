"""The log of a training: one line of JSON for every validation."""

from __future__ import annotations

import json
from pathlib import Path

from napari_kikuchi.io.atomic import replacing
from napari_kikuchi.training import TrainingUpdate


class TrainingLog:
    """Grows by a line with every validation.

    Parameters
    ----------
    path
        Of the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def note(self, update: TrainingUpdate, seconds: float) -> None:
        """Add a validation.

        Parameters
        ----------
        update
            That told of it.
        seconds
            Time spent on the training so far.
        """
        line = {
            "epoch": update.epoch,
            "step": update.step,
            "seconds": round(seconds, 1),
            "patterns_per_second": round(update.patterns_per_second, 1),
            "train_loss": update.train_loss,
            "best": update.best,
            "validation": dict(update.metrics),
        }
        with self.path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")

    def go_back_to(self, step: int | None) -> None:
        """Keep the validations up to a step; None if there were none.

        A crash may have left one that the checkpoint does not know of, or a part of its line.
        """
        if not self.path.exists():
            return
        lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True)
        known = [line for line in lines if _is_known(line, -1 if step is None else step)]
        if known != lines:
            with replacing(self.path) as partial:
                partial.write_text("".join(known), encoding="utf-8")


def _is_known(line: str, step: int) -> bool:
    try:
        return json.loads(line)["step"] <= step
    except ValueError:
        return False
