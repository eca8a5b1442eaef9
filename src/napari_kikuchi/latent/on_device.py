"""Patterns that are prepared on the device where a network runs.

They are sent as recorded, so that the processor does nothing but read them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn.functional import avg_pool2d

from napari_kikuchi.devices import memory_told
from napari_kikuchi.images import area_weights
from napari_kikuchi.preprocess import Preprocessor
from napari_kikuchi.rescaling import rescaled

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


def prepared_on(
    device: str, preprocessor: Preprocessor, pieces: Iterable[NDArray]
) -> tuple[Tensor, Tensor]:
    """What :meth:`Preprocessor.with_contrast` gives, worked out on a device and left there.

    Parameters
    ----------
    device
        Name that torch knows.
    preprocessor
        Fitted to the scan.
    pieces
        Patterns as recorded, each of shape (n, height, width).

    Returns
    -------
    prepared, contrast
        Of all pieces, of shape (patterns, *size) and (patterns,).

    Raises
    ------
    DeviceMemoryError
        If the device has too little memory.
    """
    mask, size = preprocessor.mask, preprocessor.recipe.size
    with memory_told(device, "to prepare patterns", "bin them to fewer pixels"):
        pixels = torch.from_numpy(np.flatnonzero(mask)).to(device)
        background = torch.from_numpy(preprocessor.background[mask]).to(device)
        binned = torch.cat([_binned(_sent(piece, device), size) for piece in pieces])
        inside = binned.flatten(1)[:, pixels]
        values, contrast = rescaled(inside, background, preprocessor.level, preprocessor.recipe)
        prepared = torch.zeros_like(binned)
        prepared.flatten(1)[:, pixels] = values
    return prepared, contrast


@contextmanager
def own_queue(device: str) -> Iterator[None]:
    """Let a thread's copies to a device go on while the device works for other threads."""
    if torch.device(device).type != "cuda":
        yield
        return
    if not hasattr(_of_thread, "queue"):
        _of_thread.queue = torch.cuda.Stream(device)
    with torch.cuda.stream(_of_thread.queue):
        yield


_of_thread = threading.local()


def _sent(patterns: NDArray, device: str) -> Tensor:
    """Patterns on a device, as float32."""
    native = np.ascontiguousarray(patterns, patterns.dtype.newbyteorder("="))
    # Not every device knows unsigned numbers of two bytes, or floating point of eight.
    unsigned = native.dtype == np.uint16
    if native.dtype == np.float64:
        native = native.astype(np.float32)
    values = torch.from_numpy(native.view(np.int16) if unsigned else native)
    fetches = torch.device(device).type == "cuda"
    if fetches:
        # From memory that stays where it is, a device fetches while this thread reads on. torch
        # gives such memory out again when it has been fetched.
        values = torch.empty_like(values, pin_memory=True).copy_(values)
    # Other devices would fetch too late, when the next piece is where this one was.
    sent = values.to(device, non_blocking=fetches).float()
    return sent.remainder(2**16) if unsigned else sent


def _binned(patterns: Tensor, size: tuple[int, int]) -> Tensor:
    """What :func:`~napari_kikuchi.images.bin_to` gives."""
    (height, width), (rows, cols) = patterns.shape[1:], size
    if height % rows == 0 and width % cols == 0:
        return avg_pool2d(patterns[:, None], (height // rows, width // cols))[:, 0]
    down, across = (
        torch.from_numpy(area_weights(*sides)).to(patterns.device)
        for sides in ((height, rows), (width, cols))
    )
    return down @ patterns @ across.T
