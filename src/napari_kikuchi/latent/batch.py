"""How many patterns go through a network at a time."""

from __future__ import annotations

import warnings

import torch

from napari_kikuchi.jobs import JobWarning


class Batch:
    """A number of patterns that becomes smaller where a device has no memory for it.

    Parameters
    ----------
    size
        To begin with.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._told = False

    def make_smaller(self, than: int) -> None:
        """Halve the number, unless another thread has done so already; say so once.

        Parameters
        ----------
        than
            How many were too many.
        """
        self.size = min(self.size, max(1, than // 2))
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if not self._told:
            self._told = True
            warnings.warn(
                f"The device has too little memory for {than} patterns at a time: going on with "
                "fewer, which may take longer. Does another program use it?",
                JobWarning,
                stacklevel=4,
            )
