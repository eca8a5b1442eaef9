"""Patterns where a training reads them: on the device if they fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Part of a device's free memory that patterns may take; weights and activations need the rest.
_SHARE = 0.5


class DevicePatterns:
    """Patterns from which batches are taken.

    Parameters
    ----------
    patterns
        In memory, any float type; the first axis counts them.
    device
        Of the training. A GPU gets all patterns once if half of its free memory takes them:
        a batch is then gathered there, and nothing waits for the processor.
    """

    def __init__(self, patterns: NDArray, device: torch.device) -> None:
        self.device = device
        self._patterns = torch.from_numpy(patterns)
        if device.type == "cuda" and self._patterns.nbytes < _SHARE * _free_bytes(device):
            self._patterns = self._patterns.to(device)

    def __len__(self) -> int:
        return len(self._patterns)

    def take(self, indices: NDArray) -> torch.Tensor:
        """Some of the patterns in single precision, on the device."""
        chosen = torch.from_numpy(indices).to(self._patterns.device)
        return self._patterns[chosen].to(self.device).float()


def _free_bytes(device: torch.device) -> int:
    return torch.cuda.mem_get_info(device)[0]
