"""A training on disk: all that is needed to go on with it as if it had never stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch

from napari_kikuchi.io.weights import read_tensors, write_tensors

_MODEL, _MOMENTS = "model/", "moments/"


@dataclass
class TrainingState:
    """Where a training is, beside its weights.

    Attributes
    ----------
    step
        Steps taken, over all sessions.
    seconds
        Time spent on steps and validations, over all sessions.
    validated_step
        Step of the last validation.
    best_loss
        Lowest validation loss.
    metrics
        What the last validation found.
    """

    step: int = 0
    seconds: float = 0.0
    validated_step: int | None = None
    best_loss: float | None = None
    metrics: dict[str, Any] = field(default_factory=dict)


class Stateful(Protocol):
    """An optimizer, as it is or as Fabric wraps it."""

    param_groups: list[dict[str, Any]]

    def state_dict(self) -> dict[str, Any]:
        """Moments by parameter, and parameter groups."""
        ...

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Put back what :meth:`state_dict` gave."""
        ...


def write_checkpoint(
    path: Path,
    module: torch.nn.Module,
    optimizer: Stateful,
    state: TrainingState,
    identity: Mapping[str, Any],
) -> None:
    """Write weights, the optimizer's moments and the state of a training.

    Parameters
    ----------
    path
        An older checkpoint of that name is replaced when the new one is complete.
    module, optimizer, state
        As they are now.
    identity
        What a training must share with this one to go on with it, fit for JSON.
    """
    tensors = {_MODEL + name: value for name, value in module.state_dict().items()}
    for index, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"{_MOMENTS}{index}/{name}": value for name, value in moments.items()}
    write_tensors(
        path,
        {name: value.detach().cpu().numpy() for name, value in tensors.items()},
        {"content": "checkpoint", "training": identity, "state": asdict(state)},
    )


def read_checkpoint(
    path: Path, module: torch.nn.Module, optimizer: Stateful, identity: Mapping[str, Any]
) -> TrainingState:
    """Put weights and moments back where they were, and return the state of the training.

    Raises
    ------
    ModelFileError
        If the file is no checkpoint, or is damaged.
    ValueError
        If the checkpoint is that of another training; the message says what differs.
    """
    tensors, header = read_tensors(path, content="checkpoint")
    # As JSON gives it back: lists for tuples.
    _check_same(path, header["training"], json.loads(json.dumps(identity)))
    parameters = [one for group in optimizer.param_groups for one in group["params"]]
    weights: dict[str, torch.Tensor] = {}
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in tensors.items():
        tensor = torch.from_numpy(value)
        if name.startswith(_MODEL):
            weights[name.removeprefix(_MODEL)] = tensor
        else:
            index, moment = name.removeprefix(_MOMENTS).split("/")
            moments.setdefault(int(index), {})[moment] = _laid_out_as(
                parameters[int(index)], tensor
            )
    module.load_state_dict(weights)
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
    return TrainingState(**header["state"])


def _laid_out_as(parameter: torch.Tensor, tensor: torch.Tensor) -> torch.Tensor:
    """A moment in the memory layout of its parameter.

    A file holds tensors row by row. A fused optimizer walks through the memory of a parameter and
    its moments side by side, and would pair the wrong elements where the channels come last.
    """
    if tensor.shape != parameter.shape:  # the count of steps
        return tensor
    return torch.empty_like(parameter, device="cpu", requires_grad=False).copy_(tensor)


def _check_same(path: Path, stopped: Mapping[str, Any], resumed: Mapping[str, Any]) -> None:
    # What a checkpoint does not tell, an older version did not know of.
    differing = [
        f"{name} was {value!r}, is {resumed.get(name)!r}"
        for name, value in stopped.items()
        if value != resumed.get(name)
    ]
    if differing:
        raise ValueError(
            f"{path}: cannot resume, because this is not the training that was stopped: "
            f"{'; '.join(differing)}. Use the same settings, or start anew in another folder."
        )
