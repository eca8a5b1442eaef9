"""Where neural networks run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

# In the environment of processes that help another with a training, and of that other.
HELPERS = "NAPARI_KIKUCHI_HELPERS"


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


def helps_another() -> bool:
    """Whether this process was started by another to help it with a training."""
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
