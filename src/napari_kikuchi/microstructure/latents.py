"""Between pictures of microstructures and the latents in which they are generated."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

# Twofold: without a loss and without training. Right for small pictures and processors.
UNSHUFFLED = 2


def shuffled_out(pictures: Tensor) -> Tensor:
    """Latents of pictures: each block of 2 x 2 pixels becomes channels.

    Parameters
    ----------
    pictures
        Of shape (n, channels, rows, columns), both sides even.
    """
    return functional.pixel_unshuffle(pictures, UNSHUFFLED)


def shuffled_in(latents: Tensor) -> Tensor:
    """Pictures of latents; see :func:`shuffled_out`, which it undoes without a loss."""
    return functional.pixel_shuffle(latents, UNSHUFFLED)
