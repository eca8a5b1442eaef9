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


def computes_bfloat16(device: str) -> bool:
    """Whether a device multiplies in bfloat16 itself, and does not only imitate it, slowly."""
    import torch

    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device == "cpu":
        # An older torch does not tell.
        known: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
        return bool(known.get("avx512_bf16") or known.get("amx_bf16"))
    return False
