"""Grain maps as pictures of four channels: colours of the orientation, and the phase.

Colours are those of the inverse pole figure, from 0 to 255; the phase is 0 for the first and 255
for the second. What a colour leaves open, the turn about the direction that it stands for, is kept
beside it as quaternions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_kikuchi.explore.inverse_pole_figures import Axis, ipf_colours
from napari_kikuchi.explore.orientations import OrientationMap
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.microstructure.descriptors import grain_diameters
from napari_kikuchi.microstructure.polycrystal import Polycrystal, Volume, random_settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The last one is the phase.
CHANNELS, PHASE = 4, 3
# Of the grains that a picture of so many pixels shows, in parts of its edge.
_LEAST, _MOST = 5 / 64, 14 / 64


class Pictures(NamedTuple):
    """Pictures to learn from.

    Attributes
    ----------
    values
        uint8 of shape (pictures, 4, size, size).
    volumes
        Number of the volume of which each is a slice, int64 of shape (pictures,).
    diameters
        Mean diameter in pixels of circles as large as the grains of each, float32 of shape
        (pictures,).
    """

    values: NDArray[np.uint8]
    volumes: NDArray[np.int64]
    diameters: NDArray[np.float32]


def pictures(polycrystals: Sequence[Polycrystal], along: Axis = "z") -> list[NDArray[np.uint8]]:
    """Pictures of maps of cubic grains.

    Parameters
    ----------
    polycrystals
        The maps.
    along
        Direction of the sample whose inverse pole figure gives the colours.

    Returns
    -------
    list of numpy.ndarray
        Of each map, of shape (4, rows, columns).
    """
    from orix.quaternion.symmetry import Oh

    # Of all grains at once: each call of orix takes its time.
    quaternions = np.concatenate([one.quaternions for one in polycrystals])
    colours = ipf_colours(OrientationMap(quaternions[None], [Oh]), along)[:, 0]
    phases = np.concatenate([one.phases for one in polycrystals])
    of_grains = np.rint(255 * np.vstack([colours, phases == 2])).astype(np.uint8)
    ends = np.cumsum([len(one.phases) for one in polycrystals])
    parts = np.split(of_grains, ends[:-1], axis=1)
    return [part[:, one.grains] for part, one in zip(parts, polycrystals, strict=True)]


def random_pictures(volumes: int, slices: int, size: int, seed: int) -> Job[Pictures]:
    """Slices of volumes of random kinds, sizes, phase fractions and textures.

    Parameters
    ----------
    volumes
        How many.
    slices
        Of each, along x, y and z in turn.
    size
        Edge of a picture in pixels.
    seed
        The same seed makes the same pictures; so do the first volumes of a longer series.

    Yields
    ------
    Progress
        Volumes made.
    """
    values = np.empty((volumes, slices, CHANNELS, size, size), np.uint8)
    diameters = np.empty((volumes, slices), np.float32)
    for number in range(volumes):
        yield Progress(number, volumes, "Making volumes of grains")
        rng = np.random.default_rng([seed, number])
        settings = random_settings(rng, _LEAST * size, _MOST * size)
        volume = Volume(settings, size, int(rng.integers(2**32)))
        planes = [volume.slice(index % 3, float(rng.random())) for index in range(slices)]
        values[number] = pictures(planes)
        diameters[number] = [grain_diameters(plane.grains).mean() for plane in planes]
    numbers = np.repeat(np.arange(volumes), slices)
    return Pictures(values.reshape(-1, CHANNELS, size, size), numbers, diameters.ravel())
