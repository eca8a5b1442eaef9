"""At which scale a generator sees grains as large as those that it has learned from."""

from __future__ import annotations

from math import ceil

from napari_kikuchi.explore.orientations import OrientationMap, find_grains
from napari_kikuchi.microstructure.descriptors import grain_diameters
from napari_kikuchi.microstructure.generator import MicrostructureGenerator

# Mean diameter of grains, weighted by their areas, in the pictures with the largest: in parts of
# the pictures' edges.
_LARGEST = 1 / 4
# Fewer pixels of a coarse picture would not tell where a grain goes on.
_LEAST_SIDE = 16


def suitable_scale(generator: MicrostructureGenerator, orientations: OrientationMap) -> int:
    """How many pixels of a map, along a row, should be one to a generator.

    Parameters
    ----------
    generator
        That is to go on with the map.
    orientations
        What is known of it.

    Returns
    -------
    int
        1 where grains are no larger than those that it has learned from.
    """
    diameters = grain_diameters(find_grains(orientations) - 1)
    if not len(diameters):
        return 1
    # Weighted by area: badly indexed points look like grains of one pixel.
    mean = (diameters**3).sum() / (diameters**2).sum()
    wanted = ceil(mean / (_LARGEST * generator.picture_size))
    return max(1, min(wanted, min(orientations.map_shape) // _LEAST_SIDE))
