"""What a generator is used for: filling in, generating, interpolating.

Pictures have four channels from 0 to 1: red, green and blue of the orientations, and the phase.
What is unknown of them is NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_kikuchi.jobs import Job, Progress, Result
from napari_kikuchi.microstructure.coarser import every, every_wish, finer, halved
from napari_kikuchi.microstructure.crops import Crop, crops, whole
from napari_kikuchi.microstructure.generator import STEPS, MicrostructureGenerator
from napari_kikuchi.microstructure.pictures import CHANNELS
from napari_kikuchi.microstructure.tiling import tiling
from napari_kikuchi.microstructure.typical import most_typical
from napari_kikuchi.microstructure.wishes import Wishes

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Pixels that are worked on at a time.
_AT_A_TIME = 64 * 64 * 64
# Noise to which what was filled in at one scale is brought before it is made finer: enough for
# borders to get their shape, too little for other grains.
_REFINED_FROM = 0.4


def fill(
    generator: MicrostructureGenerator,
    picture: NDArray[np.floating],
    *,
    wished: Wishes | None = None,
    scale: int = 1,
    candidates: int = 1,
    seed: int = 0,
    steps: int = STEPS,
) -> Job[NDArray[np.float32]]:
    """Fill in what is unknown of a picture.

    Parameters
    ----------
    generator
        That has learned what microstructures look like.
    picture
        Of shape (4, rows, columns); unknown where any channel is NaN.
    wished
        What the whole picture should be like; the generator then has a control.
    scale
        For grains that are larger than those learned from: the hole is filled in first in a picture
        of every so many pixels, and the result made finer, half of that at a time.
    candidates
        How many fills of each hole are made. The most typical one is taken: phases, or in maps of
        one phase grains, then are as it was to be expected, not as chance would have them.
    seed
        The same seed gives the same result.
    steps
        See :meth:`~napari_kikuchi.microstructure.generator.MicrostructureGenerator.filled`.

    Yields
    ------
    Progress
        Steps taken.

    Returns
    -------
    numpy.ndarray
        In single precision, of the shape of the picture. What is known is as it was.

    Warns
    -----
    JobWarning
        If something is wished for beyond what the control has learned from.

    Raises
    ------
    ValueError
        If it is no such picture, there are no candidates or no such scale, or the generator's
        control was not trained for a wish.
    """
    check_picture(picture)
    if min(candidates, scale) < 1:
        raise ValueError(
            f"expected candidates and a scale of 1 or more, not {candidates} and {scale}"
        )
    if not np.isnan(picture).any():
        return picture.astype(np.float32)
    # A coarse picture may miss all that is unknown: then there is nothing to begin with.
    scales = [each for each in halved(scale) if np.isnan(every(picture, each)).any()]
    filled = every(picture, scales[0])
    # As large as the picture first: what does not fit is told of that.
    planes = {
        each: _planes(generator, every_wish(wished, each), every(picture, each).shape[1:])
        for each in reversed(scales)
    }
    _warn_beyond(generator, every_wish(wished, scales[0]))
    for number, each in enumerate(scales):
        coarse = every(picture, each)
        unknown = np.isnan(coarse).any(axis=0)
        if number:
            guess = finer(filled, scales[number - 1], each, unknown.shape)
            coarse = np.where(unknown, guess, coarse)
        job = _fill_crops(
            generator,
            coarse,
            unknown,
            candidates=1 if number else candidates,
            seed=seed,
            steps=steps,
            start=_REFINED_FROM if number else 1.0,
            planes=planes[each],
        )
        filled = yield from _in_all(job, number, len(scales))
    return filled


def _fill_crops(
    generator: MicrostructureGenerator,
    picture: NDArray[np.floating],
    unknown: NDArray[np.bool_],
    *,
    planes: torch.Tensor | None,
    **settings: Any,
) -> Job[NDArray[np.float32]]:
    """Fill in what is unknown of a picture, whatever is there, one crop after another."""
    filled, left = picture.astype(np.float32), unknown.copy()
    # What is wished for is a matter of the whole picture.
    parts = [whole(unknown.shape)]
    if planes is None:
        multiple = generator.network.architecture.multiple
        parts = crops(unknown, generator.picture_size, multiple)
    for number, part in enumerate(parts):
        job = _fill(
            generator,
            filled[:, *part.view],
            left[part.view],
            part=part,
            planes=planes,
            **settings,
        )
        filled[:, *part.core] = yield from _in_all(job, number, len(parts))
        left[part.core] = False
    return filled


def _fill(
    generator: MicrostructureGenerator,
    picture: NDArray[np.float32],
    unknown: NDArray[np.bool_],
    *,
    candidates: int,
    seed: int,
    part: Crop,
    planes: torch.Tensor | None,
    **settings: Any,
) -> Job[NDArray[np.float32]]:
    """The core of a crop, filled in; the picture is that of its view."""
    rows, cols = unknown.shape
    multiple = generator.network.architecture.multiple
    over = [(0, -side % multiple) for side in (rows, cols)]
    # What was added for the network is unknown to it like a hole.
    padded = np.pad(picture, ((0, 0), *over), mode="edge")
    holes = np.pad(unknown, over, constant_values=True)
    batch = max(1, _AT_A_TIME // holes.size)
    starts = range(0, candidates, batch)
    jobs = len(starts) + (candidates > 1)
    made = []
    for number, first in enumerate(starts):
        some = min(batch, candidates - first)
        job = generator.filled(
            _to_network(padded)[None].expand(some, -1, -1, -1),
            torch.from_numpy(holes).float()[None, None].expand(some, -1, -1, -1),
            wished=None if planes is None else planes.expand(some, -1, -1, -1),
            seed=_seed_of(seed, number, *(side.start for side in part.core)),
            **settings,
        )
        found = yield from _in_all(job, number, jobs)
        seen = np.where(unknown, _from_network(found)[..., :rows, :cols], picture)
        made.append(seen[:, :, *part.core_in_view])
    filled = np.concatenate(made)
    best = 0
    if candidates > 1:
        best = yield from _in_all(most_typical(filled), jobs - 1, jobs)
    return filled[best]


def generate(
    generator: MicrostructureGenerator,
    count: int,
    shape: tuple[int, int],
    *,
    tileable: bool = False,
    wished: Wishes | None = None,
    seed: int = 0,
    steps: int = STEPS,
) -> Job[NDArray[np.float32]]:
    """Make pictures of nothing.

    Parameters
    ----------
    generator, steps
        See :func:`fill`.
    count
        How many.
    shape
        Rows and columns.
    tileable
        Whether opposite edges go on into each other; both sides are then multiples of the
        architecture's.
    wished
        What each picture should be like; the generator then has a control.
    seed
        The same seed gives the same pictures.

    Yields
    ------
    Progress
        Steps taken.

    Returns
    -------
    numpy.ndarray
        Of shape (count, 4, rows, columns).

    Warns
    -----
    JobWarning
        As :func:`fill`.

    Raises
    ------
    ValueError
        If there is no such picture, or the control was not trained for a wish.
    """
    multiple = generator.network.architecture.multiple
    if count < 1 or min(shape) < 1:
        raise ValueError(f"expected one picture or more of one pixel or more, not {count} {shape}")
    if tileable and any(side % multiple for side in shape):
        raise ValueError(
            f"expected sides that are multiples of {multiple} pixels for a picture that can be "
            f"tiled, found {shape[0]} x {shape[1]}"
        )
    rows, cols = (side + -side % multiple for side in shape)
    planes = _planes(generator, wished, shape)
    _warn_beyond(generator, wished)
    batch = max(1, _AT_A_TIME // (rows * cols))
    maker = tiling(generator) if tileable else generator
    made = []
    starts = range(0, count, batch)
    for number, first in enumerate(starts):
        some = min(batch, count - first)
        job = maker.filled(
            torch.zeros(some, CHANNELS, rows, cols),
            torch.ones(some, 1, rows, cols),
            seed=_seed_of(seed, number),
            steps=steps,
            wished=None if planes is None else planes.expand(some, -1, -1, -1),
        )
        found = yield from _in_all(job, number, len(starts))
        made.append(_from_network(found)[..., : shape[0], : shape[1]])
    return np.concatenate(made)


def interpolate(
    generator: MicrostructureGenerator,
    one: NDArray[np.floating],
    other: NDArray[np.floating],
    weights: Sequence[float],
    *,
    time: float = 0.5,
    seed: int = 0,
    steps: int = STEPS,
) -> Job[NDArray[np.float32]]:
    """Pictures on the way from one to another.

    The latents of both are mixed, noised and generated from there (equation 14 of Zhang, Long and
    Zhang, arXiv 2409.19133), all with the same noise.

    Parameters
    ----------
    generator, steps
        See :func:`fill`.
    one, other
        Pictures of one shape, without anything unknown.
    weights
        Of the other in each mixture, 0 to 1.
    time
        How much noise is added, 0 to 1: with 0 the pictures lie over each other, with 1 nothing is
        left of either.
    seed
        Of the noise.

    Yields
    ------
    Progress
        Steps taken.

    Returns
    -------
    numpy.ndarray
        Of shape (weights, 4, rows, columns).

    Raises
    ------
    ValueError
        If they are no such pictures, or a number is not between 0 and 1.
    """
    for picture in (one, other):
        check_picture(picture)
        if np.isnan(picture).any():
            raise ValueError("expected pictures that are known all over: fill in their holes first")
    if one.shape != other.shape:
        raise ValueError(
            f"expected pictures of the same size, found {one.shape[1]} x {one.shape[2]} and "
            f"{other.shape[1]} x {other.shape[2]} pixels"
        )
    if not len(weights) or not all(0 <= number <= 1 for number in (*weights, time)):
        raise ValueError(f"expected weights and a time from 0 to 1, found {weights} and {time}")
    rows, cols = one.shape[1:]
    multiple = generator.network.architecture.multiple
    over = ((0, 0), (0, -rows % multiple), (0, -cols % multiple))
    made = np.empty((len(weights), *one.shape), np.float32)
    # One at a time: maps may be large, and each mixture is to get the same noise.
    for number, share in enumerate(np.asarray(weights, np.float32)):
        made[number] = (1 - share) * one + share * other
        if time == 0:
            continue
        mixed = _to_network(np.pad(made[number], over, mode="edge"))[None]
        job = generator.filled(
            mixed, torch.ones_like(mixed[:, :1]), seed=seed, steps=steps, start=time
        )
        found = yield from _in_all(job, number, len(weights))
        made[number] = _from_network(found)[0, :, :rows, :cols]
    return made


def check_picture(picture: NDArray[np.floating]) -> None:
    """Check that an array is a picture.

    Raises
    ------
    ValueError
        If it has other axes, or values beyond 0 and 1.
    """
    if picture.ndim != 3 or len(picture) != CHANNELS or 0 in picture.shape:
        raise ValueError(
            f"expected a picture of shape ({CHANNELS}, rows, columns): red, green, blue and phase; "
            f"found {picture.shape}"
        )
    known = picture[np.isfinite(picture)]
    if np.isinf(picture).any() or (known.size and (known.min() < 0 or known.max() > 1)):
        raise ValueError(
            f"expected values from 0 to 1, and NaN for what is unknown, found {np.nanmin(picture)} "
            f"to {np.nanmax(picture)}"
        )


def _planes(
    generator: MicrostructureGenerator, wished: Wishes | None, shape: tuple[int, int]
) -> torch.Tensor | None:
    """What the generator's control is told of wishes; None if there are none."""
    if wished is None or not wished.names:
        return None
    return generator.required_control().planes(wished, shape)


def _warn_beyond(generator: MicrostructureGenerator, wished: Wishes | None) -> None:
    """Tell of wishes for what the generator's control has not learned."""
    if wished is not None and wished.names:
        generator.required_control().warn_beyond(wished)


def _seed_of(seed: int, batch: int, row: int = 0, col: int = 0) -> int:
    """A seed for a batch at a place, unrelated to that of others."""
    state = np.random.SeedSequence([seed, batch, row, col]).generate_state(1, np.uint64)[0]
    return int(state >> np.uint64(1))


def _to_network(picture: NDArray[np.floating]) -> torch.Tensor:
    return torch.from_numpy(2 * np.nan_to_num(picture, nan=0.5).astype(np.float32) - 1)


def _from_network(pictures: torch.Tensor) -> NDArray[np.float32]:
    return ((pictures + 1) / 2).numpy()


def _in_all(job: Job[Result], number: int, jobs: int) -> Job[Result]:
    """A job as one of several that count alike."""
    while True:
        try:
            update = next(job)
        except StopIteration as end:
            return end.value
        yield Progress(number * update.total + update.done, jobs * update.total, update.message)
