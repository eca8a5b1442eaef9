"""Pictures of maps: on the way from one to another, and made anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from napari_kikuchi import __version__
from napari_kikuchi.explore.inverse_pole_figures import Axis
from napari_kikuchi.explore.orientations import OrientationMap
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.microstructure.filling import fill, interpolate
from napari_kikuchi.microstructure.generator import STEPS, MicrostructureGenerator
from napari_kikuchi.microstructure.grains import picture_of
from napari_kikuchi.microstructure.latents import shuffled_in, shuffled_out
from napari_kikuchi.microstructure.likeness import Likeness, check_comparable, likeness
from napari_kikuchi.microstructure.measured import read_measured
from napari_kikuchi.microstructure.scales import suitable_scale
from napari_kikuchi.microstructure.scan_filling import made_with

if TYPE_CHECKING:
    from numpy.typing import NDArray

ERROR = "reconstruction error"
# Upper limit between which errors are shown, at least.
_LEAST = 0.01


class Interpolation(NamedTuple):
    """Pictures on the way from one map to another.

    Attributes
    ----------
    pictures
        Red, green, blue and phase, 0 to 1, of shape (weights, 4, rows, columns).
    shapes
        Rows and columns of both maps before they were cut to those that both have.
    filled
        Points of each, as far as it was not cut off, that were filled in before.
    weights
        Of the other map in each picture.
    steps
        Of both maps, in µm.
    provenance
        How they were made, fit for JSON.
    """

    pictures: NDArray[np.float32]
    shapes: tuple[tuple[int, int], tuple[int, int]]
    filled: tuple[int, int]
    weights: Sequence[float]
    steps: tuple[tuple[float, float], tuple[float, float]]
    provenance: dict[str, Any]

    @property
    def step(self) -> tuple[float, float]:
        """Of the pictures, as of the first map, in µm."""
        return self.steps[0]

    def remarks(self) -> list[str]:
        """What was done to the maps before, a sentence each."""
        told = []
        if len({*self.steps}) > 1:
            of_both = " and ".join(f"{down:g} × {right:g}" for down, right in self.steps)
            told.append(
                f"The maps have steps of {of_both} µm, but were mixed point by point: grains of "
                "one look larger than they are."
            )
        if len({*self.shapes}) > 1:
            rows, cols = self.pictures.shape[2:]
            of_both = " and ".join(f"{height:,} × {width:,}" for height, width in self.shapes)
            told.append(f"The maps have {of_both} points; they were cut to {rows:,} × {cols:,}.")
        if any(self.filled):
            told.append(
                f"{self.filled[0]:,} points of the first and {self.filled[1]:,} of the second were "
                "not indexed and were filled in before."
            )
        return told


class Reconstruction(NamedTuple):
    """A map's picture, made anew.

    Attributes
    ----------
    picture
        Red, green, blue and phase, 0 to 1, of shape (4, rows, columns).
    error
        One map: the largest of the four channels' absolute differences; NaN where nothing was
        indexed.
    colours, phase
        How alike it is, where something was indexed.
    """

    picture: NDArray[np.float32]
    error: MapStack
    colours: Likeness
    phase: Likeness

    def in_words(self) -> str:
        """How alike it is, as a person reads it."""
        return (
            f"Colours of the orientations: {self.colours.in_words()}. "
            f"Phase: {self.phase.in_words()}."
        )


def interpolate_maps(
    generator: MicrostructureGenerator,
    one: MapStack,
    other: MapStack,
    weights: Sequence[float],
    *,
    time: float = 0.5,
    along: Axis = "z",
    seed: int = 0,
    steps: int = STEPS,
) -> Job[Interpolation]:
    """Pictures on the way from one map of orientations to another.

    Both are cut to the rows and columns that both have, from the first ones on, and their holes are
    filled in.

    Parameters
    ----------
    generator, along, seed, steps
        See :func:`~napari_kikuchi.microstructure.scan_filling.fill_maps`.
    one, other
        See :func:`~napari_kikuchi.microstructure.measured.read_measured`.
    weights, time
        See :func:`~napari_kikuchi.microstructure.filling.interpolate`.

    Yields
    ------
    Progress
        What is being done.

    Raises
    ------
    NoOrientationsError, ValueError
        As :func:`~napari_kikuchi.microstructure.measured.read_measured` and
        :func:`~napari_kikuchi.microstructure.filling.interpolate`.
    """
    yield Progress(0, 0, "Reading the orientations")
    measured = [read_measured(stack).orientations for stack in (one, other)]
    shapes = [both.map_shape for both in measured]
    rows, cols = np.min(shapes, axis=0)
    pictures, filled = [], []
    for orientations in measured:
        picture = picture_of(_cut(orientations, rows, cols), along)
        filled.append(int(np.isnan(picture).any(axis=0).sum()))
        scale = suitable_scale(generator, orientations)
        pictures.append((yield from fill(generator, picture, scale=scale, seed=seed, steps=steps)))
    first, second = pictures
    found = yield from interpolate(
        generator, first, second, weights, time=time, seed=seed, steps=steps
    )
    told = {
        "method": "microstructure",
        "microstructure": {
            **made_with(generator, "interpolated", along, seed, steps),
            "time": time,
            "weights": [float(weight) for weight in weights],
            "scans": [stack.provenance.get("scan") for stack in (one, other)],
        },
        "version": __version__,
    }
    return Interpolation(
        found, (shapes[0], shapes[1]), (filled[0], filled[1]), weights, (one.step, other.step), told
    )


def reconstruct_maps(
    generator: MicrostructureGenerator,
    stack: MapStack,
    *,
    time: float = 0.0,
    along: Axis = "z",
    seed: int = 0,
    steps: int = STEPS,
) -> Job[Reconstruction]:
    """Turn a map's picture into latents and back, or generate it anew from there.

    Parameters
    ----------
    generator, along, seed, steps
        See :func:`~napari_kikuchi.microstructure.scan_filling.fill_maps`.
    stack
        See :func:`~napari_kikuchi.microstructure.measured.read_measured`; its holes are filled in
        first.
    time
        How much noise the latents get before, 0 to 1. Without any the picture comes back as it was.

    Yields
    ------
    Progress
        What is being done.

    Raises
    ------
    NoOrientationsError, ValueError
        As :func:`~napari_kikuchi.microstructure.measured.read_measured`,
        :func:`~napari_kikuchi.microstructure.filling.interpolate` and
        :func:`~napari_kikuchi.microstructure.likeness.likeness`.
    """
    yield Progress(0, 0, "Reading the orientations")
    orientations = read_measured(stack).orientations
    check_comparable(orientations.map_shape)
    there = orientations.numbers > 0
    measured = picture_of(orientations, along)
    scale = suitable_scale(generator, orientations)
    picture = yield from fill(generator, measured, scale=scale, seed=seed, steps=steps)
    if time:
        job = interpolate(generator, picture, picture, [0.0], time=time, seed=seed, steps=steps)
        made = (yield from job)[0]
    else:
        made = _there_and_back(picture, generator.network.architecture.block)
    yield Progress(0, 0, "Comparing")
    error = np.where(there, np.abs(made - picture).max(axis=0), np.nan).astype(np.float32)
    told = {
        "method": "microstructure",
        "scan": stack.provenance.get("scan"),
        "microstructure": {
            **made_with(generator, "reconstructed", along, seed, steps),
            "time": time,
        },
        "version": __version__,
    }
    # Nobody takes the slightest differences for large ones.
    channel = Channel(ERROR, colormap="inferno", limits=(0.0, max(float(np.nanmax(error)), _LEAST)))
    return Reconstruction(
        made,
        MapStack(error[None], [channel], stack.step, told),
        likeness(picture[:3], made[:3], there),
        likeness(picture[3:], made[3:], there),
    )


def _cut(orientations: OrientationMap, rows: int, cols: int) -> OrientationMap:
    return OrientationMap(
        orientations.quaternions[:rows, :cols],
        orientations.symmetries,
        orientations.numbers[:rows, :cols],
    )


def _there_and_back(picture: NDArray[np.float32], block: int) -> NDArray[np.float32]:
    rows, cols = picture.shape[1:]
    over = ((0, 0), (0, -rows % block), (0, -cols % block))
    padded = torch.from_numpy(np.pad(picture, over, mode="edge"))[None]
    return shuffled_in(shuffled_out(padded, block), block)[0, :, :rows, :cols].numpy()
