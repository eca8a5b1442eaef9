"""Regions drawn on maps: which scan positions lie in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Shapes

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer
    from numpy.typing import NDArray


def drawn_region(viewer: ViewerModel) -> tuple[Shapes, int] | None:
    """The region that the user means: layer and index of the shape.

    The selected shape of the selected layer, else of any shapes layer; where none is selected, the
    last one drawn. None if nothing is drawn.
    """
    active = viewer.layers.selection.active
    layers = [
        layer for layer in reversed(viewer.layers) if isinstance(layer, Shapes) and layer.nshapes
    ]
    layers.sort(key=lambda layer: (layer is not active, not layer.selected_data))
    if not layers:
        return None
    shapes = layers[0]
    return shapes, max(shapes.selected_data, default=shapes.nshapes - 1)


def positions_inside(shapes: Shapes, index: int, layer: Layer) -> NDArray[np.intp]:
    """Scan positions inside a shape.

    Parameters
    ----------
    shapes, index
        The shape.
    layer
        A map of the scan. The two layers may have any scales and places.

    Returns
    -------
    numpy.ndarray
        Row and column of each position whose centre lies inside, or on the line of a shape that
        encloses nothing; of shape (n, 2), in scan order.
    """
    vertices = [
        layer.world_to_data(shapes.data_to_world(vertex))[-2:] for vertex in shapes.data[index]
    ]
    # napari draws the mask in pixels whatever the layer's scale: a shape in pixels, so.
    drawn = Shapes([np.array(vertices)], shape_type=[shapes.shape_type[index]])
    (mask,) = drawn.to_masks(layer.data.shape[-2:])
    return np.argwhere(mask)
