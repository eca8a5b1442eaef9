"""Pictures of microstructures as napari layers: colours of the orientations, and the phase."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_kikuchi.ui.layers import LayerData


def colour_layer(pictures: NDArray[np.floating], name: str, place: dict[str, Any]) -> LayerData:
    """The colours of pictures.

    Parameters
    ----------
    pictures
        Of shape (..., 4, rows, columns), 0 to 1.
    name
        Of the layer.
    place
        Attributes that put it where it belongs.
    """
    colours = np.ascontiguousarray(np.moveaxis(pictures[..., :3, :, :], -3, -1))
    return colours, {"name": name, "rgb": True, **place}, "image"


def phase_layer(pictures: NDArray[np.floating], name: str, place: dict[str, Any]) -> LayerData:
    """The phase of pictures, as :func:`colour_layer`: black the first, white the second."""
    phases = np.ascontiguousarray(pictures[..., 3, :, :])
    return phases, {"name": name, "contrast_limits": (0.0, 1.0), **place}, "image"


def in_a_row(over: Layer, count: int) -> dict[str, Any]:
    """Attributes that put pictures of shape (count, rows, columns) where a map lies.

    Along the first axis they lie at the weights from 0 to 1, two or more of them.
    """
    corner, down, right = (
        np.asarray(over.data_to_world(place)) for place in ((0, 0), (1, 0), (0, 1))
    )
    affine = np.eye(4)
    affine[0, 0] = 1 / (count - 1)
    affine[1:3, 1], affine[1:3, 2], affine[1:3, 3] = down - corner, right - corner, corner
    return {
        "affine": affine,
        "units": ("pixel", *over.units),
        "axis_labels": ("weight", *over.axis_labels),
    }
