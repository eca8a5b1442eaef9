"""What follows from a map of orientations, as maps of a stack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_kikuchi.explore.inverse_pole_figures import Axis, ipf_colours
from napari_kikuchi.explore.orientations import (
    GRAIN_THRESHOLD,
    OrientationMap,
    find_grains,
    grain_reference_orientation_deviation,
    kernel_average_misorientation,
)
from napari_kikuchi.io.map_writer import MapWriter
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.maps import Channel
from napari_kikuchi.scan import Block

if TYPE_CHECKING:
    from numpy.typing import NDArray

_IN_GRAINS = (
    Channel("KAM", "°", "viridis"),
    Channel("GROD", "°", "viridis"),
    Channel("grain", colormap="tab20"),
)


def ipf_channels(name: str) -> tuple[Channel, ...]:
    """Channels of the red, green and blue of an inverse pole figure's colours."""
    # Between limits of their own their sum would have another hue.
    return tuple(
        Channel(f"{name} {part}", colormap=part, limits=(0.0, 1.0))
        for part in ("red", "green", "blue")
    )


def derived_channels(pole_figures: Sequence[str]) -> tuple[Channel, ...]:
    """Channels of :func:`derived_maps`.

    Parameters
    ----------
    pole_figures
        What the inverse pole figures are called; the last is the picture that is shown first.
    """
    return (*(channel for name in pole_figures for channel in ipf_channels(name)), *_IN_GRAINS)


def write_derived(
    writer: MapWriter,
    symmetries: Sequence[Any],
    *,
    along: Sequence[Axis],
    phases: NDArray | None = None,
    grid: Literal["square", "hexagonal"] = "square",
    grain_threshold: float = GRAIN_THRESHOLD,
) -> Job[None]:
    """Fill in the last channels of maps that are being written.

    Parameters
    ----------
    writer
        Its last maps are those of :func:`derived_channels`; the four before them are written, the
        quaternions of the orientations.
    symmetries, phases, grid
        See :class:`~napari_kikuchi.explore.orientations.OrientationMap`.
    along, grain_threshold
        See :func:`derived_maps`.

    Yields
    ------
    Progress
        That it goes on.
    """
    channels, rows, cols = writer.maps.shape
    whole = Block(slice(0, rows), slice(0, cols))
    first = channels - len(derived_channels(along))
    quaternions = np.stack([writer.maps.read_map(i) for i in range(first - 4, first)], axis=-1)
    orientations = OrientationMap(quaternions, symmetries, phases, grid)
    yield Progress(0, 0, "Finding the grains")
    for values in derived_maps(orientations, along=along, grain_threshold=grain_threshold):
        written = range(first, first + len(values))
        writer.confirm(whole, writer.maps.write(whole, values, written), written)
        first = written.stop
        yield Progress(0, 0, "Finding the grains")


def derived_maps(
    orientations: OrientationMap,
    *,
    along: Sequence[Axis],
    grain_threshold: float = GRAIN_THRESHOLD,
) -> Iterator[NDArray[np.float64]]:
    """Inverse pole figure colours, KAM, GROD and the numbers of the grains.

    Parameters
    ----------
    orientations
        Of the scan.
    along
        Axes of the sample, one for each inverse pole figure.
    grain_threshold
        Misorientation in degrees above which two neighbours belong to different grains.

    Yields
    ------
    numpy.ndarray
        Some maps, of shape (channels, rows, columns); together in the order of
        :func:`derived_channels`.
    """
    for axis in along:
        yield ipf_colours(orientations, axis)
    yield kernel_average_misorientation(orientations)[None]
    grain = find_grains(orientations, threshold=grain_threshold)
    yield np.stack([grain_reference_orientation_deviation(orientations, grain), grain])
