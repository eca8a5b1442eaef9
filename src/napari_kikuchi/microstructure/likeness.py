"""How alike a picture and what a generator has made of it are."""

from __future__ import annotations

from math import isinf
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Pixels along the sides of the windows in which structures are compared.
_WINDOW = 7


class Likeness(NamedTuple):
    """Of two pictures.

    Attributes
    ----------
    psnr
        Peak signal-to-noise ratio in dB; infinite where there is no difference.
    ssim
        Structural similarity, 1 at most.
    """

    psnr: float
    ssim: float

    def in_words(self) -> str:
        """Both numbers, as a person reads them."""
        if isinf(self.psnr):
            return "no difference at all"
        # A unit stays with its number, however wide what shows it is.
        return f"PSNR {self.psnr:.1f}\N{NO-BREAK SPACE}dB, SSIM {self.ssim:.3f}"


def likeness(
    one: NDArray[np.floating], other: NDArray[np.floating], where: NDArray[np.bool_]
) -> Likeness:
    """Compare two pictures.

    Parameters
    ----------
    one, other
        From 0 to 1, of shape (channels, rows, columns).
    where
        Which pixels count, of shape (rows, columns).

    Raises
    ------
    ValueError
        If the pictures are too small.

    Notes
    -----
    SSIM after Z. Wang, A. C. Bovik, H. R. Sheikh and E. P. Simoncelli, IEEE Transactions on Image
    Processing 13, 600 (2004), in windows of 7 x 7 pixels that lie inside the picture.
    """
    from skimage.metrics import structural_similarity

    check_comparable(where.shape)
    one, other = (np.asarray(picture, np.float64) for picture in (one, other))
    square = float(((one - other)[:, where] ** 2).mean())
    psnr = -10 * float(np.log10(square)) if square else float("inf")
    _, alike = structural_similarity(
        one, other, win_size=_WINDOW, data_range=1, channel_axis=0, full=True
    )
    edge = _WINDOW // 2
    inner = (slice(edge, -edge), slice(edge, -edge))
    # Where all that was measured lies at an edge, windows beyond it have to do.
    inside = where[inner].any()
    counted = alike[(..., *inner)][:, where[inner]] if inside else alike[:, where]
    return Likeness(psnr, float(counted.mean()))


def check_comparable(shape: tuple[int, ...]) -> None:
    """Check that pictures of so many rows and columns can be compared.

    Raises
    ------
    ValueError
        If they are too small.
    """
    if min(shape) < _WINDOW:
        raise ValueError(
            f"expected a picture of {_WINDOW} x {_WINDOW} pixels or more to be compared, found "
            f"{shape[0]} x {shape[1]}"
        )
