"""Maps of several scans as one, at the places where they lie in the viewer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.explore.mosaics import mosaic
from napari_kikuchi.jobs import Job
from napari_kikuchi.ui.alike import ReadMaps, read_alike
from napari_kikuchi.ui.layers import LayerData, colours_of, grid

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_kikuchi.ui.scan_maps import OneMap

Pair = tuple[float, float]


class PlaceError(ValueError):
    """Maps that do not lie as those of a mosaic must."""


@dataclass(frozen=True)
class Lie:
    """How a map lies in the viewer.

    Attributes
    ----------
    step
        Distance between rows and between columns, in µm.
    origin
        Place of the centre of the first position, in µm: down and right.
    """

    step: Pair
    origin: Pair


def mosaic_layer(maps: Sequence[OneMap]) -> Job[LayerData]:
    """Make one layer of a map of each of several scans, where they lie now, on the finest step.

    Where they overlap, the finest is seen. Limits and colours are those in which all of them are
    shown, if they are shown alike.

    Parameters
    ----------
    maps
        Which mean the same.

    Returns
    -------
    Job
        Makes the layer; a ValueError says that it would be too large.

    Raises
    ------
    PlaceError
        If a map is turned, sheared or mirrored, or if all lie on each other.
    """
    lies = [lie_of(one.place, one.maps.source.name) for one in maps]
    if len({lie.origin for lie in lies}) == 1:
        raise PlaceError(
            "These maps lie on each other, so that only one would be seen. Lay them side by side, "
            "or move them where they belong with napari's transform tool, and make the mosaic then."
        )
    coarsest_first = sorted(range(len(maps)), key=lambda i: -lies[i].step[0] * lies[i].step[1])
    ordered = [maps[i] for i in coarsest_first]
    return _make(ordered, read_alike(ordered), [lies[i] for i in coarsest_first], _look(maps))


def _make(
    maps: Sequence[OneMap], reading: Job[ReadMaps], lies: Sequence[Lie], look: dict[str, Any]
) -> Job[LayerData]:
    found = yield from reading
    steps, origins = [lie.step for lie in lies], [lie.origin for lie in lies]
    made = yield from mosaic(found.values, steps, origins)
    channel = maps[0].maps.stack.channels[maps[0].index]
    attributes = {
        "name": f"{channel.name}, mosaic",
        "contrast_limits": found.limits,
        "colormap": colours_of(channel),
        "translate": made.origin,
        **grid(made.step),
        **look,
    }
    return made.values, attributes, "image"


def _look(maps: Sequence[OneMap]) -> dict[str, Any]:
    """Limits and colours that all of the maps are shown in; empty if they are not shown alike."""
    looks = [
        {"contrast_limits": tuple(one.layer.contrast_limits), "colormap": one.layer.colormap}
        for one in maps
        if one.layer is not None
    ]
    alike = len(looks) == len(maps) and all(look == looks[0] for look in looks)
    return looks[0] if alike else {}


def lie_of(layer: Image, scan: str) -> Lie:
    """How a map lies.

    Raises
    ------
    PlaceError
        If its rows do not run from left to right, or its columns down.
    """
    origin, down, right = (
        np.array(layer.data_to_world(corner)) for corner in ((0, 0), (1, 0), (0, 1))
    )
    sides = np.array([down - origin, right - origin])
    step = np.diag(sides)
    if not np.allclose(sides, np.diag(step)) or (step <= 0).any():
        raise PlaceError(
            f"{scan}: its map is turned, sheared or mirrored. A mosaic is made of maps whose rows "
            "run from left to right and whose columns run down: undo that in the layer controls "
            "(Transform)."
        )
    # Far from zero, differences have rounding errors, which would be the step that is saved.
    down_step, right_step = (round(float(one), 9) for one in step)
    return Lie((down_step, right_step), (float(origin[0]), float(origin[1])))
