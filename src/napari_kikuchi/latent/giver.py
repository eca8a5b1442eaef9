"""How an encoder comes to those that work with it, in this process or in another."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from napari_kikuchi.latent.encoder import Encoder, load_encoder


class Giver(Protocol):
    """Gives an encoder, wherever it is asked."""

    def __call__(self) -> Encoder:
        """The encoder."""
        ...


def given_to(executor: Executor | None, encoder: Encoder, file: Path) -> Giver:
    """What gives the encoder to tasks: itself here, for other processes a file.

    Parameters
    ----------
    executor
        What runs the tasks; None: threads of this process.
    encoder
        May be larger than a block, so it does not travel with each.
    file
        For the encoder, written if other processes need it: within reach of all workers, and where
        it is removed with what they work on, see :attr:`.Unfinished.model`.
    """
    if executor is None:
        return _Here(encoder)
    encoder.save(file)
    return _Elsewhere(file.absolute(), encoder.stored().digest())


@dataclass(frozen=True, eq=False)
class _Here:
    encoder: Encoder

    def __call__(self) -> Encoder:
        return self.encoder


@dataclass(frozen=True)
class _Elsewhere:
    model: Path
    weights: str

    def __call__(self) -> Encoder:
        return _load_once(self.model, self.weights)


@lru_cache(maxsize=1)
def _load_once(model: Path, weights: str) -> Encoder:
    """The encoder of a file.

    Raises
    ------
    ValueError
        If it has other weights: whoever asks works for a job that has ended.
    """
    encoder = load_encoder(model)
    if encoder.stored().digest() != weights:
        raise ValueError(
            f"{model}: expected the model that this job began with, found another. Another job has "
            "begun anew here: wait until it is done, or write to another name."
        )
    return encoder
