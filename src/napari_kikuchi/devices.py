"""Where neural networks run."""

from __future__ import annotations


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
