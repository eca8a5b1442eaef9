"""Pictures of every so many pixels, in which large grains look like smaller ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.microstructure.wishes import Wishes

if TYPE_CHECKING:
    from numpy.typing import NDArray


def halved(scale: int) -> Iterator[int]:
    """A scale, half of it, and so on to 1."""
    while scale > 1:
        yield scale
        scale = -(-scale // 2)
    yield 1


def every(picture: NDArray[np.floating], scale: int) -> NDArray[np.floating]:
    """Every so many pixels of a picture: those in the middle of blocks, if there are any."""
    first = [min(scale // 2, side - 1) for side in picture.shape[1:]]
    return picture[:, first[0] :: scale, first[1] :: scale]


def every_wish(wished: Wishes | None, scale: int) -> Wishes | None:
    """Wishes for every so many pixels of a picture."""
    if wished is None:
        return None
    phase, diameter = wished.phase, wished.diameter
    if phase is not None:
        phase = every(phase[None], scale)[0]
    return replace(
        wished,
        # A coarse image may miss all that is wished for.
        phase=None if phase is None or np.isnan(phase).all() else phase,
        diameter=None if diameter is None else diameter / scale,
    )


def finer(
    picture: NDArray[np.floating], scale: int, finer: int, shape: tuple[int, ...]
) -> NDArray[np.floating]:
    """A picture of one scale in pixels of a finer one: each the nearest there is."""
    for axis, side in enumerate(shape, 1):
        places = (np.arange(side) * finer + finer // 2) // scale
        picture = picture.take(np.minimum(places, picture.shape[axis] - 1), axis=axis)
    return picture
