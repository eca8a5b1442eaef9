"""Between pictures of microstructures and the latents in which they are generated.

Each block of pixels becomes channels: without a loss and without training, and fewer places for a
network to visit. Right for small pictures and processors.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def shuffled_out(pictures: Tensor, block: int) -> Tensor:
    """Latents of pictures.

    Parameters
    ----------
    pictures
        Of shape (n, channels, rows, columns), both sides multiples of the block's.
    block
        Pixels along its sides.
    """
    return functional.pixel_unshuffle(pictures, block)


def shuffled_in(latents: Tensor, block: int) -> Tensor:
    """Pictures of latents; see :func:`shuffled_out`, which it undoes without a loss."""
    return functional.pixel_shuffle(latents, block)
