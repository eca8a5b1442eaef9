"""Where neural networks run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

# In the environment of processes that help another with a training, and of that other.
HELPERS = "NAPARI_KIKUCHI_HELPERS"

# What torch says in errors of no kind of their own: on processors, Apple's GPUs, and NVIDIA's when
# they are first used.
_OUT_OF_MEMORY = (
    "DefaultCPUAllocator:",
    "MPS backend out of memory",
    "CUDA error: out of memory",
)


class DeviceMemoryError(MemoryError):
    """A device with too little memory for what it is asked to do."""


def out_of_memory(error: RuntimeError) -> bool:
    """Whether an error of torch says that a device has no memory left."""
    import torch

    return isinstance(error, torch.OutOfMemoryError) or any(
        text in str(error) for text in _OUT_OF_MEMORY
    )


@contextmanager
def memory_told(device: str, task: str, remedy: str) -> Iterator[None]:
    """Tell what to do where a device has no memory left.

    Parameters
    ----------
    device
        Its name.
    task
        For what it needs the memory, as in "to train".
    remedy
        What can be done beside closing other programs and taking another device.

    Raises
    ------
    DeviceMemoryError
        For torch's errors of memory; others stay as they are.
    """
    try:
        yield
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
        other = "" if device == "cpu" else ", choose another device (--device cpu)"
        raise DeviceMemoryError(
            f"{device} has too little memory {task}. Close other programs that use it{other} or "
            f"{remedy}."
        ) from error


def pick_device(name: str = "auto") -> str:
    """Name of the device to use.

    Parameters
    ----------
    name
        ``"cuda"``, ``"mps"``, ``"cpu"``, or ``"auto"`` for the first of these that is there.

    Raises
    ------
    ValueError
        If there is no such device.
    """
    import torch

    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    available = [device for device, is_there in there.items() if is_there]
    if name == "auto":
        return available[0]
    if name not in available:
        raise ValueError(
            f"device {name!r} is not available to torch here; choose {', '.join(available)} or auto"
        )
    return name


@dataclass(frozen=True)
class Launched:
    """Processes that a launcher has begun together, to train one model: see :func:`launched`.

    Attributes
    ----------
    by
        ``"torchrun"`` or ``"slurm"``.
    rank
        Number of this process among all.
    here
        How many there are on each node.
    nodes
        How many nodes.
    """

    by: Literal["torchrun", "slurm"]
    rank: int
    here: int
    nodes: int


def launched() -> Launched | None:
    """The processes that torchrun or SLURM's srun has begun together; None if this one is alone."""
    told = os.environ
    if "TORCHELASTIC_RUN_ID" in told:
        here, all_of_them = int(told["LOCAL_WORLD_SIZE"]), int(told["WORLD_SIZE"])
        return Launched("torchrun", int(told["RANK"]), here, all_of_them // here)
    # Of a step of srun alone: the script that calls it knows of the tasks, too, but is no task.
    tasks = int(told.get("SLURM_STEP_NUM_TASKS", "1"))
    if tasks > 1:
        nodes = int(told["SLURM_STEP_NUM_NODES"])
        return Launched("slurm", int(told["SLURM_PROCID"]), tasks // nodes, nodes)
    return None


def helps_another() -> bool:
    """Whether this process is one of several that train together, and not the first."""
    together = launched()
    if together is not None:
        return together.rank > 0
    return HELPERS in os.environ and os.environ.get("LOCAL_RANK", "0") != "0"


@contextmanager
def torch_threads(count: int | None) -> Iterator[None]:
    """Let torch use so many threads of the processor; None: as many as before."""
    import torch

    before = torch.get_num_threads()
    try:
        if count is not None:
            torch.set_num_threads(count)
        yield
    finally:
        torch.set_num_threads(before)
