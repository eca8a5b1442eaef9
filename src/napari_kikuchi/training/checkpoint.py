"""A training on disk: all that is needed to go on with it as if it had never stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch

from napari_kikuchi.io.weights import damage_told, read_tensors, write_tensors
from napari_kikuchi.untrusted import integer, mapping, number, shown

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
    with damage_told(path):
        training = mapping(header.get("training"), "the training")
        state = _state(header.get("state"))
    # As JSON gives it back: lists for tuples.
    _check_same(path, training, json.loads(json.dumps(identity)))
    parameters = [one for group in optimizer.param_groups for one in group["params"]]
    weights: dict[str, torch.Tensor] = {}
    moments: dict[int, dict[str, torch.Tensor]] = {}
    with damage_told(path):
        for name, value in tensors.items():
            tensor = torch.from_numpy(value)
            if name.startswith(_MODEL):
                weights[name.removeprefix(_MODEL)] = tensor
            else:
                index, moment = _place(name, len(parameters))
                of_parameter = _laid_out_as(parameters[index], tensor)
                moments.setdefault(index, {})[moment] = of_parameter
        _check_shapes(weights, module)
    module.load_state_dict(weights)
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
    return state


def _state(found: Any) -> TrainingState:
    state = mapping(found, "the state of the training")
    validated, best = state.get("validated_step"), state.get("best_loss")
    return TrainingState(
        step=integer(state.get("step"), "the steps taken"),
        seconds=number(state.get("seconds"), "the time spent", 0),
        validated_step=None if validated is None else integer(validated, "the last validation"),
        best_loss=None if best is None else number(best, "the lowest loss"),
        metrics=dict(mapping(state.get("metrics"), "the metrics")),
    )


def _place(name: str, count: int) -> tuple[int, str]:
    """Number of a parameter, and which of its moments a tensor is."""
    index, _, moment = name.removeprefix(_MOMENTS).partition("/")
    known = name.startswith(_MOMENTS) and index.isdecimal() and len(index) < 10 and moment
    if not known or int(index) >= count:
        raise ValueError(f"expected moments of {count} parameters, found a tensor {shown(name)}")
    return int(index), moment


def _check_shapes(weights: Mapping[str, torch.Tensor], module: torch.nn.Module) -> None:
    expected = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in weights.items()}
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise ValueError(
                f"expected weights {shown(name)} of shape {expected.get(name)}, found "
                f"{found.get(name)}"
            )


def _laid_out_as(parameter: torch.Tensor, tensor: torch.Tensor) -> torch.Tensor:
    """A moment in the memory layout of its parameter.

    A file holds tensors row by row. A fused optimizer walks through the memory of a parameter and
    its moments side by side, and would pair the wrong elements where the channels come last.
    """
    if tensor.shape != parameter.shape and tensor.numel() == 1:  # the count of steps
        return tensor
    if tensor.shape != parameter.shape:
        raise ValueError(
            f"expected moments of shape {tuple(parameter.shape)}, found {tuple(tensor.shape)}"
        )
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
